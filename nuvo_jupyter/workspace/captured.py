"""A state that was captured, or looked at. Its nodes become objects only when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from nuvo_jupyter.model.nodes import BlobId, Manifest, Node
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.record import FolderRecord
from nuvo_jupyter.workspace.scan import Fingerprint
from nuvo_jupyter.workspace.unfolding import Looks, Nodes


class Captured:
    """A state.

    Args:
        folders: path text → what each folder holds.
        manifest: what a snapshot of it holds.
        manifest_id: the hash of the encoded manifest.
        remembered: save it once the snapshot's transaction is committed, never before.
        trees: id → encoded, of the folders whose trees were built anew.
        unchanged: whether all is as remembered, down to the last folder.
        files_read: how many files' contents were read.
        bytes_read: how many bytes that were.
    """

    def __init__(
        self,
        folders: dict[str, FolderRecord],
        manifest: Manifest,
        manifest_id: BlobId,
        remembered: Memory,
        trees: dict[BlobId, bytes],
        unchanged: bool,
        files_read: int,
        bytes_read: int,
    ) -> None:
        self._folders = folders
        self.manifest = manifest
        self.manifest_id = manifest_id
        self.remembered = remembered
        self.trees = trees
        self.unchanged = unchanged
        self.files_read = files_read
        self.bytes_read = bytes_read

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Path text → node, folders and links included, without ``""``; by path."""
        return Nodes(self._folders)

    @cached_property
    def fingerprints(self) -> Mapping[str, Fingerprint]:
        """Path text → how each file looked; what ``apply`` re-checks."""
        return Looks(self._folders)
