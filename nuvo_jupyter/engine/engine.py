"""The engine: opens catalog and store, and runs operations for callers."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.engine import identity
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_instance, find_space, instance_of, parse_state
from nuvo_jupyter.engine.lost_catalog import check_not_lost
from nuvo_jupyter.engine.operations import BY_NAME, Operation
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput, NotFound, NuvoError, Refused
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import Task
from nuvo_jupyter.store.store import Store

_RECOVERING = ("space_recover", "instance_recover", "snapshot_recover")


class Engine:
    """The only door to everything Nuvo does; safe to call from several threads.

    Args:
        settings: the configuration.
        catalog: opened.
        store: opened.
    """

    def __init__(self, settings: Nuvo, catalog: Catalog, store: Store) -> None:
        self.settings = settings
        self.catalog = catalog
        self.store = store
        self.home = Path(settings.home)
        self.owner, self.organization_id = identity.owner(catalog, settings.organization)
        self.user = self.owner
        if settings.acting_user and settings.acting_user != self.owner:
            self.user = identity.check_acting(catalog, settings.acting_user)
        self.finished = threading.Condition()
        self.context = Context(
            catalog=catalog,
            store=store,
            home=self.home,
            mail=settings.mail(),
            lease_seconds=settings.lease_seconds,
            collect_grace=settings.collect_grace * 3600.0,
            collect_every=settings.collect_every * 3600.0,
            snapshot_every=settings.snapshot_every,
            announce=self._announced,
            ended=self._ended,
        )
        self._listeners: list[Any] = []
        self._end_listeners: list[Any] = []

    @classmethod
    def open(cls, settings: Nuvo, *, rebuild: bool = False) -> Engine:
        """Open the home that ``settings`` name, made with mode 0700 if missing.

        Args:
            rebuild: whether a new catalog may be made for a store that holds content.

        Raises:
            CatalogDamaged, CatalogLost, StoreDamaged, StorageFull, InvalidInput
        """
        home = Path(settings.home)
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if home.stat().st_uid == os.getuid() and home.stat().st_mode & 0o077:
                home.chmod(0o700)
        except OSError as error:
            raise InvalidInput(
                f"The home folder {home} cannot be used: {error.strerror}.",
                hint="Set c.Nuvo.home or NUVO_HOME to a folder you can write.",
            ) from error
        if not rebuild:
            check_not_lost(settings)
        catalog = Catalog(settings.catalog_url)
        return cls(settings, catalog, Store.open(settings.store_url, catalog))

    def call(self, name: str, request: msgspec.Struct, username: str | None = None) -> Any:
        """Run an operation: authorise, act, audit.

        Args:
            name: of an operation in :data:`operations.OPERATIONS`.
            request: its request struct.
            username: whom to act as; the operating system's user by default.

        Raises:
            NuvoError: any, as the operation's function documents.
        """
        operation = BY_NAME[name]
        who = self.user if username is None else username
        if who not in (self.owner, self.user):
            identity.check_acting(self.catalog, who)
        call = Call(self, operation, request, who, self.organization_id)
        try:
            self._authorise(call)
            module = importlib.import_module(f"nuvo_jupyter.engine.{operation.module}")
            answer = getattr(module, name)(call, request)
        except NuvoError as error:
            self._record_failure(call, error)
            raise
        except UnicodeEncodeError as error:
            problem = InvalidInput(
                "The request holds text that is no valid Unicode.", hint="Write it in UTF-8."
            )
            self._record_failure(call, problem)
            raise problem from error
        if operation.changes and not call.audited:
            with self.catalog.write() as connection:
                call.record(connection, "ok")
        return answer

    def listen(self, listener: Any) -> None:
        """Call ``listener(task_id)`` whenever a task changed in this process (from any thread)."""
        self._listeners.append(listener)

    def listen_for_ends(self, listener: Any) -> None:
        """Call ``listener(task_id)`` whenever a task came to its end in this process (from any thread)."""
        self._end_listeners.append(listener)

    def tasks(self, ids: Collection[int]) -> tuple[Task, ...]:
        """How tasks stand, for this process's own events: nobody's roles are asked."""
        from nuvo_jupyter.catalog import queue
        from nuvo_jupyter.engine.tasks import present_tasks

        with self.catalog.read() as connection:
            return present_tasks(connection, queue.get_many(connection, ids))

    def close(self) -> None:
        """Close catalog and store."""
        self.store.close()
        self.catalog.close()

    def _authorise(self, call: Call) -> None:
        operation, deleted = call.operation, call.operation.name in _RECOVERING
        with self.catalog.read() as connection:
            access = call.access(connection)
            text = getattr(call.request, operation.subject) if operation.subject else None
            if text is None:
                if operation.subject == "" and operation.need is not Need.ANYONE:
                    access.require_organization(operation.need)
                return
            if operation.subject == "space":
                call.space = find_space(connection, access, text, deleted=deleted)
                access.require_in_space(call.space, operation.need)
                return
            if operation.subject == "instance":
                row = instance_of(connection, access, text, deleted=deleted)
            else:
                row = find_instance(connection, access, parse_state(text))
            call.concerns(row, text)
            access.require_instance(row, operation.need, operation.help.rstrip(".").lower())

    def _record_failure(self, call: Call, error: NuvoError) -> None:
        if not call.operation.changes or call.audited:
            return
        outcome = "refused" if isinstance(error, Refused) else "failed"
        # The first error is what the caller must see, whatever happens to its record.
        try:
            with self.catalog.write() as connection:
                call.record(connection, outcome, code=error.code, message=error.message)
        except NuvoError:
            return

    def _announced(self, task_id: int) -> None:
        for listener in self._listeners:
            listener(task_id)

    def _ended(self, task_id: int) -> None:
        with self.finished:
            self.finished.notify_all()
        for listener in self._end_listeners:
            listener(task_id)


def operation_named(name: str) -> Operation:
    """The declaration of an operation.

    Raises:
        NotFound: there is none with that name.
    """
    if name not in BY_NAME:
        raise NotFound(f"There is no operation {name!r}.")
    return BY_NAME[name]
