"""Where logs of databases go."""

from __future__ import annotations

import itertools

import pytest

from nuvo_jupyter.merge.logs import with_logs
from nuvo_jupyter.merge.plan import plan
from nuvo_jupyter.merge.resolve import resolve_all
from nuvo_jupyter.merge.simulate import simulate
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind

DATABASE, LOG = "d/x.duckdb", "d/x.duckdb.wal"
LABEL = "from Intro 2026-11-20"


def state(text: str) -> dict[str, Node]:
    """Of `OL` a database O and its log L; `-` is a missing one."""
    nodes = {"d": Node(NodeKind.FOLDER, 0o755)}
    for path, letter in zip((DATABASE, LOG), text, strict=True):
        if letter != "-":
            nodes[path] = Node(NodeKind.FILE, 0o644, 9, 0, (letter.encode() * 32,))
    return nodes


def told(nodes: dict[str, Node]) -> dict[str, str]:
    return {path: node.content[0][:1].decode() for path, node in nodes.items() if node.kind is NodeKind.FILE}


@pytest.mark.parametrize("strategy", [one for one in Strategy if one is not Strategy.SKIP])
@pytest.mark.parametrize("objects", [None, [DATABASE]])
@pytest.mark.parametrize(
    ("source", "target", "base"),
    list(itertools.product(("Aa", "A-"), ("--", "Aa", "A-", "Bb", "B-", "Ac"), ("--", "Aa", "B-", "Bb"))),
)
def test_a_log_lies_only_beside_its_own_database(
    strategy: Strategy, objects: list[str] | None, source: str, target: str, base: str
) -> None:
    sent, there, before = state(source), state(target), state(base)
    changes = plan(sent, there, before, strategy=strategy, objects=objects, label=LABEL)
    resolved = resolve_all(changes, lambda node: node.content[0] + b"\0", sent, there, before, LABEL)
    open_, closed = with_logs(changes, resolved, sent, there)
    assert len(open_) == len(closed)
    after = told(simulate(there, closed, lambda _: ()))
    mine = {"a": "A", "c": "A", "b": "B"}
    for path, letter in after.items():
        # A copy put beside has no database of its name where the database itself is the same.
        if path.endswith(".wal") and (path == LOG or path[: -len(".wal")] in after):
            assert after.get(path[: -len(".wal")]) == mine[letter], after
    # Whoever gets the database gets all of it, and whoever keeps theirs keeps all of it.
    if told(there).get(DATABASE) != after.get(DATABASE) == "A" and source == "Aa":
        assert after[LOG] == "a"
    if target == "Bb" and after.get(DATABASE) == "B":
        assert after[LOG] == "b"
