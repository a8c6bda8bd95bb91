"""What counts as last distributed is the same for most of a class: it is worked out and stored once.

Only where all that was distributed arrived does it depend on nothing but what was distributed before and now.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple
from weakref import WeakKeyDictionary

from nuvo_jupyter.catalog.holding import Standing
from nuvo_jupyter.model.errors import ContentGone
from nuvo_jupyter.store.store import Store

_KEPT = 16


class SameBase(NamedTuple):
    """What a new base depends on where everything arrived.

    Args:
        before: root of what was last distributed until now.
        source: root of what is distributed.
        paths: what of it; ``None`` for all.
    """

    before: bytes | None
    source: bytes
    paths: tuple[str, ...] | None


class Base(NamedTuple):
    """A base that is in the store.

    Args:
        generation: of the index when it was referred to.
    """

    root: bytes
    generation: str


_known: WeakKeyDictionary[Store, OrderedDict[SameBase, Base]] = WeakKeyDictionary()
_lock = threading.Lock()


def known(store: Store, same: SameBase) -> Base | None:
    """The base, if it was stored for another target."""
    with _lock:
        bases = _known.get(store)
        return None if bases is None else bases.get(same)


def require(store: Store, same: SameBase, base: Base, standing: Standing) -> None:
    """See, in the transaction that refers to a known base, that it is still stored and stays so.

    Raises:
        ContentGone: that is not sure; the next attempt works it out again.
    """
    if standing.condemned or standing.generation != base.generation:
        with _lock:
            bases = _known.get(store)
            if bases is not None:
                bases.pop(same, None)
        raise ContentGone("What was last distributed has to be stored again.")


def remember(store: Store, same: SameBase, root: bytes, standing: Standing) -> None:
    """Note the base of a target, once the transaction that refers to it is committed."""
    if standing.condemned:
        return
    with _lock:
        bases = _known.setdefault(store, OrderedDict())
        bases[same] = Base(root, standing.generation)
        bases.move_to_end(same)
        while len(bases) > _KEPT:
            bases.popitem(last=False)
