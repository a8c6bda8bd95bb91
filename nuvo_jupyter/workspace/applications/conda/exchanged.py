"""``environment.yml`` from a lock, for conda, mamba and repo2docker."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from nuvo_jupyter.workspace.applications.conda.locked import CondaLock

_HUB = "https://conda.anaconda.org/"
_DEFAULT = "conda-forge"
_PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9._/=+-]*")


def environment(name: str, lock: CondaLock | None, python: str, pinned: Iterable[str]) -> str:
    """An ``environment.yml`` that names every package with its version and build.

    Args:
        name: of the environment.
        lock: what conda installed; ``None`` if nothing.
        python: minor version, for where conda installed none.
        pinned: lines for pip.
    """
    packages = lock.packages if lock and lock.platform else ()
    urls = [one.url for one in packages if one.url.startswith("http")]
    lines = [f"name: {name}", "channels:", *(f"  - {channel}" for channel in _channels(urls))]
    lines.append("dependencies:")
    names = {one.name for one in packages}
    if "python" not in names:
        lines.append(f"  - python={python}")
    lines += [f"  - {one.name}={one.version}={one.build}" for one in packages]
    if "pip" not in names:
        lines.append("  - pip")
    pinned = list(pinned)
    if pinned:
        lines += ["  - pip:", *(f"      - {_text(line)}" for line in pinned)]
    return "\n".join(lines) + "\n"


def _channels(urls: Iterable[str]) -> list[str]:
    """The channels that packages came from, those of most packages first."""
    found = Counter(url.rsplit("/", 2)[0] for url in urls)
    return [_text(channel.removeprefix(_HUB)) for channel, _ in found.most_common()] or [_DEFAULT]


def _text(text: str) -> str:
    """Text as YAML reads it."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
