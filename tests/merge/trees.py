"""Small states to plan over, random ones, and a pure stand-in for applying a plan to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from nuvo_jupyter.model.changes import Action, Change
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import parent

Tree = dict[str, Node]
FOLDER = Node(NodeKind.FOLDER, 0o755)


def file(text: str, mode: int = 0o644) -> Node:
    """A file whose blob id is its text, so that tests can read it back."""
    return Node(NodeKind.FILE, mode, len(text), content=(text.encode(),) if text else ())


def link(to: str) -> Node:
    return Node(NodeKind.LINK, 0o777, link=to)


def read(node: Node) -> bytes:
    return b"".join(node.content)


def tree(**nodes: Node | str) -> Tree:
    """A state from names (``__`` for ``/``, ``_`` for ``.``) and nodes or texts, with the folders on the way."""
    return closed(
        {
            k.replace("__", "/").replace("_", "."): file(v) if isinstance(v, str) else v
            for k, v in nodes.items()
        }
    )


def closed(nodes: Mapping[str, Node]) -> Tree:
    """The state with the folders that its paths need."""
    found = dict(nodes)
    for path in nodes:
        folder = parent(path)
        while folder:
            found.setdefault(folder, FOLDER)
            folder = parent(folder)
    return found


def apply_to(target: Mapping[str, Node], changes: Iterable[Change]) -> Tree:
    """Apply changes in order, insisting on what a file system would insist on."""
    state = dict(target)
    for change in changes:
        assert change.at
        assert change.action is not Action.MERGE
        if change.action is Action.KEEP:
            continue
        there = state.get(change.at)
        assert there == change.expected, f"{change.at} is not what the plan saw"
        if change.action is Action.REMOVE:
            assert not any(path.startswith(change.at + "/") for path in state), f"{change.at} is not empty"
            del state[change.at]
            continue
        assert change.node is not None
        folder = parent(change.at)
        assert not folder or state[folder].kind is NodeKind.FOLDER, f"{folder} is no folder"
        if there is not None:
            assert (there.kind is NodeKind.FOLDER) == (change.node.kind is NodeKind.FOLDER)
        node = change.node
        if change.data is not None:
            node = Node(node.kind, node.mode, len(change.data), content=(change.data,))
        state[change.at] = node
    return state


_NAMES = st.sampled_from(["a", "b", "a.txt", "a (from X 1)", "a (from X 1).txt"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_NODES = st.one_of(
    st.just(FOLDER),
    st.just(Node(NodeKind.FOLDER, 0o700)),
    st.builds(
        file,
        st.sampled_from(["", "1\n", "2\n", "1\nx\n2\ny\n3\n", "1\nx\n2\ny\n4\n", "0\nx\n2\ny\n3\n"]),
        st.sampled_from([0o644, 0o755]),
    ),
    st.builds(link, st.sampled_from(["a", "../out"])),
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A random state, closed, in which names and contents often meet those of another."""
    state: Tree = {}
    for path, node in draw(st.dictionaries(_PATHS, _NODES, max_size=7)).items():
        folder, usable = parent(path), True
        while folder:
            usable = usable and state.get(folder, FOLDER).kind is NodeKind.FOLDER
            folder = parent(folder)
        if usable and path not in state:
            state = closed({**state, path: node})
    return state


@st.composite
def edited(draw: st.DrawFn, before: Tree) -> Tree:
    """``before`` after some random work: parts of it gone, parts replaced."""
    other = draw(trees())
    state = {path: node for path, node in before.items() if draw(st.integers(0, 3))}
    state = {p: n for p, n in state.items() if all(f in state for f in _folders(p))}
    for path, node in other.items():
        reachable = all(state.get(folder, FOLDER).kind is NodeKind.FOLDER for folder in _folders(path))
        folder = node.kind is NodeKind.FOLDER
        free = path not in state if folder else not any(p.startswith(path + "/") for p in state)
        if reachable and free:
            state = closed({**state, path: node})
    return state


def _folders(path: str) -> list[str]:
    found = []
    while path := parent(path):
        found.append(path)
    return found
