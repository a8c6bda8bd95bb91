"""A course built straight in the catalog, with real folders, for tests of what runs in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import families, people, previews, queue, spaces
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog, now
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.orders import DeliveryOrder, DistributionOrder, PreviewOrder, SnapshotOrder
from nuvo_jupyter.delivery.results import read_outcomes, read_target
from nuvo_jupyter.delivery.worker import run_until_finished
from nuvo_jupyter.model.changes import Strategies, Strategy
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject, TargetPreview, TaskKind, TaskState
from nuvo_jupyter.store.store import Store

Files = Mapping[str, str | None]
"""Path → text; ``None`` for an empty folder."""


def write(folder: Path, files: Files) -> None:
    """Write files into a folder."""
    for path, text in files.items():
        where = folder / path
        if text is None:
            where.mkdir(parents=True, exist_ok=True)
        else:
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text)


def read(folder: Path) -> dict[str, str]:
    """Every file and link in a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_text() if not path.is_symlink() else f"-> {path.readlink()}"
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


class Course:
    """One space with Master, Distributed and some students, in one home."""

    def __init__(self, tmp: Path, students: Sequence[str] = (), url: str = "", **settings: Any) -> None:
        self.tmp = tmp
        home = tmp / "home"
        catalog = Catalog(url or f"sqlite:///{home / 'catalog.sqlite'}")
        self.context = Context(
            catalog=catalog, store=Store.open(str(home / "store"), catalog), home=home, **settings
        )
        with catalog.write() as connection:
            organization = spaces.ensure_organization(connection, "test")
            self.space = spaces.add_space(
                connection, organization_id=organization, name="Intro", kind="course", created_by="prof"
            )
        self.ids: dict[str, int] = {}
        for name, kind in (
            ("master", "master"),
            ("distributed", "distributed"),
            *((s, "personal") for s in students),
        ):
            self.add(name, kind)

    def add(self, name: str, kind: str = "personal", *, make: bool = True) -> Path:
        """Add an instance and its folder."""
        folder = self.folder(name)
        if make:
            folder.mkdir(parents=True)
        with self.context.catalog.write() as connection:
            self.ids[name] = spaces.add_instance(
                connection,
                space_id=self.space,
                name=name,
                kind=kind,
                workspace=str(folder),
                created_by="prof",
            )
            if kind == "personal":
                person = people.ensure_person(connection, name, email=f"{name}@example.org")
                people.grant(connection, person, "instance", self.ids[name], "editor", "prof")
        return folder

    def folder(self, name: str) -> Path:
        """An instance's folder."""
        return self.tmp / "work" / name

    def snapshot(self, instance: str, **order: Any) -> int:
        """Take a snapshot and return its id."""
        with self.context.catalog.write() as connection:
            task = queue.insert_task(
                connection,
                kind=TaskKind.SNAPSHOT,
                title="Snapshot",
                order=SnapshotOrder(**order),
                created_by="prof",
                instance_id=self.ids[instance],
                space_id=self.space,
            )
        row = self.run(task)
        assert row.state == "done", self.problem(row)
        with self.context.catalog.read() as connection:
            query = sa.select(t.snapshot.c.id).where(t.snapshot.c.instance_id == self.ids[instance])
            return int(connection.scalars(query.order_by(t.snapshot.c.number.desc())).first() or 0)

    def order(
        self,
        objects: Sequence[str] | None,
        strategy: Strategy | str,
        kind: DistributionKind,
        through: bool = False,
        **more: Any,
    ) -> DistributionOrder:
        """What a distribution is asked to do."""
        return DistributionOrder(
            kind=kind,
            objects=None if objects is None else tuple(StagedObject(path) for path in objects),
            strategies=Strategies.every(Strategy(strategy)),
            through=self.ids["distributed"] if through else None,
            **more,
        )

    def queue(
        self,
        targets: Sequence[str],
        objects: Sequence[str] | None = None,
        strategy: Strategy | str = Strategy.OVERWRITE,
        *,
        kind: DistributionKind = DistributionKind.DISTRIBUTE,
        source: str = "master",
        snapshot: int | None = None,
        through: bool = False,
        notify: bool = False,
        message: str = "",
        order: DistributionOrder | None = None,
        **more: Any,
    ) -> int:
        """Queue a distribution and return its task's id."""
        order = order or self.order(objects, strategy, kind, through, **more)
        with self.context.catalog.write() as connection:
            distribution = connection.execute(
                sa.insert(t.distribution).values(
                    space_id=self.space,
                    kind=kind.value,
                    source_instance_id=self.ids[source],
                    source_snapshot_id=snapshot,
                    request=msgspec.msgpack.encode(order),
                    message=message,
                    notify=notify,
                    created_at=now(connection),
                    created_by="prof",
                )
            ).inserted_primary_key[0]  # type: ignore[index]
            row: dict[str, Any] = {
                "created_by": "prof",
                "distribution_id": distribution,
                "space_id": self.space,
            }
            parent = queue.insert_task(
                connection,
                kind=TaskKind.DISTRIBUTION,
                title=f"Distribute to {len(targets)}",
                order=order,
                **row,
            )
            for name in (["distributed"] if through else []) + list(targets):
                queue.insert_task(
                    connection,
                    kind=TaskKind.DELIVERY,
                    title=f"Deliver to {name}",
                    order=DeliveryOrder(first=through and name == "distributed"),
                    state=TaskState.WAITING,
                    parent_id=parent,
                    instance_id=self.ids[name],
                    **row,
                )
        return parent

    def run(self, task: int) -> Row[Any]:
        """Work until a task is finished."""
        return run_until_finished(self.context, task)

    def distribute(self, targets: Sequence[str], *args: Any, **more: Any) -> dict[str, Row[Any]]:
        """Distribute and return the deliveries by instance, the distribution itself as ``""``."""
        return self.deliveries(self.run(self.queue(targets, *args, **more)).id)

    def deliveries(self, parent: int) -> dict[str, Row[Any]]:
        """A distribution's rows by instance, its own as ``""``."""
        names = {instance_id: name for name, instance_id in self.ids.items()}
        with self.context.catalog.read() as connection:
            rows = {names[row.instance_id]: row for row in families.children(connection, parent)}
            return rows | {"": queue.get(connection, parent)}

    def preview(
        self, targets: Sequence[str], order: DistributionOrder, snapshot: int | None = None
    ) -> list[TargetPreview]:
        """Preview a distribution from Master."""
        request = PreviewOrder(
            distribution=order,
            source_instance=self.ids["master"],
            source_snapshot=snapshot,
            targets=tuple(self.ids[name] for name in targets),
        )
        with self.context.catalog.write() as connection:
            task = queue.insert_task(
                connection,
                kind=TaskKind.PREVIEW,
                title="Preview",
                order=request,
                created_by="prof",
                space_id=self.space,
            )
        row = self.run(task)
        assert row.state == "done", self.problem(row)
        with self.context.catalog.read() as connection:
            return [read_target(found.result) for found in previews.list_found(connection, row.id)]

    @staticmethod
    def outcomes(row: Row[Any]) -> dict[str, str]:
        """A delivery's outcomes by path."""
        return {item.path: item.outcome.value for item in read_outcomes(row.result)}

    @staticmethod
    def problem(row: Row[Any]) -> dict[str, Any]:
        """Why a task failed."""
        return {} if row.error is None else msgspec.msgpack.decode(row.error)

    def rows(self, table: sa.Table) -> list[Row[Any]]:
        """A table's rows in the order of their ids."""
        with self.context.catalog.read() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c.id)))

    def close(self) -> None:
        """Close catalog and store."""
        self.context.store.close()
        self.context.catalog.close()
