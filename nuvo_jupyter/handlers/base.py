"""What all handlers share: JSON errors, no caching, one authorisation resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import HTTPError

from nuvo_jupyter.model.errors import NotFound, NuvoError

if TYPE_CHECKING:
    from nuvo_jupyter.handlers.background import Background
    from nuvo_jupyter.handlers.waiting import Waiting

_CODES = {
    400: "invalid_input",
    401: "not_authenticated",
    403: "refused",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    503: "service_unavailable",
}
_HINTS = {
    "not_authenticated": "Log in, or send the server's token: `Authorization: token …`.",
    "method_not_allowed": "The methods of each path are listed in /nuvo/api/openapi.json.",
}


class NuvoHandler(ExtensionHandlerMixin, APIHandler):
    """Base of all handlers."""

    auth_resource = "nuvo"

    @property
    def background(self) -> Background:
        """Where the engine is called."""
        return cast("Background", self.settings["nuvo_background"])

    @property
    def waiting(self) -> Waiting:
        """Where to wait for tasks."""
        return cast("Waiting", self.settings["nuvo_waiting"])

    def set_default_headers(self) -> None:
        """Forbid caching: answers depend on who asks and when."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def compute_etag(self) -> None:
        """No conditional answers, as nothing is cached."""
        return

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer ``{code, message, hint}``; an unexpected exception's text stays in the server's log."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, NuvoError):
            body = error.to_dict()
        else:
            anonymous = status_code == 403 and not self.current_user
            code = "not_authenticated" if anonymous else _CODES.get(status_code, "error")
            message = "Something went wrong inside the server; its log says what."
            if isinstance(error, HTTPError):
                message = error.log_message or self._reason
            elif status_code < 500:
                message = self._reason
            hint = _HINTS.get(code)
            body = {"code": code, "message": str(message), "hint": hint}
        self.finish(msgspec.json.encode(body))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Give errors of Nuvo the status they declare."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        super().send_error(error.status if isinstance(error, NuvoError) else status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Errors meant for users are no faults of the server: no traceback for them."""
        if isinstance(value, NuvoError):
            if value.status >= 500:
                self.log.error("%s: %s", value.code, value.message)
            return
        super().log_exception(typ, value, tb)


class UnknownPathHandler(NuvoHandler):
    """Answers for every path below the API that is no operation's."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse, after authentication."""
        await super().prepare()
        if not self.current_user:
            raise HTTPError(403)
        raise NotFound(
            f"There is no {self.request.path}.", hint="All paths are listed in /nuvo/api/openapi.json."
        )
