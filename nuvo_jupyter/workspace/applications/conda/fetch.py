"""What a process of its own does with py-rattler: download archives, verified by their hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable

import msgspec

_AT_ONCE = 4
_RETRIES = 2


class Item(msgspec.Struct, frozen=True):
    """An archive to download.

    Args:
        name: of its package.
        url: in its channel.
        path: where it goes.
        sha256: that it must have.
        size: in bytes; 0 if not known.
    """

    name: str
    url: str
    path: str
    sha256: str
    size: int = 0


class Failed(Exception):
    """What the process could not do.

    Args:
        kind: ``hash``, ``network``, ``contents``, ``platform`` or ``install``.
        package: it is about; ``""`` if about none alone.
        text: what was said.
    """

    def __init__(self, kind: str, package: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.package, self.text = kind, package, text


async def fetch(items: list[Item], tell: Callable[[int, str], None]) -> None:
    """Download archives; each gets its name when it is whole and has its hash.

    Raises:
        Failed: one cannot be had, or is another than it should be.
    """
    from rattler.networking import Client

    client, gate, done = Client.default_client(max_retries=_RETRIES), asyncio.Semaphore(_AT_ONCE), 0

    async def one(item: Item) -> None:
        nonlocal done
        async with gate:
            await _download(client, item)
        done += 1
        tell(done, f"downloaded {item.name}")

    tasks = [asyncio.create_task(one(item)) for item in items]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _download(client: object, item: Item) -> None:
    from rattler.package_streaming import download_to_writer

    temporary = f"{item.path}.{os.getpid()}.part"
    try:
        with open(temporary, "xb") as file:
            writer = _Writer(file.write, item.size)
            try:
                await download_to_writer(client, item.url, writer)  # type: ignore[arg-type]
            except Exception as error:
                if writer.failure:
                    raise Failed("install", item.name, str(writer.failure)) from error
                kind = "hash" if writer.too_long else "network"
                raise Failed(kind, item.name, str(error)) from error
            file.flush()
            os.fsync(file.fileno())
        if writer.digest.hexdigest() != item.sha256:
            raise Failed("hash", item.name, "another hash")
        os.replace(temporary, item.path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


class _Writer:
    """Writes and hashes; what is longer than it should be ends the download."""

    def __init__(self, write: Callable[[bytes], int], size: int) -> None:
        self._write, self._size, self._got = write, size, 0
        self.digest = hashlib.sha256()
        self.too_long = False
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        self._got += len(data)
        if self._size and self._got > self._size:
            self.too_long = True
            raise ValueError("longer than it should be")
        self.digest.update(data)
        try:
            return self._write(data)
        except OSError as error:
            self.failure = error
            raise
