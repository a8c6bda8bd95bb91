"""A store in a bucket of S3 or another object store, through obstore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError
from obstore.store import from_url

from nuvo_jupyter.model.errors import InvalidInput, ServiceUnavailable
from nuvo_jupyter.store.backend import Backend, Object
from nuvo_jupyter.store.pack import Buffer


class BucketBackend(Backend):
    """Objects of a bucket. Only create-if-absent puts are used: no overwrite, no If-Match, no copy.

    Args:
        url: ``s3://bucket/prefix`` (or what else obstore opens).
        options: obstore's settings by name, such as ``endpoint``, ``region``, ``access_key_id``.

    Raises:
        InvalidInput: the address or a setting means nothing to obstore.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        self.url = url
        settings: dict[str, Any] = {"config": dict(options)} if options else {}
        if options and options.get("endpoint", "").startswith("http://"):
            settings["client_options"] = {"allow_http": True}
        try:
            self._store: Any = from_url(url, **settings)
        except (BaseError, ValueError) as error:
            raise InvalidInput(
                f"{url} cannot be used as a store: {_first_line(error)}",
                hint="Give a folder or s3://bucket/prefix; see the documentation of c.Nuvo.store_url.",
            ) from error

    def put(self, path: str, data: Buffer) -> bool:
        with self._translated("written"):
            try:
                # Multipart uploads are not conditional everywhere.
                obstore.put(self._store, path, bytes(data), mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    def get(self, path: str, start: int, length: int) -> bytes:
        with self._translated("read"):
            try:
                return bytes(obstore.get_range(self._store, path, start=start, length=length))
            except GenericError:
                # Servers refuse a range that begins behind the end.
                if start >= obstore.head(self._store, path)["size"]:
                    return b""
                raise

    def list(self, prefix: str = "packs") -> Iterator[Object]:
        with self._translated("read"):
            for batch in obstore.list(self._store, prefix):
                for item in batch:
                    yield Object(item["path"], item["size"])

    def size(self, path: str) -> int | None:
        with self._translated("read"):
            try:
                return int(obstore.head(self._store, path)["size"])
            except FileNotFoundError:
                return None

    def delete(self, path: str) -> None:
        with self._translated("written"), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ServiceUnavailable(
                f"The store {self.url} cannot be {what}: {_first_line(error)}",
                hint="Check the address, the credentials and that the object store answers.",
            ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
