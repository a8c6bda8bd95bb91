"""Conda environments: what conda installed, with its hashes, from its own records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

_FIELDS = ("name", "version", "build", "subdir", "url", "sha256", "md5")


_TOKEN = re.compile(r"/t/[^/]+(?=/)")


def lock(prefix: Path) -> bytes:
    """What conda installed in an environment, as ``conda.lock.json``: packages with address and hash, by name.

    Args:
        prefix: of a conda environment.
    """
    packages = []
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError):
            continue
        if isinstance(record.get("url"), str):
            record["url"] = _public(record["url"])
        packages.append({key: record[key] for key in _FIELDS if isinstance(record.get(key), str)})
    packages.sort(key=lambda package: package.get("name", ""))
    return msgspec.json.format(msgspec.json.encode({"packages": packages})) + b"\n"


def _public(url: str) -> str:
    """An address without user, password, or the token that channels carry in their path."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], _TOKEN.sub("", parts.path), "", ""))
