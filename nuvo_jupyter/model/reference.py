"""References as people type them: ``[[org/]space/]instance[@snapshot][:path]``."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from nuvo_jupyter.model.errors import InvalidReference
from nuvo_jupyter.model.paths import parse_path

CURRENT = "current"
LATEST = "latest"

_NAME = re.compile(r"[^/@:\x00-\x1f\x7f][^/@:\x00-\x1f\x7f]*")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}(:\d{2}(:\d{2}([.,]\d{1,6})?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?(?=:|$)"
)
NAME_MAX = 200


class Reference(msgspec.Struct, frozen=True):
    """A state, or a path in one.

    Args:
        instance: its name.
        space: its space's name; ``None`` where the context says it.
        organization: its name; ``None`` for the default one.
        snapshot: number, name, ``latest``, ``current`` or a time; ``current`` by default.
        path: path text inside the state; ``""`` for all of it.
    """

    instance: str
    space: str | None = None
    organization: str | None = None
    snapshot: str = CURRENT
    path: str = ""

    def __str__(self) -> str:
        text = "/".join(part for part in (self.organization, self.space, self.instance) if part)
        if self.snapshot != CURRENT:
            text += f"@{self.snapshot}"
        # Behind a time, a path that begins with digits would be read as its minutes or seconds.
        ambiguous = _TIME.match(self.snapshot) is not None and re.match(r"\d{2}", self.path) is not None
        return f"{text}:{'./' if ambiguous else ''}{self.path}" if self.path else text

    @property
    def is_current(self) -> bool:
        """Whether it names the mutable current state."""
        return self.snapshot == CURRENT


def check_name(name: str, what: str = "name") -> str:
    """Return the name of a space, instance or organization, stripped, if it can be used in references.

    Raises:
        InvalidReference: empty, over 200 characters, or holding ``/ @ :`` or control characters.
    """
    name = name.strip()
    if len(name) > NAME_MAX or not _NAME.fullmatch(name) or name in (".", "..") or not _is_text(name):
        raise InvalidReference(
            f"{name[:60]!r} cannot be a {what}.",
            hint=f"A {what} has 1 to {NAME_MAX} characters, none of them '/', '@', ':' or a line break.",
        )
    return name


def check_snapshot_name(name: str) -> str:
    """Return a snapshot's name, stripped, if it cannot be mistaken for a number, a time or a keyword.

    Raises:
        InvalidReference: as for :func:`check_name`, and for digits only, ``latest`` and ``current``.
    """
    name = check_name(name, "snapshot name")
    if name.isdigit() or name in (CURRENT, LATEST) or parse_time(name) is not None:
        raise InvalidReference(
            f"{name!r} cannot be a snapshot name: it would read as a number, a time or a keyword.",
            hint="Choose a name with letters, for example 'week 3 released'.",
        )
    return name


def parse_time(text: str) -> datetime | None:
    """Read ``2026-11-20`` or ``2026-11-20T10:00[:30][Z|+01:00]``; ``None`` if it is no time."""
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse_reference(text: str) -> Reference:
    """Parse a reference.

    Raises:
        InvalidReference: the text has another form.
        InvalidPath: the path part is absolute or leaves the instance.
    """
    head, colon, path = _split_path(text)
    names, at, snapshot = head.partition("@")
    parts = names.split("/")
    if len(parts) > 3 or not all(_NAME.fullmatch(part) for part in parts) or not _is_text(head):
        raise InvalidReference(f"{text!r} is not a reference to a state.")
    if at and (not snapshot or "\n" in snapshot):
        raise InvalidReference(f"{text!r} has an '@' but names no snapshot.")
    padded = [None] * (3 - len(parts)) + parts
    return Reference(
        organization=padded[0],
        space=padded[1],
        instance=parts[-1],
        snapshot=snapshot or CURRENT,
        path=parse_path(path) if colon else "",
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _split_path(text: str) -> tuple[str, str, str]:
    # A time after '@' holds colons itself: 2026-11-20T10:00:file is cut behind the time.
    at = text.find("@")
    if 0 <= at < (text.find(":") if ":" in text else len(text)):
        time = _TIME.match(text, at + 1)
        if time is not None:
            return text[: time.end()], text[time.end() : time.end() + 1], text[time.end() + 1 :]
    head, colon, path = text.partition(":")
    return head, colon, path
