"""Content of files sent to browsers: streamed, and never run on the server's origin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from nuvo_jupyter.engine.operations import Raw

if TYPE_CHECKING:
    from nuvo_jupyter.handlers.base import NuvoHandler


async def send_raw(handler: NuvoHandler, raw: Raw) -> None:
    """Stream ``raw`` as a download.

    The content may be a student's HTML: it is sent as an attachment, without sniffing, and sandboxed by its
    Content-Security-Policy should a browser show it all the same.
    """
    chunks = iter(raw.body)
    try:
        # Before the headers, so that damaged or missing content is answered with an error.
        chunk = await handler.background.run(lambda: next(chunks, None))
        handler.set_header("Content-Type", raw.media_type)
        handler.set_header("Content-Disposition", disposition(raw.filename))
        handler.set_header("X-Content-Type-Options", "nosniff")
        handler.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        if raw.size is not None:
            handler.set_header("Content-Length", str(raw.size))
        while chunk is not None:
            handler.write(chunk)
            await handler.flush()
            chunk = await handler.background.run(lambda: next(chunks, None))
        await handler.finish(set_content_type=raw.media_type)
    except Exception:
        if not handler._headers_written:
            raise
        # Too late for a status: a cut connection is all that tells the client not to trust what it has.
        handler.log.exception("Sending %r broke off", raw.filename)
        handler.detach().close()
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            await handler.background.run(close)


def disposition(filename: str) -> str:
    """The ``Content-Disposition`` of a download (RFC 6266), whatever characters the name holds."""
    if not filename:
        return "attachment"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
