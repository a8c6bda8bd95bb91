"""Every error a user can meet: a stable code, an HTTP status, a message and what to do next."""

from __future__ import annotations

from typing import ClassVar


class NuvoError(Exception):
    """Base of all errors shown to users.

    Args:
        message: one or two sentences saying what is wrong, naming the thing concerned.
        hint: what to do next; ``None`` where the message says it all.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    default_hint: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        if self.hint:
            # So that a traceback in a notebook shows it.
            self.add_note(self.hint)

    def to_dict(self) -> dict[str, str | None]:
        """The error as the REST API sends it: ``{code, message, hint}``."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class InvalidInput(NuvoError):
    """A request that cannot be understood or makes no sense."""

    code = "invalid_input"
    status = 400


class InvalidPath(InvalidInput):
    """A path that is absolute, leaves the instance or is no file name."""

    code = "invalid_path"


class InvalidReference(InvalidInput):
    """Text that is not ``[[org/]space/]instance[@snapshot][:path]``."""

    code = "invalid_reference"
    default_hint = (
        "References look like [[org/]space/]instance[@snapshot][:path], e.g. intro/anna@3:week1.ipynb"
    )


class EmptyStage(InvalidInput):
    """Nothing is staged, so nothing can be distributed."""

    code = "empty_stage"
    default_hint = "Stage files first (%stage PATH, nuvo stage add PATH), or distribute the whole state."


class SameState(InvalidInput):
    """The target of a distribution is its own source."""

    code = "target_is_source"


class ConfirmationNeeded(NuvoError):
    """Something large or unusual that the user has to confirm first."""

    code = "confirmation_needed"
    status = 409
    default_hint = "Repeat the request with confirmed = true (--yes on the command line)."


class NotAuthenticated(NuvoError):
    """Nobody is logged in."""

    code = "not_authenticated"
    status = 401


class Refused(NuvoError):
    """The caller lacks a role; the message names it and the hint says who can grant it."""

    code = "refused"
    status = 403


class NotFound(NuvoError):
    """The thing named does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404


class AlreadyExists(NuvoError):
    """A name or folder that is taken."""

    code = "already_exists"
    status = 409


class NotNow(NuvoError):
    """The thing is in a state in which this cannot be done."""

    code = "not_now"
    status = 409


class Gone(NuvoError):
    """Deleted; recoverable for 24 hours where the hint says so."""

    code = "gone"
    status = 410


class TooLarge(NuvoError):
    """Content over a limit of the API."""

    code = "too_large"
    status = 413


class Cancelled(NuvoError):
    """The task was cancelled by a user."""

    code = "cancelled"
    status = 409


class LeaseLost(NuvoError):
    """Another executor has taken over this piece of work; what this one did since does not count."""

    code = "lease_lost"
    status = 409


class WorkspaceUnavailable(NuvoError):
    """The folder of an instance is missing, not a folder, or not accessible."""

    code = "workspace_unavailable"
    status = 409


class StorageFull(NuvoError):
    """No space or quota left where the store or a workspace lies."""

    code = "storage_full"
    status = 507
    default_hint = "Free some space (delete files or snapshots), then try again. Nothing was changed."


class StoreDamaged(NuvoError):
    """Content in the store is missing or does not have the hash it should have."""

    code = "store_damaged"
    status = 500
    default_hint = "Run `nuvo verify` to see which snapshots and files are affected."


class StoreUnsuitable(NuvoError):
    """A place that cannot hold a store, because it overwrites what must never change."""

    code = "store_unsuitable"
    status = 500
    default_hint = "Use a folder, or an object store that honours 'If-None-Match: *' (AWS, Ceph, MinIO do)."


class ApplicationDamaged(NuvoError):
    """An application's definition that cannot be used: damaged, tampered with, or not one."""

    code = "application_damaged"
    status = 409
    default_hint = (
        "Restore the application from an earlier snapshot, or capture it again from its environment."
    )


class PythonUnsuitable(NuvoError):
    """An application made for another Python or platform than is here."""

    code = "python_unsuitable"
    status = 409


class PackageUnavailable(NuvoError):
    """A package of an application that cannot be had; the message names it."""

    code = "package_unavailable"
    status = 409


class EnvironmentFailed(NuvoError):
    """An environment that could not be read or built."""

    code = "environment_failed"
    status = 500


class CatalogDamaged(NuvoError):
    """The catalog database cannot be opened or is corrupted."""

    code = "catalog_damaged"
    status = 500


class CatalogLost(CatalogDamaged):
    """There is no catalog, or nothing is in it, but the store it belongs to holds content."""

    code = "catalog_lost"
    default_hint = (
        "Put the catalog's last backup in its place, or run `nuvo rebuild`: it makes a new one with all snapshots the "
        "store still describes. To begin anew instead, choose another home (c.Nuvo.home, NUVO_HOME)."
    )


class ServiceUnavailable(NuvoError):
    """The server or service behind a client does not answer."""

    code = "service_unavailable"
    status = 503


class ContentGone(ServiceUnavailable):
    """What a writer found in the store was collected before it referred to it; the work has to begin again."""

    code = "content_gone"
    default_hint = "Try again: what is missing will be stored anew."


def all_errors() -> dict[str, type[NuvoError]]:
    """Every error class by its code; clients rebuild the error a server sent from it."""
    found: dict[str, type[NuvoError]] = {}
    queue: list[type[NuvoError]] = [NuvoError]
    while queue:
        cls = queue.pop()
        found[cls.code] = cls
        queue.extend(cls.__subclasses__())
    return found
