"""Pure merging: what a distribution would change in a target, and three-way merges of contents. No I/O, no clock."""

from nuvo_jupyter.merge.plan import plan
from nuvo_jupyter.merge.resolve import resolve, resolve_all

__all__ = ["plan", "resolve", "resolve_all"]
