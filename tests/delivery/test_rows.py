"""Tables merged by key in deliveries: asked for only, previewed, backed up, the same when done twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery import rows
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.delivery.results import read_outcomes
from nuvo_jupyter.model.changes import ObjectOutcome, Strategies, Strategy
from nuvo_jupyter.model.tasks import DistributionKind
from nuvo_jupyter.store.tree import flatten
from nuvo_jupyter.workspace.tables.connection import Connection
from tests.delivery.course import Course
from tests.delivery.test_deliver import Make

TABLE = "tables/marks.parquet"


@pytest.fixture
def course(make_course: Make) -> Course:
    return make_course("anna")


@pytest.fixture
def master(course: Course) -> Iterator[Connection]:
    with Connection(course.folder("master") / "tables") as con:
        con.execute("CREATE TABLE marks (name VARCHAR PRIMARY KEY, mark INTEGER)")
        con.execute("INSERT INTO marks VALUES ('ada', 1), ('bob', 2), ('cid', 3)")
        yield con


@pytest.fixture
def anna(course: Course, master: Connection) -> Iterator[Connection]:
    """Anna's tables, after she got Master's."""
    course.distribute(["anna"])
    with Connection(course.folder("anna") / "tables") as con:
        yield con


def order(**more: Any) -> DistributionOrder:
    chosen = Strategies(Strategy.MERGE, Strategy.MERGE, Strategy.MERGE, **{"append_rows": True, **more})
    return DistributionOrder(DistributionKind.DISTRIBUTE, None, chosen)


def deliver(course: Course, **more: Any) -> ObjectOutcome:
    """Distribute to Anna what Master holds, having looked at the preview; what became of the table."""
    (preview,) = course.preview(["anna"], order(**more))
    row = course.distribute(["anna"], order=order(**more))["anna"]
    assert preview.outcomes == tuple(read_outcomes(row.result))
    return next(item for item in read_outcomes(row.result) if item.path == TABLE)


def marks(con: Connection, name: str = "marks") -> list[tuple[Any, ...]]:
    return list(con.execute(f'FROM "{name}"').fetchall())


def test_new_rows_arrive_and_everything_of_ones_own_stays(
    course: Course, master: Connection, anna: Connection
) -> None:
    anna.execute("UPDATE marks SET mark = 20 WHERE name = 'bob'")
    anna.execute("DELETE FROM marks WHERE name = 'cid'; INSERT INTO marks VALUES ('me', 9)")
    mine = marks(anna)
    master.execute(
        "UPDATE marks SET mark = 6 WHERE name = 'bob'; INSERT INTO marks VALUES ('dan', 4), ('eve', 5)"
    )
    outcome = deliver(course)
    assert (outcome.outcome, outcome.at) == ("merged", "")
    assert outcome.detail == "3 rows were added. 1 row differs and stays as it is here."
    assert marks(anna)[: len(mine)] == mine
    assert set(marks(anna)[len(mine) :]) == {("cid", 3), ("dan", 4), ("eve", 5)}
    with pytest.raises(Exception, match="key"):
        anna.execute("INSERT INTO marks VALUES ('dan', 1)")
    backup = course.rows(t.snapshot)[-1]
    assert flatten(course.context.store, backup.root)[TABLE].size > 0
    # Again nothing is new: also if what was last distributed was lost.
    again = deliver(course)
    assert (again.outcome, again.detail) == ("kept", "No row is new. 1 row differs and stays as it is here.")
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.instance).values(base_root=None))
    assert deliver(course) == again


def test_a_table_that_was_not_touched_is_replaced(
    course: Course, master: Connection, anna: Connection
) -> None:
    master.execute("DELETE FROM marks WHERE name = 'ada'")
    assert deliver(course).outcome == "replaced"
    assert marks(anna) == [("bob", 2), ("cid", 3)]


def test_what_is_not_asked_for_or_cannot_be_merged_keeps_both(
    course: Course, master: Connection, anna: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.execute("INSERT INTO marks VALUES ('me', 9)")
    master.execute("INSERT INTO marks VALUES ('dan', 4)")
    mine = marks(anna)
    outcome = deliver(course, append_rows=False)
    assert outcome.outcome == "conflict"
    assert outcome.at.startswith("tables/marks (from Intro ")
    assert marks(anna) == mine
    beside = outcome.at.removeprefix("tables/").removesuffix(".parquet")
    assert marks(anna, beside) == marks(master)
    # Asked for afterwards, it is made up for.
    assert deliver(course).outcome == "merged"
    mine = marks(anna)
    assert mine[-2:] == [("me", 9), ("dan", 4)]
    master.execute("ALTER TABLE marks ADD COLUMN note VARCHAR")
    outcome = deliver(course)
    assert outcome.outcome == "conflict"
    assert (
        outcome.detail == "The distributed version has a column 'note', which yours has not. Yours was kept."
    )
    assert marks(anna) == mine
    master.execute("ALTER TABLE marks DROP COLUMN note; INSERT INTO marks VALUES ('eve', 4)")
    with monkeypatch.context() as patch:
        patch.setattr(rows, "ROWS_MAX", 10)
        assert "too large" in deliver(course).detail
    assert marks(anna) == mine


def test_a_key_can_be_named_for_tables_without_one(course: Course, master: Connection) -> None:
    master.execute("CREATE TABLE log AS SELECT 1 AS id, 'a' AS what")
    course.distribute(["anna"])
    with Connection(course.folder("anna") / "tables") as anna:
        anna.execute("INSERT INTO log VALUES (7, 'mine')")
        master.execute("INSERT INTO log VALUES (2, 'b')")
        row = course.distribute(["anna"], order=order())["anna"]
        assert course.outcomes(row)["tables/log.parquet"] == "conflict"
        row = course.distribute(["anna"], order=order(key=("id",)))["anna"]
        assert course.outcomes(row)["tables/log.parquet"] == "merged"
        assert anna.execute("SELECT id FROM log ORDER BY id").fetchall() == [(1,), (2,), (7,)]


def test_a_table_that_changes_meanwhile_keeps_the_change(
    course: Course, master: Connection, anna: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.execute("INSERT INTO marks VALUES ('me', 9)")
    master.execute("INSERT INTO marks VALUES ('dan', 4)")
    merging = rows.merging_rows

    def meanwhile(*args: Any) -> Any:
        anna.execute("INSERT INTO marks VALUES ('late', 1)")
        return merging(*args)

    monkeypatch.setattr("nuvo_jupyter.delivery.planning.merging_rows", meanwhile)
    row = course.distribute(["anna"], order=order())["anna"]
    assert course.outcomes(row)[TABLE] == "conflict"
    assert ("late", 1) in marks(anna)
    assert ("me", 9) in marks(anna)
