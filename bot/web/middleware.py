"""What holds for every request: one shape of errors, and headers that keep browsers safe."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.model.errors import Bug, CrossfadeError
from bot.model.events import Event
from bot.web.errors import BUG, Failure, error_json, failure_of, failure_of_status
from bot.web.pages import Pages

log = logging.getLogger(__name__)


def one_error_shape(pages: Pages) -> Middleware:
    """Every failure becomes a page under ``/oauth/`` and JSON elsewhere. Nothing of the request is ever echoed."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except CrossfadeError as error:
            if isinstance(error, Bug):
                log.exception(Event.BUG, extra={"where": request.path, "error": error})
            return _answer(request, failure_of(error), pages)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = _answer(request, failure_of_status(error.status), pages)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
        except Exception as error:
            log.exception(Event.BUG, extra={"where": request.path, "error": error})
            return _answer(request, BUG, pages)

    return middleware


def add_security_headers(style_hash: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Headers for every answer; ``style_hash`` is the only style that a page may carry, and there are no scripts."""
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src '{style_hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",  # the address of a callback holds its code
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
        "Server": "crossfade",
    }

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    return add


def _answer(request: web.Request, failure: Failure, pages: Pages) -> web.Response:
    if request.path.startswith("/oauth/"):
        return pages.failure(failure)
    return error_json(failure.status, failure.code, failure.message)
