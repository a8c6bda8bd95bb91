"""The applications of an instance: list, show, compare; capture, build, rename and delete them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.applications import queue_build
from nuvo_jupyter.delivery.orders import ApplicationAddOrder, ApplicationBuildOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_instance, find_snapshot, parse_state
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.model.applications import Application, ApplicationComparison
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotFound
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.objects import paths_of
from nuvo_jupyter.model.requests import (
    ApplicationAdd,
    ApplicationBuild,
    ApplicationCompare,
    ApplicationRename,
    OfApplication,
    OfInstance,
)
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import Task, TaskKind
from nuvo_jupyter.store import tree


def application_list(call: Call, _request: OfInstance) -> tuple[Application, ...]:
    """The applications of a current state, by name; of one that is damaged, what is wrong with it."""
    found = _applications(call)
    return tuple(found.look(name) for name in found.names())


def application_show(call: Call, request: OfApplication) -> Application:
    """An application with its packages, and why it is not complete.

    Raises:
        NotFound: there is none.
        ApplicationDamaged: its definition cannot be read.
    """
    found: Application = _existing(call, request.name).show(request.name)
    return found


def application_compare(call: Call, request: ApplicationCompare) -> ApplicationComparison:
    """How an application differs from the left state to the right one; one that a state lacks counts as empty there.

    Raises:
        NotFound: neither state has it.
        InvalidInput: a reference names a path.
        ApplicationDamaged: a definition cannot be read.
        Refused: not a viewer of the right one.
    """
    from nuvo_jupyter.workspace.applications.compare import compare

    assert call.instance is not None
    left, right = parse_state(request.left), parse_state(request.right)
    for text, reference in ((request.left, left), (request.right, right)):
        if reference.path:
            raise InvalidInput(
                f"{text!r} names a path.", hint="Give the state, and the application by its name."
            )
    with call.read() as connection:
        access = call.access(connection)
        other = find_instance(connection, access, right)
        access.require_instance(other, Need.VIEWER, "compare with its applications")
        states = [
            (row, None if reference.is_current else find_snapshot(connection, row, reference.snapshot))
            for row, reference in ((call.instance, left), (other, right))
        ]
    with ExitStack() as stack:
        before, after = (
            stack.enter_context(_lent(call, row, snapshot, request.name)) for row, snapshot in states
        )
        if before is None and after is None:
            raise NotFound(
                f"Neither state has an application {request.name!r}.", hint="`nuvo app list` lists them."
            )
        found: ApplicationComparison = compare(before, after)
        return found


def application_add(call: Call, request: ApplicationAdd) -> Task:
    """Queue the capture of an environment as a new application.

    Raises:
        AlreadyExists: the name is taken.
        InvalidInput: no application can have that name, the prefix is no folder, or the kernel is none of Python's.
        NotFound: there is no such kernel.
        EnvironmentFailed: the kernel's Python does not run.
    """
    assert call.instance is not None
    require_writable(call.instance)
    found = _applications(call)
    found.folder(request.name)
    if request.name in found.names():
        raise AlreadyExists(
            f"There is an application {request.name} already.", hint="Use another name, or delete it first."
        )
    prefix, spec = request.prefix, ""
    if request.kernel:
        from nuvo_jupyter.workspace.applications.kernelspecs import environment_of

        found_in, spec = environment_of(request.kernel)
        prefix = prefix or found_in
    if not os.path.isabs(prefix) or not os.path.isdir(prefix):
        raise InvalidInput(
            f"{prefix!r} is no folder of an environment.",
            hint="Give the folder, as sys.prefix shows it, or the name of a kernel.",
        )
    order = ApplicationAddOrder(request.name, prefix, request.variables, request.seal, request.offline, spec)
    with call.write() as connection:
        task_id = queue.insert_task(
            connection,
            kind=TaskKind.APPLICATION_ADD,
            title=f"Add the application {request.name} to {call.instance.space}/{call.instance.name}",
            order=order,
            created_by=call.who,
            space_id=call.instance.space_id,
            instance_id=call.instance.id,
        )
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def application_build(call: Call, request: ApplicationBuild) -> Task:
    """Queue the building of an application's environment; its kernel then stands in the launcher.

    Raises:
        NotFound: there is no such application.
    """
    assert call.instance is not None
    require_writable(call.instance)
    _existing(call, request.name)
    order = ApplicationBuildOrder(
        request.name, request.offline, request.any_python, request.confirmed, request.settings
    )
    with call.write() as connection:
        task_id = queue_build(connection, call.instance, order, by=call.who)
        call.detail["task"] = task_id
    return answer(call, task_id, request.wait)


def application_rename(call: Call, request: ApplicationRename) -> Application:
    """Rename an application of a current state.

    Raises:
        NotFound: there is no such application.
        AlreadyExists: the new name is taken.
    """
    assert call.instance is not None
    require_writable(call.instance)
    found = _existing(call, request.name)
    found.rename(request.name, request.new)
    renamed: Application = found.show(request.new)
    return renamed


def application_delete(call: Call, request: OfApplication) -> Application:
    """Delete an application of a current state and its kernel; snapshots keep theirs.

    Raises:
        NotFound: there is no such application.
    """
    assert call.instance is not None
    require_writable(call.instance)
    found = _existing(call, request.name)
    deleted: Application = found.look(request.name)
    found.delete(request.name)
    return deleted


@contextmanager
def _lent(call: Call, row: Row[Any], snapshot: Row[Any] | None, name: str) -> Iterator[Path | None]:
    """The folder of an application's definition in a state, to be read; ``None`` if it has none."""
    from nuvo_jupyter.workspace.applications.applications import Applications
    from nuvo_jupyter.workspace.applications.lent import lent

    if snapshot is None:
        found = Applications(call.engine.context.home, Path(row.workspace), row.space, row.name)
        yield found.folder(name) if name in found.names() else None
        return
    store = call.engine.store
    node = tree.find(store, snapshot.root, paths_of(ObjectKind.APPLICATION, name)[0])
    if node is None or node.kind is not NodeKind.FOLDER:
        yield None
        return
    with lent(name, tree.flatten(store, node.content[0]), store.read_file) as folder:
        yield folder


def _existing(call: Call, name: str) -> Any:
    assert call.instance is not None
    found = _applications(call)
    if name not in found.names():
        raise NotFound(
            f"{call.instance.space}/{call.instance.name} has no application {name!r}.",
            hint="`nuvo app list` lists them.",
        )
    return found


def _applications(call: Call) -> Any:
    from nuvo_jupyter.workspace.applications.applications import Applications

    assert call.instance is not None
    row = call.instance
    return Applications(call.engine.context.home, Path(row.workspace), row.space, row.name)
