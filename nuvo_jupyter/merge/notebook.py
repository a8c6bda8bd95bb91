"""Three-way merge of notebooks, cell by cell: no cell of either side is lost.

The order of cells is the target's (the source's where only the source moved cells); new cells of the source
follow the cell they follow there. Where both sides edited a cell, the target's stays in place and the
source's version is put directly below it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nuvo_jupyter.merge.cell_order import arrange
from nuvo_jupyter.merge.cells import Cell, content, identifier, pair
from nuvo_jupyter.merge.notebook_form import give_ids, is_valid, read_notebook, write_notebook

NEW_VERSION_KEY = "nuvo"
"""Key in the metadata of a cell that holds the other side's version of the cell above it."""
_MISSING: Any = object()


class MergedNotebook(msgspec.Struct, frozen=True):
    """A merged notebook.

    Args:
        data: its content; ``None`` if nothing of the target had to change.
        detail: what a reader should know, in a sentence; ``""`` for nothing.
    """

    data: bytes | None
    detail: str = ""


def merge_notebook(base: bytes, target: bytes, source: bytes, *, label: str) -> MergedNotebook | None:
    """Merge what changed from notebook ``base`` to ``source`` into ``target``.

    Args:
        base: content last distributed.
        target: content in the target.
        source: content distributed now.
        label: ``from SPACE DATE``, noted in cells put below another version.

    Returns:
        The merged notebook, or ``None`` if one of the three is no valid notebook of format 4, or is larger
        than 50 MB. The result validates against nbformat and its cell ids are unique.
    """
    read = [read_notebook(content) for content in (base, target, source)]
    if any(notebook is None for notebook in read):
        return None
    before, there, wanted = (notebook for notebook in read if notebook is not None)
    merge = _Merge(before["cells"], there["cells"], wanted["cells"], label)
    merged = dict(there)
    merged["cells"] = merge.cells()
    merged["metadata"] = _merge_keys(before["metadata"], there["metadata"], wanted["metadata"])
    for key in ("kernelspec", "language_info"):
        if key not in merged["metadata"] and key in wanted["metadata"]:
            merged["metadata"][key] = wanted["metadata"][key]
    merged["nbformat_minor"] = max(there["nbformat_minor"], wanted["nbformat_minor"])
    give_ids(merged)
    if merged == there:
        return MergedNotebook(None, merge.detail)
    if not is_valid(merged):
        return None
    return MergedNotebook(write_notebook(merged, target), merge.detail)


class _Merge:
    def __init__(self, base: list[Cell], target: list[Cell], source: list[Cell], label: str) -> None:
        self.base, self.target, self.source, self.label = base, target, source, label
        self.notes: list[str] = []
        self.in_target, self.in_source = pair(base, target), pair(base, source)
        edited = {t for b, t in self.in_target.items() if content(target[t]) != content(base[b])}
        own = edited | (set(range(len(target))) - set(self.in_target.values()))
        # Cells the target has of its own stay whatever happens to others: what is among them is not lost.
        self.own = {content(target[t]) for t in own}
        self._pair_inserted()

    def _pair_inserted(self) -> None:
        """Find new cells that both sides have, as after a delivery that was done but not recorded."""
        known_here, known_there = set(self.in_target.values()), set(self.in_source.values())
        here = [i for i in range(len(self.target)) if i not in known_here]
        there = [i for i in range(len(self.source)) if i not in known_there]
        self.twins: dict[int, int] = {}
        for keyed in (True, False):
            waiting: dict[object, list[int]] = {}
            for i in here:
                if i not in self.twins.values():
                    waiting.setdefault(_key(self.target[i], keyed), []).append(i)
            for j in there:
                if j not in self.twins and waiting.get(_key(self.source[j], keyed)):
                    self.twins[j] = waiting[_key(self.source[j], keyed)].pop(0)

    @property
    def detail(self) -> str:
        return " ".join(self.notes)

    def cells(self) -> list[Cell]:
        """The merged cells; ids may still clash."""
        from_base_here = {t: b for b, t in self.in_target.items()}
        from_base_there = {s: b for b, s in self.in_source.items()}
        kept: dict[int, list[Cell]] = {}
        counterpart: dict[int, int] = dict(self.twins)
        for t, cell in enumerate(self.target):
            b = from_base_here.get(t)
            s = self.in_source.get(b) if b is not None else None
            if b is None:
                kept[t] = [cell]
            elif s is None:
                kept[t] = [cell] if content(cell) != content(self.base[b]) else []
                if kept[t]:
                    self.notes.append(f"Kept your version of cell {t + 1}, which is no longer distributed.")
            else:
                counterpart[s] = t
                kept[t] = self._both(t, self.base[b], cell, self.source[s])
        added: dict[int, Cell] = {}
        for s, cell in enumerate(self.source):
            if s in counterpart:
                continue
            b = from_base_there.get(s)
            if b is None:
                added[s] = self._new(cell)
            elif content(cell) != content(self.base[b]) and content(cell) not in self.own:
                added[s] = self._new(cell)
                self.notes.append("A cell that you deleted has changed and was added again.")
        return arrange(kept, added, counterpart, self.in_target, self.in_source)

    def _both(self, number: int, before: Cell, there: Cell, wanted: Cell) -> list[Cell]:
        """One cell that base, target and source have."""
        ours, theirs = content(there) != content(before), content(wanted) != content(before)
        merged = dict(wanted if theirs and not ours else there)
        if "id" in there:
            merged["id"] = there["id"]
        merged["metadata"] = _merge_keys(before["metadata"], there["metadata"], wanted["metadata"])
        if not ours and not theirs and there["cell_type"] == "code" and _results(there) == _results(before):
            merged["outputs"], merged["execution_count"] = wanted["outputs"], wanted.get("execution_count")
        if not (ours and theirs) or content(there) == content(wanted):
            return [merged]
        copy = self._new_version(there, wanted)
        if self._has_id(copy["id"]) or content(wanted) in self.own or content(copy) in self.own:
            return [merged]
        self.notes.append(f"Kept your version of cell {number + 1}; the new version is below it.")
        return [merged, copy]

    def _new_version(self, there: Cell, wanted: Cell) -> Cell:
        """The source's version of a cell, to lie below the target's.

        Code becomes a raw cell: were it run, it would replace what the target's version above it defines.
        nbgrader's mark goes, because nbgrader refuses notebooks that hold one twice.
        """
        copy = dict(wanted)
        note = {"from": self.label, "cell_type": wanted["cell_type"], "new_version_of": there.get("id", "")}
        copy["metadata"] = {k: v for k, v in wanted["metadata"].items() if k != "nbgrader"} | {
            NEW_VERSION_KEY: note
        }
        copy["id"] = identifier("version", there.get("id"), content(wanted))
        if wanted["cell_type"] == "code":
            copy["cell_type"] = "raw"
            copy.pop("outputs", None)
            copy.pop("execution_count", None)
        return copy

    def _has_id(self, cell_id: str) -> bool:
        return any(cell.get("id") == cell_id for cell in self.target)

    def _new(self, cell: Cell) -> Cell:
        """A cell of the source as it is added: its id must not be one of the target's."""
        if cell.get("id") and self._has_id(cell["id"]):
            return dict(cell) | {"id": identifier("added", cell["id"], content(cell))}
        return cell


def _key(cell: Cell, keyed: bool) -> object:
    return (cell.get("id"), content(cell)) if keyed else content(cell)


def _results(cell: Cell) -> object:
    return cell.get("outputs"), cell.get("execution_count")


def _merge_keys(before: dict[str, Any], there: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Merge metadata key by key; where both sides changed one, the target's stays."""
    merged: dict[str, Any] = {}
    for key in [*there, *(key for key in wanted if key not in there)]:
        old, mine, new = (keys.get(key, _MISSING) for keys in (before, there, wanted))
        value = new if mine == old else mine
        if value is not _MISSING:
            merged[key] = value
    return merged
