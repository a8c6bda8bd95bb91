"""What each operation takes. Descriptions here become help texts and the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from nuvo_jupyter.model.changes import Strategies, Strategy
from nuvo_jupyter.model.roles import Role
from nuvo_jupyter.model.spaces import SpaceKind, Visibility
from nuvo_jupyter.model.tasks import StagedObject

Text = Annotated[str, Meta(max_length=100_000)]
Name = Annotated[str, Meta(max_length=200)]
Folder = Annotated[str, Meta(max_length=4096, description="Absolute folder on the server.")]
StateText = Annotated[
    str,
    Meta(
        max_length=5000,
        description="A state: [[org/]space/]instance[@snapshot][:path]; the current state by default.",
    ),
]
InstanceText = Annotated[str, Meta(max_length=1000, description="An instance: [[org/]space/]instance.")]
SpaceText = Annotated[str, Meta(max_length=500, description="A space: [org/]space.")]
PathText = Annotated[
    str,
    Meta(
        max_length=20_000,
        description="A path relative to the instance's folder; bytes that are no UTF-8 as \\xNN.",
    ),
]
Wait = Annotated[
    float,
    Meta(
        ge=0,
        le=60,
        description="Seconds to wait for the task to finish before answering with where it stands.",
    ),
]
ApplicationText = Annotated[str, Meta(min_length=1, max_length=200, description="Name of an application.")]
TableText = Annotated[str, Meta(min_length=1, max_length=500, description="A table: [schema.]name.")]
Limit = Annotated[int, Meta(ge=1, le=10_000, description="At most this many rows.")]
Id = Annotated[int, Meta(ge=1, le=2**53)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all requests: unknown fields are refused, so that a typo is not silently ignored."""


class OfFolder(Request, frozen=True, kw_only=True):
    folder: Folder


class OfSpace(Request, frozen=True, kw_only=True):
    space: SpaceText


class OfInstance(Request, frozen=True, kw_only=True):
    instance: InstanceText


class OfState(Request, frozen=True, kw_only=True):
    state: StateText


class OfTask(Request, frozen=True, kw_only=True):
    id: Id


class SpaceCreate(Request, frozen=True, kw_only=True):
    name: Name
    kind: SpaceKind = SpaceKind.COURSE
    description: Text = ""
    visibility: Visibility = Visibility.PRIVATE
    timezone: Name = "UTC"
    workspace: Annotated[
        str, Meta(max_length=4096, description="Folder of the Master instance; from the template if empty.")
    ] = ""
    template: Annotated[
        str,
        Meta(
            max_length=4096,
            description="Where new instances' folders lie, with {username}, {space}, {instance}.",
        ),
    ] = ""


class SpaceUpdate(Request, frozen=True, kw_only=True):
    space: SpaceText
    name: Name | None = None
    description: Text | None = None
    visibility: Visibility | None = None
    timezone: Name | None = None
    template: Annotated[str, Meta(max_length=4096)] | None = None
    pull_from_master: (
        Annotated[bool, Meta(description="Whether editors may also pull from the Master instance.")] | None
    ) = None
    archived: bool | None = None


class SpaceList(Request, frozen=True, kw_only=True):
    deleted: Annotated[bool, Meta(description="Also list deleted ones that can still be recovered.")] = False


class RoleGrant(Request, frozen=True, kw_only=True):
    username: Name
    role: Role
    space: SpaceText | None = None
    instance: InstanceText | None = None
    name: Name = ""
    email: Annotated[str, Meta(max_length=320)] = ""


class RoleRevoke(Request, frozen=True, kw_only=True):
    username: Name
    space: SpaceText | None = None
    instance: InstanceText | None = None


class MemberList(Request, frozen=True, kw_only=True):
    space: SpaceText | None = None


class InstanceCreate(Request, frozen=True, kw_only=True):
    space: SpaceText
    name: Name
    description: Text = ""
    workspace: Annotated[
        str, Meta(max_length=4096, description="Its folder; from the space's template if empty.")
    ] = ""
    people: Annotated[tuple[Name, ...], Meta(max_length=1000, description="User names of its editors.")] = ()
    source: (
        Annotated[
            str,
            Meta(
                max_length=5000,
                description="Snapshot to start from; the latest of Distributed if omitted, nothing if ''.",
            ),
        ]
        | None
    ) = None
    wait: Wait = 0


class InstanceList(Request, frozen=True, kw_only=True):
    space: SpaceText | None = None
    deleted: bool = False


class InstanceUpdate(Request, frozen=True, kw_only=True):
    instance: InstanceText
    name: Name | None = None
    description: Text | None = None
    state_description: Text | None = None
    archived: bool | None = None


class AccessAsk(Request, frozen=True, kw_only=True):
    instance: InstanceText
    message: Text = ""


class RosterAdd(Request, frozen=True, kw_only=True):
    """People as names, e-mail addresses or CSV (columns username, name, email in any order, with or without a header)."""

    space: SpaceText
    people: Annotated[str, Meta(max_length=1_000_000, description="One person per line, or CSV.")]
    joint: Annotated[
        str, Meta(max_length=200, description="Name of one joint instance for all; separate ones if empty.")
    ] = ""
    description: Text = ""
    source: (
        Annotated[
            str,
            Meta(
                max_length=5000,
                description="Snapshot to start from; the latest of Distributed if omitted, nothing if ''.",
            ),
        ]
        | None
    ) = None
    share_state: Annotated[
        bool,
        Meta(
            description="Invite and share state: snapshot the source's current state first, then make the instances from it."
        ),
    ] = False
    wait: Wait = 0


class SnapshotCreate(Request, frozen=True, kw_only=True):
    instance: Annotated[str, Meta(max_length=1000, description="The instance; or give a folder.")] = ""
    folder: Annotated[
        str,
        Meta(
            max_length=4096,
            description="The folder; one never used before becomes the Master of a research space.",
        ),
    ] = ""
    name: Name | None = None
    description: Text | None = None
    next_description: (
        Annotated[
            str,
            Meta(
                max_length=100_000,
                description="What the next work phase is about; becomes the current state's description.",
            ),
        ]
        | None
    ) = None
    final: Annotated[bool, Meta(description="No work is expected in the next stage.")] = False
    confirmed: Annotated[bool, Meta(description="Go on although the folder is huge.")] = False
    automatic: Annotated[
        bool,
        Meta(
            description="As by the clock: none if nothing has changed since the last one, and thinned by retention."
        ),
    ] = False
    wait: Wait = 0


class SnapshotList(Request, frozen=True, kw_only=True):
    instance: InstanceText
    limit: Limit = 1000
    before: (
        Annotated[int, Meta(ge=1, le=2**31 - 1, description="Only snapshots with smaller numbers.")] | None
    ) = None
    deleted: bool = False


class SnapshotUpdate(Request, frozen=True, kw_only=True):
    state: StateText
    name: Annotated[str, Meta(max_length=200, description="A new name; '' takes the name away.")] | None = (
        None
    )
    description: Text | None = None


class Compare(Request, frozen=True, kw_only=True):
    left: StateText
    right: StateText
    limit: Limit = 1000


class DiffFile(Request, frozen=True, kw_only=True):
    left: StateText
    right: StateText


class History(Request, frozen=True, kw_only=True):
    instance: InstanceText
    path: PathText
    limit: Limit = 100


class TableShow(Request, frozen=True, kw_only=True):
    state: StateText
    table: TableText
    limit: Annotated[int, Meta(ge=0, le=1000, description="At most this many rows.")] = 100
    offset: Annotated[int, Meta(ge=0, le=2**53, description="How many rows to pass over.")] = 0


class TableCompare(Request, frozen=True, kw_only=True):
    left: StateText
    right: StateText
    table: TableText
    key: Annotated[
        tuple[Annotated[str, Meta(max_length=1000)], ...],
        Meta(
            max_length=100, description="Columns by which rows belong together; the primary key by default."
        ),
    ] = ()


class TableImport(Request, frozen=True, kw_only=True):
    instance: InstanceText
    path: PathText
    table: Annotated[str, Meta(max_length=500, description="Name of the table; the file's by default.")] = ""
    replace: Annotated[bool, Meta(description="Replace tables of the same name.")] = False


class TableRename(Request, frozen=True, kw_only=True):
    instance: InstanceText
    table: TableText
    name: TableText


class TableDelete(Request, frozen=True, kw_only=True):
    instance: InstanceText
    table: TableText


class OfApplication(Request, frozen=True, kw_only=True):
    instance: InstanceText
    name: ApplicationText


class ApplicationAdd(Request, frozen=True, kw_only=True):
    instance: InstanceText
    name: ApplicationText
    prefix: Annotated[
        str,
        Meta(
            max_length=4096,
            description="Folder of the environment, as sys.prefix shows it; or name a kernel.",
        ),
    ] = ""
    kernel: Annotated[
        str,
        Meta(max_length=200, description="An installed kernel, which runs in the environment."),
    ] = ""
    variables: Annotated[
        tuple[Annotated[str, Meta(max_length=200)], ...],
        Meta(max_length=200, description="NAMES of environment variables its kernel expects; never values."),
    ] = ()
    seal: Annotated[bool, Meta(description="Put all wheels into it, so that no index is needed.")] = False
    offline: Annotated[bool, Meta(description="Never use the network.")] = False
    wait: Wait = 0


class ApplicationBuild(Request, frozen=True, kw_only=True):
    instance: InstanceText
    name: ApplicationText
    offline: Annotated[bool, Meta(description="Never use the network.")] = False
    any_python: Annotated[bool, Meta(description="Also with another Python than it was captured with.")] = (
        False
    )
    confirmed: Annotated[bool, Meta(description="Also where its kernel runs another program.")] = False
    settings: Annotated[
        bool,
        Meta(description="Then put its settings in the place of JupyterLab's; copies of those are kept."),
    ] = False
    wait: Wait = 0


class ApplicationCompare(Request, frozen=True, kw_only=True):
    left: StateText
    right: StateText
    name: ApplicationText


class ApplicationRename(Request, frozen=True, kw_only=True):
    instance: InstanceText
    name: ApplicationText
    new: ApplicationText


class CrateExport(Request, frozen=True, kw_only=True):
    state: StateText
    title: Annotated[str, Meta(max_length=1000)] = ""
    description: Text = ""
    authors: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=200)] = ()
    license: Annotated[str, Meta(max_length=1000, description="Web address of a licence, or a sentence.")] = (
        ""
    )


class CrateImport(Request, frozen=True, kw_only=True):
    instance: InstanceText
    path: Annotated[PathText, Meta(description="Of the crate in the instance.")]
    name: Annotated[str, Meta(max_length=200, description="Name of the snapshot.")] = ""
    wait: Wait = 0


class Restore(Request, frozen=True, kw_only=True):
    source: Annotated[str, Meta(max_length=5000, description="The snapshot to restore from.")]
    paths: Annotated[
        tuple[PathText, ...], Meta(max_length=10_000, description="What to restore; everything if empty.")
    ] = ()
    instance: Annotated[
        str, Meta(max_length=1000, description="Into which instance; the snapshot's own by default.")
    ] = ""
    strategy: Annotated[
        Strategy | None,
        Meta(description="replace for everything and overwrite for paths by default; rename keeps both."),
    ] = None
    wait: Wait = 0


class StageAdd(Request, frozen=True, kw_only=True):
    state: Annotated[
        str,
        Meta(max_length=5000, description="The state the objects are of; another state clears the stage."),
    ]
    objects: Annotated[tuple[StagedObject, ...], Meta(min_length=1, max_length=10_000)]


class StageRemove(Request, frozen=True, kw_only=True):
    objects: Annotated[tuple[StagedObject, ...], Meta(min_length=1, max_length=10_000)]


class Distribute(Request, frozen=True, kw_only=True):
    source: Annotated[
        str,
        Meta(
            max_length=5000,
            description="The state to distribute; the stage's state if empty. ':path' distributes just that.",
        ),
    ] = ""
    whole: Annotated[bool, Meta(description="The whole state instead of staged objects.")] = False
    objects: (
        Annotated[
            tuple[StagedObject, ...], Meta(max_length=10_000, description="Instead of the staged ones.")
        ]
        | None
    ) = None
    to: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10_000,
            description="Target instances by name or reference; 'all' for all instances of the space.",
        ),
    ]
    space: Annotated[
        str, Meta(max_length=500, description="The targets' space; the source's by default.")
    ] = ""
    here: Annotated[
        str,
        Meta(
            max_length=1000,
            description="The instance you are in: a stage of another space is refused unless 'space' is named.",
        ),
    ] = ""
    strategies: Strategies = Strategies()
    only_files: Annotated[bool, Meta(description="Leave tables and applications out.")] = False
    message: Text = ""
    notify: Annotated[bool, Meta(description="Tell the targets' users.")] = False
    wait: Wait = 0


Skip = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Leave out so many at the beginning.")]


class PreviewShow(Request, frozen=True, kw_only=True):
    id: Id
    after: Skip = 0
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most so many targets.")] = 100
    objects: Annotated[int, Meta(ge=0, le=10_000, description="At most so many objects of each target.")] = (
        200
    )
    wait: Wait = 0


class PreviewTarget(Request, frozen=True, kw_only=True):
    id: Id
    instance: InstanceText
    after: Skip = 0
    limit: Limit = 1000


class DistributionList(Request, frozen=True, kw_only=True):
    space: SpaceText | None = None
    instance: InstanceText | None = None
    limit: Limit = 100


class Pull(Request, frozen=True, kw_only=True):
    instance: InstanceText
    source: Annotated[
        str,
        Meta(max_length=5000, description="A state of Distributed (default) or, where permitted, of Master."),
    ] = ""
    paths: Annotated[
        tuple[PathText, ...], Meta(max_length=10_000, description="What to pull; everything if empty.")
    ] = ()
    strategies: Strategies = Strategies.every(Strategy.MERGE)
    only_files: bool = False
    wait: Wait = 0


class Recall(Request, frozen=True, kw_only=True):
    """Delete distributed objects again, only where they are still as distributed.

    Scopes: ``others`` (from all instances but Distributed and the caller's own), ``students`` (from Distributed and
    so for later joiners, and from all personal and group instances), ``all`` (from every instance, Master included).
    """

    space: SpaceText
    distribution: (
        Annotated[int, Meta(ge=1, le=2**53, description="Recall what this distribution sent; or name paths.")]
        | None
    ) = None
    objects: Annotated[tuple[StagedObject, ...], Meta(max_length=10_000)] = ()
    scope: Annotated[str, Meta(pattern="^(others|students|all)$")] = "students"
    wait: Wait = 0


class TaskShow(Request, frozen=True, kw_only=True):
    id: Id
    wait: Wait = 0


class TaskList(Request, frozen=True, kw_only=True):
    space: SpaceText | None = None
    active: Annotated[bool, Meta(description="Only unfinished ones.")] = False
    limit: Limit = 100


class NotificationList(Request, frozen=True, kw_only=True):
    unread: bool = False
    limit: Limit = 100


class NotificationRead(Request, frozen=True, kw_only=True):
    ids: Annotated[tuple[Id, ...], Meta(max_length=10_000)]


class AuditList(Request, frozen=True, kw_only=True):
    space: SpaceText | None = None
    instance: InstanceText | None = None
    after: Annotated[int, Meta(ge=0, le=2**53, description="Only entries with larger ids.")] = 0
    limit: Limit = 1000


class Verify(Request, frozen=True, kw_only=True):
    wait: Wait = 0


class Repair(Request, frozen=True, kw_only=True):
    source: Annotated[
        str,
        Meta(
            max_length=4096,
            description="A copy of the store, a folder on the server or a URL, to take back from what is lost.",
        ),
    ] = ""
    wait: Wait = 0


class Collect(Request, frozen=True, kw_only=True):
    dry_run: Annotated[bool, Meta(description="Change nothing; say what would be freed.")] = False
    now: Annotated[
        bool,
        Meta(
            description="Also what was deleted in the last 24 hours, which can then not be brought back, "
            "and without the grace period."
        ),
    ] = False
    wait: Wait = 0


class UsageMeasure(Request, frozen=True, kw_only=True):
    """Whose usage: one instance's snapshot by snapshot, one space's, or that of all spaces."""

    space: SpaceText | None = None
    instance: InstanceText | None = None
    states: Annotated[
        tuple[StateText, ...],
        Meta(max_length=10_000, description="Also say what deleting these snapshots would free."),
    ] = ()
    folder: (
        Annotated[
            str,
            Meta(
                max_length=5000,
                description="Also say what each path in this folder of the instance needs; '' for all tables, "
                "applications, files and folders.",
            ),
        ]
        | None
    ) = None
    wait: Wait = 0


_Number = Annotated[int, Meta(ge=0, le=100_000)]


class RetentionSet(Request, frozen=True, kw_only=True):
    """A rule in place of the one there is; without any number or period, all snapshots are kept."""

    space: SpaceText
    last: _Number = 0
    hourly: _Number = 0
    daily: _Number = 0
    weekly: _Number = 0
    monthly: _Number = 0
    yearly: _Number = 0
    within: Annotated[
        str,
        Meta(max_length=60, description="A period such as 30d or 1y6m: years, months, weeks, days, hours."),
    ] = ""
    manual: Annotated[bool, Meta(description="The rule is about snapshots taken by hand, too.")] = False
    named: Annotated[bool, Meta(description="The rule is about named snapshots, too.")] = False


class Forget(Request, frozen=True, kw_only=True):
    space: SpaceText
    dry_run: Annotated[bool, Meta(description="Delete nothing; say what would be kept, and why.")] = False
    wait: Wait = 0


class ScheduleSet(Request, frozen=True, kw_only=True):
    instance: InstanceText
    minutes: (
        Annotated[
            int, Meta(ge=0, le=525_600, description="0 never takes any; null follows the server's setting.")
        ]
        | None
    )
