"""What executors work with: catalog, store, folders and the ways to tell others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.store.spool import Spools
from nuvo_jupyter.store.store import Store


@dataclass(frozen=True)
class MailSettings:
    """How e-mail is sent.

    Args:
        host: SMTP server; ``""`` sends no mail.
        port: its port.
        username, password: for AUTH; ``""`` for none.
        security: ``none``, ``starttls`` or ``tls``.
        sender: the From address.
        timeout: seconds.
    """

    host: str = ""
    port: int = 25
    username: str = ""
    password: str = ""
    security: str = "none"
    sender: str = "nuvo@localhost"
    timeout: float = 30.0


@dataclass(frozen=True)
class Context:
    """The things every piece of background work needs.

    Args:
        home: private folder (0700): ``memory/`` for remembered captures, ``locks/`` for instance locks.
        lease_seconds: how long a claimed row is ours without renewal.
        announce: called with a task id whenever its row changed; must be quick and thread-safe.
        ended: called with the id of a task that came to its end, likewise.
        prepare: called with an instance id before its backup, so that open pages can save; ``None`` without a server.
        wake: set when new work was queued in this process.
        collect_grace: seconds between noticing that nothing holds something and freeing it.
        collect_every: seconds between collections that nobody asked for; 0 for none.
        snapshot_every: minutes between looks at instances that say nothing of their own; 0 for none.
        spools: keeps what goes to many targets while it does.
    """

    catalog: Catalog
    store: Store
    home: Path
    mail: MailSettings = field(default_factory=MailSettings)
    lease_seconds: float = 30.0
    announce: Callable[[int], None] = lambda _task: None
    ended: Callable[[int], None] = lambda _task: None
    prepare: Callable[[int], None] | None = None
    collect_grace: float = 24 * 3600.0
    collect_every: float = 0.0
    snapshot_every: int = 0
    wake: Event = field(default_factory=Event)
    spools: Spools = field(default_factory=Spools)
