"""Where instances' workspaces lie: from templates, never one inside another."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.spaces import find_spaces, workspaces
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput
from nuvo_jupyter.model.paths import NAME_MAX, from_name

_PATH_MAX = 4096
"""Bytes of a path, its end included, that Linux takes (``PATH_MAX`` of limits.h)."""
PLACEHOLDERS = ("{username}", "{space}", "{instance}")


def resolve_folder(folder: str) -> Path:
    """The folder behind what a client sent, without symbolic links.

    JupyterLab tells its pages of folders in the user's home as ``~/…``.

    Raises:
        InvalidInput: a relative folder, which would mean another one on the server than in the client, or one that
            no file system can hold.
    """
    expanded = os.path.expanduser(folder)
    if not os.path.isabs(expanded) or "\0" in expanded:
        raise InvalidInput(f"{folder!r} is not an absolute folder.", hint="Give the folder's full path.")
    if any(len(os.fsencode(part)) > NAME_MAX for part in expanded.split("/")) or (
        len(os.fsencode(expanded)) >= _PATH_MAX
    ):
        raise InvalidInput(
            f"{folder[:60]!r}… is no possible folder.",
            hint=f"Names in it have {NAME_MAX} bytes at most: choose shorter ones, or give a folder yourself.",
        )
    return Path(os.path.realpath(expanded))


def instance_at(connection: Connection, folder: Path) -> tuple[int, str] | None:
    """The instance whose workspace is ``folder`` or holds it: its id and the folder's path text inside.

    Args:
        folder: resolved (no symbolic links).
    """
    known = {row.workspace: row for row in workspaces(connection)}
    for candidate in (folder, *folder.parents):
        row = known.get(str(candidate))
        if row is not None:
            inside = folder.relative_to(candidate)
            return row.id, "/".join(from_name(part) for part in inside.parts)
    return None


def suggested_space(connection: Connection, folder: Path) -> str:
    """A free space name after a folder's name."""
    stem = re.sub(r"[/@:\x00-\x1f\x7f]", " ", from_name(folder.name)).strip()[:150] or "workspace"
    name, number = stem, 1
    while find_spaces(connection, name):
        number += 1
        name = f"{stem} {number}"
    return name


def check_template(template: str) -> str:
    """Return a template for instances' folders.

    Raises:
        InvalidInput: it is not absolute, or its placeholders are unknown or do not tell instances apart.
    """
    if not template:
        return template
    unknown = set(re.findall(r"\{[^}]*\}", template)) - set(PLACEHOLDERS)
    if unknown or not template.startswith("/") or ".." in Path(template).parts or "\0" in template:
        raise InvalidInput(
            f"{template!r} is no template for folders.",
            hint="Give an absolute path with {username}, {space} and {instance}, e.g. /home/{username}/{space}.",
        )
    if "{username}" not in template and "{instance}" not in template:
        raise InvalidInput(
            f"With the template {template!r} all instances would share one folder.",
            hint="Add {username} or {instance} to it.",
        )
    return template


def fill_template(template: str, *, username: str, space: str, instance: str) -> str:
    """A template's folder for one instance."""
    values = dict(zip(PLACEHOLDERS, (username, space, instance), strict=True))
    # All at once: a name may itself look like a placeholder.
    return re.sub("|".join(map(re.escape, PLACEHOLDERS)), lambda found: values[found[0]], template)


def claim_folder(connection: Connection, access: Access, folder: str, home: Path) -> str:
    """Return the resolved folder if it can become an instance's workspace.

    Args:
        access: whose it will be; other instances are named only if they may know of them.

    Raises:
        InvalidInput: relative, the root of the file system, not a folder, or inside Nuvo's home.
        AlreadyExists: it is, lies in, or holds another instance's workspace.
    """
    path = resolve_folder(folder)
    if path == Path("/"):
        raise InvalidInput("The root of the file system cannot be an instance's folder.")
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is a file, not a folder.")
    private = Path(os.path.realpath(home))
    # A folder that holds the home is fine, as a user's own home does: captures leave Nuvo's part out.
    if path == private or private in path.parents:
        raise InvalidInput(
            f"{path} lies in Nuvo's own home {private}.", hint="Choose another folder, or set c.Nuvo.home."
        )
    for row in workspaces(connection, overlapping=str(path)):
        seen = access.sees_space_of(row)
        raise AlreadyExists(
            f"{path} overlaps the folder of "
            f"{f'{row.space}/{row.name} ({row.workspace})' if seen else 'an instance'}.",
            hint="Every instance needs a folder of its own, not inside another one's.",
        )
    return str(path)


def folder_from_template(
    connection: Connection,
    access: Access,
    space: Row[Any],
    fallback: str,
    home: Path,
    *,
    username: str,
    instance: str,
) -> str:
    """A free folder for a new instance from its space's template.

    Where the template does not tell two instances of one person apart, the instance's name is added.
    """
    template = space.template or fallback
    folder = fill_template(template, username=username, space=space.name, instance=instance)
    try:
        return claim_folder(connection, access, folder, home)
    except AlreadyExists:
        if "{instance}" in template:
            raise
        return claim_folder(connection, access, f"{folder}-{instance}", home)
