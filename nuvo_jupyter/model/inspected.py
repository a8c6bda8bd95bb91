"""Structs that several threads decode."""

from __future__ import annotations

from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

INSPECTED: set[type[msgspec.Struct]] = set()


def inspected(cls: type[S]) -> type[S]:
    """Have msgspec look at a struct's fields now, while its module is imported.

    Otherwise it does so when the struct is first decoded, and two threads that are the first ones at the same time end
    the process (seen with msgspec 0.20: what the other has half filled in is used).
    """
    msgspec.msgpack.Decoder(cls)
    INSPECTED.add(cls)
    return cls
