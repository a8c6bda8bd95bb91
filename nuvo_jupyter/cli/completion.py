"""What the shell offers on Tab: names of instances, snapshots, spaces, and paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nuvo_jupyter.cli.declare import Context
from nuvo_jupyter.cli.session import Session

if TYPE_CHECKING:
    from nuvo_jupyter.model.snapshots import Snapshot


def _offered(find: Callable[[Session, str], list[str]]) -> Callable[[Context, str], list[str]]:
    def offer(_ctx: Context, incomplete: str) -> list[str]:
        run = Session()
        # Completion has nowhere to tell an error: it offers nothing instead.
        try:
            return [text for text in find(run, incomplete) if text.startswith(incomplete)]
        except Exception:
            return []
        finally:
            run.close()

    offer.__name__ = find.__name__
    return offer


def _instances(run: Session, incomplete: str) -> list[str]:
    found = [item.reference for item in run.client.instance_list()]
    if "/" not in incomplete and run.place.known:
        space = run.place.space
        found = [name.removeprefix(f"{space}/") for name in found if name.startswith(f"{space}/")] + found
    return found


def _targets(run: Session, incomplete: str) -> list[str]:
    return ["all", *_instances(run, incomplete)]


def _snapshots(run: Session, incomplete: str) -> list[str]:
    head, at, _ = incomplete.rpartition("@")
    listed: tuple[Snapshot, ...] = run.client.snapshot_list(
        instance=run.place.state(head) if head else run.place.instance, limit=200
    )
    return [f"{head}{at}{name}" for item in listed for name in (item.name, str(item.number)) if name]


def _states(run: Session, incomplete: str) -> list[str]:
    if "@" in incomplete or incomplete.isdigit():
        return _snapshots(run, incomplete)
    return ["latest", *_instances(run, incomplete)]


def _spaces(run: Session, _incomplete: str) -> list[str]:
    return [item.name for item in run.client.space_list()]


def _applications(run: Session, _incomplete: str) -> list[str]:
    return [one.name for one in run.client.application_list(instance=run.place.instance)]


def snapshot_paths(ctx: Context, incomplete: str) -> list[str]:
    """Paths in the snapshot that the command line names before them."""
    run = Session()
    try:
        state = run.place.snapshot(ctx.params.get("snapshot") or "latest")
        folder = incomplete.rpartition("/")[0]
        inside = run.place.path(folder or ".")
        entries = run.client.browse(state=f"{state}:{inside}" if inside else state)
        names = [entry.name + ("/" if entry.kind == "folder" else "") for entry in entries]
        found = [f"{folder}/{name}" if folder else name for name in names]
        return [text for text in found if text.startswith(incomplete)]
    except Exception:
        return []
    finally:
        run.close()


instances = _offered(_instances)
targets = _offered(_targets)
snapshots = _offered(_snapshots)
states = _offered(_states)
spaces = _offered(_spaces)
applications = _offered(_applications)
