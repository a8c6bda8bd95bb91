"""Who the caller is, and which instance a folder belongs to."""

from __future__ import annotations

from nuvo_jupyter.catalog.notifications import count_unread
from nuvo_jupyter.catalog.spaces import get_instance
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.folders import instance_at, resolve_folder, suggested_space
from nuvo_jupyter.model.requests import Nothing, OfFolder
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.status import Located, Status


def status(call: Call, _request: Nothing) -> Status:
    """Who and where the caller is."""
    from nuvo_jupyter import __version__

    with call.read() as connection:
        access = call.access(connection)
        unread = count_unread(connection, call.who)
        met = access.organization()
    return Status(
        version=__version__,
        mode="embedded",
        username=call.who,
        organization=call.engine.settings.organization,
        rights=tuple(need.value for need in Need if need in met),
        home=str(call.engine.home),
        unread=unread,
        mail=bool(call.engine.settings.smtp_host),
    )


def locate(call: Call, request: OfFolder) -> Located:
    """Which instance a folder belongs to; instances the caller may not know of are passed over."""
    folder = resolve_folder(request.folder)
    with call.read() as connection:
        found = instance_at(connection, folder)
        if found is not None:
            row = get_instance(connection, found[0])
            if Need.OBSERVER in call.access(connection).instance(row):
                return Located(f"{row.space}/{row.name}", found[1], row.space, row.state_description)
        return Located(None, "", suggested_space(connection, folder))
