"""Configuration: traitlets, each with an environment variable of its own (``NUVO_…``)."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Float, Int, TraitError, Unicode, default, validate
from traitlets.config import LoggingConfigurable

if TYPE_CHECKING:
    from nuvo_jupyter.delivery.context import MailSettings


def _env(name: str, fallback: Any) -> Any:
    return os.environ.get(f"NUVO_{name.upper()}", fallback)


def _number(name: str, fallback: float) -> float:
    text = os.environ.get(f"NUVO_{name.upper()}")
    if text is None:
        return fallback
    try:
        return type(fallback)(text)
    except ValueError:
        raise TraitError(f"NUVO_{name.upper()} is a number, not {text!r}") from None


class Nuvo(LoggingConfigurable):
    """Settings of Nuvo. Every trait can also be given as an environment variable, e.g. ``NUVO_HOME``."""

    home = Unicode(
        config=True,
        help="""Folder that holds catalog, store and caches; made with mode 0700.
        Default: ``nuvo`` in Jupyter's data folder. Environment: NUVO_HOME.""",
    )

    @default("home")
    def _home_default(self) -> str:
        from jupyter_core.paths import jupyter_data_dir

        # Validators see what was set, not what a default was computed to be.
        return str(self._home_valid({"value": str(_env("home", Path(jupyter_data_dir()) / "nuvo"))}))

    @validate("home")
    def _home_valid(self, proposal: Any) -> str:
        # Relative to the current folder it would be another home in each.
        return os.path.abspath(os.path.expanduser(str(proposal["value"])))

    catalog_url = Unicode(
        config=True,
        help="""SQLAlchemy URL of the catalog database. Default: ``catalog.sqlite`` in the home folder.
        Environment: NUVO_CATALOG_URL.""",
    )

    @default("catalog_url")
    def _catalog_url_default(self) -> str:
        return str(_env("catalog_url", f"sqlite:///{Path(self.home).absolute() / 'catalog.sqlite'}"))

    store_url = Unicode(
        config=True,
        help="""Where the store lies: a folder, ``file:///…`` or ``s3://bucket/prefix``. Default: ``store`` in the home folder.
        Environment: NUVO_STORE_URL.""",
    )

    @default("store_url")
    def _store_url_default(self) -> str:
        return str(_env("store_url", Path(self.home).absolute() / "store"))

    organization = Unicode(
        config=True,
        help="Name of the organization this installation serves. Default: ``home``. Environment: NUVO_ORGANIZATION.",
    )

    @default("organization")
    def _organization_default(self) -> str:
        return str(_env("organization", "home"))

    acting_user = Unicode(
        config=True,
        help="""User name to act as, for tests and the demo only: refused unless the home was made by ``nuvo demo``
        or marked for tests. Default: empty, the operating system's user. Environment: NUVO_ACTING_USER.""",
    )

    @default("acting_user")
    def _acting_user_default(self) -> str:
        return str(_env("acting_user", ""))

    workspace_template = Unicode(
        config=True,
        help="""Where new instances' folders lie when their space says nothing: an absolute path with ``{username}``,
        ``{space}`` and ``{instance}``. Default: ``~/nuvo/{space}/{instance}``. Environment: NUVO_WORKSPACE_TEMPLATE.""",
    )

    @default("workspace_template")
    def _workspace_template_default(self) -> str:
        return str(_env("workspace_template", str(Path.home() / "nuvo" / "{space}" / "{instance}")))

    confirm_bytes = Int(
        config=True,
        help="""Ask before the first capture of a folder larger than this many bytes; 0 never asks. Default: 5 GB.
        Environment: NUVO_CONFIRM_BYTES.""",
    )

    @default("confirm_bytes")
    def _confirm_bytes_default(self) -> int:
        return int(_number("confirm_bytes", 5_000_000_000))

    confirm_files = Int(
        config=True,
        help="""Ask before the first capture of a folder with more than this many files; 0 never asks. Default: 200,000.
        Environment: NUVO_CONFIRM_FILES.""",
    )

    @default("confirm_files")
    def _confirm_files_default(self) -> int:
        return int(_number("confirm_files", 200_000))

    workers = Int(
        config=True,
        help="Threads that do background work in one server; 0 leaves it to other servers. Default: 3. Environment: NUVO_WORKERS.",
    )

    @default("workers")
    def _workers_default(self) -> int:
        return int(self._workers_valid({"value": int(_number("workers", 3))}))

    @validate("workers")
    def _workers_valid(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] <= 64:
            raise TraitError("c.Nuvo.workers is a number of threads from 0 to 64")
        return int(proposal["value"])

    lease_seconds = Float(
        config=True,
        help="""Seconds after which another server may take over the work of one that stopped renewing its lease.
        Default: 30. Environment: NUVO_LEASE_SECONDS.""",
    )

    @default("lease_seconds")
    def _lease_seconds_default(self) -> float:
        return float(self._lease_seconds_valid({"value": _number("lease_seconds", 30.0)}))

    @validate("lease_seconds")
    def _lease_seconds_valid(self, proposal: Any) -> float:
        if not 1 <= proposal["value"] <= 3600:
            raise TraitError("c.Nuvo.lease_seconds is from 1 to 3600")
        return float(proposal["value"])

    collect_every = Float(
        config=True,
        help="""Hours between collections of what nothing holds, in a server with nothing else to do; 0 leaves it to
        ``nuvo collect``. Default: 24. Environment: NUVO_COLLECT_EVERY.""",
    )

    @default("collect_every")
    def _collect_every_default(self) -> float:
        return float(self._hours_valid({"value": _number("collect_every", 24.0)}))

    collect_grace = Float(
        config=True,
        help="""Hours between noticing that nothing holds something and freeing it: longer than a backup of catalog and
        store takes. Default: 24. Environment: NUVO_COLLECT_GRACE.""",
    )

    @default("collect_grace")
    def _collect_grace_default(self) -> float:
        return float(self._hours_valid({"value": _number("collect_grace", 24.0)}))

    @validate("collect_every", "collect_grace")
    def _hours_valid(self, proposal: Any) -> float:
        if not 0 <= proposal["value"] <= 10_000:
            raise TraitError("c.Nuvo.collect_every and c.Nuvo.collect_grace are hours from 0 to 10,000")
        return float(proposal["value"])

    snapshot_every = Int(
        config=True,
        help="""Minutes between looks at instances that have a snapshot and no schedule of their own; where something
        has changed, one is taken. 0 takes none. Default: 0. Environment: NUVO_SNAPSHOT_EVERY.""",
    )

    @default("snapshot_every")
    def _snapshot_every_default(self) -> int:
        return int(self._snapshot_every_valid({"value": int(_number("snapshot_every", 0))}))

    @validate("snapshot_every")
    def _snapshot_every_valid(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] <= 525_600:
            raise TraitError("c.Nuvo.snapshot_every is minutes from 0 to 525,600")
        return int(proposal["value"])

    smtp_host = Unicode(
        config=True,
        help="SMTP server for e-mail; empty sends none. Default: empty. Environment: NUVO_SMTP_HOST.",
    )

    @default("smtp_host")
    def _smtp_host_default(self) -> str:
        return str(_env("smtp_host", ""))

    smtp_port = Int(config=True, help="Port of the SMTP server. Default: 25. Environment: NUVO_SMTP_PORT.")

    @default("smtp_port")
    def _smtp_port_default(self) -> int:
        return int(_number("smtp_port", 25))

    smtp_security = Unicode(
        config=True,
        help="``none``, ``starttls`` or ``tls``. Default: ``none``. Environment: NUVO_SMTP_SECURITY.",
    )

    @default("smtp_security")
    def _smtp_security_default(self) -> str:
        return str(self._smtp_security_valid({"value": str(_env("smtp_security", "none"))}))

    @validate("smtp_security")
    def _smtp_security_valid(self, proposal: Any) -> str:
        if proposal["value"] not in ("none", "starttls", "tls"):
            raise TraitError("c.Nuvo.smtp_security is 'none', 'starttls' or 'tls'")
        return str(proposal["value"])

    smtp_username = Unicode(
        config=True,
        help="For SMTP authentication; empty for none. Default: empty. Environment: NUVO_SMTP_USERNAME.",
    )

    @default("smtp_username")
    def _smtp_username_default(self) -> str:
        return str(_env("smtp_username", ""))

    smtp_password = Unicode(
        config=True, help="For SMTP authentication. Default: empty. Environment: NUVO_SMTP_PASSWORD."
    )

    @default("smtp_password")
    def _smtp_password_default(self) -> str:
        return str(_env("smtp_password", ""))

    mail_from = Unicode(
        config=True, help="Sender of e-mail. Default: ``nuvo@localhost``. Environment: NUVO_MAIL_FROM."
    )

    @default("mail_from")
    def _mail_from_default(self) -> str:
        return str(_env("mail_from", "nuvo@localhost"))

    def mail(self) -> MailSettings:
        """The e-mail traits in one."""
        # Here, because the class is loaded with every Jupyter server and its libraries take time.
        from nuvo_jupyter.delivery.context import MailSettings

        return MailSettings(
            host=self.smtp_host,
            port=self.smtp_port,
            username=self.smtp_username,
            password=self.smtp_password,
            security=self.smtp_security,
            sender=self.mail_from,
        )


def operating_system_user() -> str:
    """The name of the user this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid{os.getuid()}"
