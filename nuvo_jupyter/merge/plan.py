"""The merge contract for files, folders and links: what a distribution would change in one target.

A plan is a list of changes that can be applied in order: removals first (children before their folder),
then the source's objects (folders before their children). docs/merge.md explains every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nuvo_jupyter.merge.beside import Besides
from nuvo_jupyter.merge.scope import Scope
from nuvo_jupyter.model.changes import Action, Change, Outcome, Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.paths import parent

_FILE, _FOLDER = NodeKind.FILE, NodeKind.FOLDER
_NEW_FOLDER = Node(_FOLDER, 0o755)
_WORD = {NodeKind.FILE: "a file", NodeKind.FOLDER: "a folder", NodeKind.LINK: "a link"}


def plan(
    source: Mapping[str, Node],
    target: Mapping[str, Node],
    base: Mapping[str, Node],
    *,
    strategy: Strategy,
    objects: Sequence[str] | None,
    label: str,
    again: bool = False,
) -> list[Change]:
    """What distributing ``source`` to ``target`` changes, object by object.

    Args:
        source: the distributed snapshot, path text → node, folders included, without ``""``.
        target: the target's current content, in the same form.
        base: what was last distributed to this target at each path, in the same form.
        strategy: how objects are merged (DESIGN §8).
        objects: staged paths, files or folders; ``None`` for the whole state.
        label: ``from SPACE DATE``, for the names of copies put beside.
        again: merge also what has not changed since it was last distributed.

    Returns:
        Changes in an order in which they can be applied. Every file and link in scope has one; folders only
        when something happens to them. With ``merge``, changes whose action is ``MERGE`` are to be resolved
        (:func:`nuvo_jupyter.merge.resolve.resolve_all`) before anything is applied.
    """
    if strategy is Strategy.SKIP:
        return []
    return _Plan(source, target, base, strategy, Scope(source, objects), label, again).changes()


class _Plan:
    def __init__(
        self,
        source: Mapping[str, Node],
        target: Mapping[str, Node],
        base: Mapping[str, Node],
        strategy: Strategy,
        scope: Scope,
        label: str,
        again: bool,
    ) -> None:
        self.source = source
        self.target = target
        self.base = base
        self.strategy = strategy
        self.scope = scope
        self.again = again
        self.besides = Besides(source, target, base, label)
        self.removals: dict[str, Change] = {}
        self.puts: list[Change] = []
        self.made: set[str] = set()
        self.done: set[str] = set()
        self.clash_outcome = Outcome.RENAMED if strategy is Strategy.RENAME else Outcome.CONFLICT
        self._children: dict[str, int] | None = None

    def changes(self) -> list[Change]:
        for path in self.scope.missing:
            self._keep(
                path, None, Outcome.FAILED, "It was asked for, but what is delivered does not have it."
            )
        if self.strategy is Strategy.REPLACE:
            self._remove_all(p for p in self.target if p not in self.source and self.scope.holds(p))
        elif self.strategy is Strategy.MERGE:
            self._drop()
        exact = self.strategy is Strategy.REPLACE
        source, target, parents, done, puts = (
            self.source,
            self.target,
            self.scope.parents,
            self.done,
            self.puts,
        )
        for path in self.scope.paths:
            if path in done:
                continue
            wanted = source[path]
            there = target.get(path)
            if there is None:
                if path not in parents:
                    self._absent(path, wanted)
            elif there is wanted or same(there, wanted, exact=exact):
                if wanted.kind is not _FOLDER:
                    puts.append(Change(path, Outcome.KEPT, Action.KEEP, path, None, None, there))
            elif wanted.kind is not _FOLDER:
                self._differs(path, wanted, there)
            elif there.kind is not _FOLDER:
                self._no_folder(path, wanted, there)
            elif path not in parents:
                self._put(path, Outcome.REPLACED, wanted, path, there, "Its permissions changed.")
        removals = [self.removals[path] for path in sorted(self.removals, reverse=True)]
        return removals + puts

    # What is only in the target

    def _remove_all(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._remove(path, "It is not in what is delivered.")

    def _drop(self) -> None:
        """Remove what was distributed before, is no longer, and was not touched since."""
        dropped = [p for p in self.base if p not in self.source and p in self.target and self.scope.holds(p)]
        for path in sorted(dropped, reverse=True):
            before, there = self.base[path], self.target[path]
            if not same(before, there):
                self._keep(path, there, detail="It is no longer distributed, but was changed here.")
            elif there.kind is not _FOLDER or self._left(path) == 0:
                self._remove(path, "It is no longer distributed and was not changed here.")

    def _left(self, folder: str) -> int:
        """How many children a folder of the target will have after the removals planned so far."""
        if self._children is None:
            self._children = {}
            for path in self.target:
                if path not in self.removals:
                    self._children[parent(path)] = self._children.get(parent(path), 0) + 1
        return self._children.get(folder, 0)

    # What the source has and the target has not

    def _absent(self, path: str, wanted: Node) -> None:
        before = self.base.get(path) if self.strategy is Strategy.MERGE else None
        if before is None:
            self._put(path, Outcome.CREATED, wanted, path, None)
        elif wanted.kind is _FOLDER:
            # A folder that was deleted here comes back only for something new inside it.
            if before.kind is not _FOLDER:
                self._put(path, Outcome.CREATED, wanted, path, None)
        else:
            self._stays_deleted(path, wanted, before)

    def _stays_deleted(self, path: str, wanted: Node, before: Node) -> None:
        if same(wanted, before):
            detail = "It was deleted here and has not changed since it was last distributed."
        else:
            detail = (
                "It was deleted here and has changed since it was last distributed; "
                "distribute it with 'overwrite' to bring it back."
            )
        self._keep(path, None, detail=detail)

    # What both have, differing; the source's is a file or link

    def _differs(self, path: str, wanted: Node, there: Node) -> None:
        match self.strategy:
            case Strategy.EXTRA:
                self._keep(path, there, detail="It differs here and was kept.")
            case Strategy.OVERWRITE if there.kind is _FOLDER:
                self._put_beside(path, wanted, there)
            case Strategy.OVERWRITE:
                self._put(path, Outcome.REPLACED, wanted, path, there)
            case Strategy.REPLACE:
                self._replace(path, wanted, there)
            case Strategy.RENAME if _same_content(wanted, there):
                self._keep(path, there, detail="It differs only in being executable or not, and was kept.")
            case Strategy.RENAME:
                self._put_beside(path, wanted, there)
            case _:
                self._three_way(path, wanted, there)

    def _three_way(self, path: str, wanted: Node, there: Node) -> None:
        before = self.base.get(path)
        if same(there, before) and (there.kind is not _FOLDER or self._left(path) == 0):
            self._replace(path, wanted, there)
        elif same(wanted, before) and not self.again:
            self._keep(path, there, detail="It was changed here, and not since it was last distributed.")
        elif there.kind is _FILE and wanted.kind is _FILE:
            self.puts.append(
                Change(
                    path,
                    Outcome.MERGED,
                    Action.MERGE,
                    at=path,
                    expected=there,
                    base=before,
                    source=wanted,
                )
            )
        else:
            self._put_beside(path, wanted, there)

    def _replace(self, path: str, wanted: Node, there: Node) -> None:
        """Put ``wanted`` in the place of ``there``; a folder is emptied before, and goes before."""
        detail = f"It was {_WORD[there.kind]}." if there.kind is not wanted.kind else ""
        if _FOLDER in (there.kind, wanted.kind):
            self._remove(path, f"It made room for {_WORD[wanted.kind]}.")
            self._put(path, Outcome.REPLACED, wanted, path, None, detail)
        else:
            self._put(path, Outcome.REPLACED, wanted, path, there, detail)

    def _put_beside(self, path: str, wanted: Node, there: Node) -> None:
        at, exists = self.besides.place_of(path, wanted)
        if exists:
            self._keep(path, self.target[at], detail="The distributed version lies beside it already.", at=at)
        else:
            detail = (
                f"Yours was kept: it is {_WORD[there.kind]}."
                if there.kind is not wanted.kind
                else "Yours was kept."
            )
            self._put(path, self.clash_outcome, wanted, at, None, detail)

    # The source has a folder where the target has a file or link: nothing may be written through it

    def _no_folder(self, path: str, wanted: Node, there: Node) -> None:
        inside = self.scope.below(path)
        staged = path not in self.scope.parents
        if staged and self.strategy is Strategy.REPLACE:
            self._replace(path, wanted, there)
            return
        before = self.base.get(path)
        if self.strategy is Strategy.MERGE and staged and same(there, before):
            self._replace(path, wanted, there)
            return
        self.done.update(inside)
        if self.strategy is Strategy.EXTRA:
            self._keep(
                path, there, Outcome.CONFLICT, f"It is {_WORD[there.kind]} here, not a folder, and was kept."
            )
            for below in inside:
                if self.source[below].kind is not _FOLDER:
                    detail = f"It was not created: {path!r} is {_WORD[there.kind]} here."
                    self._keep(below, None, Outcome.CONFLICT, detail)
        elif self.strategy is Strategy.MERGE and before is not None and before.kind is _FOLDER:
            # The folder was turned into something else here: what was in it counts as deleted here.
            for below in inside:
                known = self.base.get(below)
                if known is not None and self.source[below].kind is not _FOLDER:
                    self._stays_deleted(below, self.source[below], known)
            new = [below for below in inside if below not in self.base]
            if new:
                self._put_folder_beside(path, wanted, there, new)
        else:
            self._put_folder_beside(path, wanted, there, inside)

    def _put_folder_beside(self, path: str, wanted: Node, there: Node, inside: Sequence[str]) -> None:
        members = set(inside)
        for below in inside:
            folder = parent(below)
            while folder != path and folder not in members:
                members.add(folder)
                folder = parent(folder)
        ordered = sorted(members)

        def found(place: str) -> Iterator[tuple[Node | None, Node]]:
            return ((self.target.get(place + below[len(path) :]), self.source[below]) for below in ordered)

        def complete(place: str) -> bool:
            return all(same(there, wanted) for there, wanted in found(place))

        def fits(place: str) -> bool:
            return all(there is None or same(there, wanted) for there, wanted in found(place))

        # One that lacks something may be another's: what was put beside before has everything.
        place, exists = self.besides.place(path, complete, fits, folder=True)
        detail = f"Yours was kept: {path!r} is {_WORD[there.kind]} here."
        if exists:
            lies = "The distributed folder lies beside it already."
            self._keep(path, self.target[place], detail=lies, at=place)
        else:
            self._put(path, self.clash_outcome, wanted, place, None, detail)
        for below in ordered:
            at = place + below[len(path) :]
            lying = self.target.get(at)
            if lying is None:
                self._put(below, self.clash_outcome, self.source[below], at, None, detail)
            elif lying.kind is not _FOLDER:
                self._keep(below, lying, detail="The distributed version lies there already.", at=at)

    # Writing it down

    def _keep(
        self, path: str, there: Node | None, outcome: Outcome = Outcome.KEPT, detail: str = "", at: str = ""
    ) -> None:
        self.puts.append(Change(path, outcome, Action.KEEP, at or path, expected=there, detail=detail))

    def _remove(self, path: str, detail: str) -> None:
        if self._children is not None:
            self._children[parent(path)] -= 1
        self.removals[path] = Change(
            path, Outcome.DELETED, Action.REMOVE, path, expected=self.target[path], detail=detail
        )

    def _put(
        self, path: str, outcome: Outcome, node: Node, at: str, expected: Node | None, detail: str = ""
    ) -> None:
        missing = []
        folder = at.rpartition("/")[0]
        while folder and folder not in self.made:
            there = self.target.get(folder)
            if there is not None and there.kind is _FOLDER:
                break
            missing.append(folder)
            folder = parent(folder)
        for folder in reversed(missing):
            self.made.add(folder)
            wanted = self.source.get(folder, _NEW_FOLDER)
            self.puts.append(Change(folder, Outcome.CREATED, Action.PUT, folder, wanted))
        if node.kind is _FOLDER:
            self.made.add(at)
        self.puts.append(Change(path, outcome, Action.PUT, at, node, None, expected, detail=detail))


def _same_content(a: Node, b: Node) -> bool:
    return a.kind is b.kind is _FILE and a.content == b.content and a.size == b.size
