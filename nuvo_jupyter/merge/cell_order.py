"""In which order the cells of a merged notebook stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nuvo_jupyter.merge.cells import Cell

_TARGET, _SOURCE = 0, 1
_Slot = tuple[int, int]


def arrange(
    kept: Mapping[int, Sequence[Cell]],
    added: Mapping[int, Cell],
    counterpart: Mapping[int, int],
    in_target: Mapping[int, int],
    in_source: Mapping[int, int],
) -> list[Cell]:
    """Put the target's cells and those added from the source in one order.

    Args:
        kept: index in the target → the cells that stand there (none if it goes, two with a new version below).
        added: index in the source → cell to add.
        counterpart: index in the source → index in the target of the same cell.
        in_target: index in the base → index in the target.
        in_source: index in the base → index in the source.
    """
    if _moved(in_source) and not _moved(in_target):
        slots = _by_source(kept, added, counterpart)
    else:
        slots = _by_target(kept, added, counterpart, set(in_target.values()))
    cells: list[Cell] = []
    for side, index in slots:
        cells.extend(kept[index] if side == _TARGET else [added[index]])
    return cells


def _moved(pairs: Mapping[int, int]) -> bool:
    order = [pairs[index] for index in sorted(pairs)]
    return order != sorted(order)


def _by_target(
    kept: Mapping[int, Sequence[Cell]],
    added: Mapping[int, Cell],
    counterpart: Mapping[int, int],
    from_base: set[int],
) -> list[_Slot]:
    """The target's order; a new cell follows the cell it follows in the source."""
    slots: list[_Slot] = [(_TARGET, index) for index in sorted(kept)]
    own = {(_TARGET, t) for t in kept if t not in from_base and t not in set(counterpart.values())}
    anchor: _Slot | None = None
    for s in sorted({*added, *counterpart}):
        if s in counterpart:
            anchor = (_TARGET, counterpart[s])
            continue
        place = 0
        if anchor is not None:
            place = slots.index(anchor) + 1
            # Answers written below a task stay with it: what comes after the task goes behind them.
            while anchor[0] == _TARGET and place < len(slots) and slots[place] in own:
                place += 1
        anchor = (_SOURCE, s)
        slots.insert(place, anchor)
    return slots


def _by_source(
    kept: Mapping[int, Sequence[Cell]], added: Mapping[int, Cell], counterpart: Mapping[int, int]
) -> list[_Slot]:
    """The source's order; a cell only the target has follows the cell it follows there."""
    slots: list[_Slot] = [
        (_TARGET, counterpart[s]) if s in counterpart else (_SOURCE, s)
        for s in sorted({*added, *counterpart})
    ]
    placed = set(slots)
    anchor: _Slot | None = None
    for t in sorted(kept):
        slot = (_TARGET, t)
        if slot not in placed:
            slots.insert(0 if anchor is None else slots.index(anchor) + 1, slot)
        anchor = slot
    return slots
