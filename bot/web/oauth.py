"""OAuth in the browser: the start, which leads to the service's consent page, and the callback, which leads back."""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web

from bot.model.account import Account
from bot.model.errors import NotFound, UserMistake
from bot.model.music import Service
from bot.web.pages import Pages

STATE_LIMIT = 512  # characters; ours have 43
CODE_LIMIT = 4096


class OAuthDoor(Protocol):
    """What ``bot.services.oauth.OAuth`` does. A state that cannot be used raises UserMistake, its reason as code."""

    async def authorize_url(self, service: Service, state: str) -> str:
        """The service's consent page for this state, which stays unused."""
        ...

    async def finish(self, service: Service, state: str, code: str) -> Account:
        """Use the state up, trade ``code`` for tokens, and keep the account until its person confirms it."""
        ...

    async def refuse(self, service: Service, state: str) -> None:
        """Use the state up: its person said no."""
        ...


def routes(oauth: OAuthDoor, pages: Pages) -> Iterable[web.RouteDef]:
    async def start(request: web.Request) -> web.Response:
        service = _service(request)
        location = await oauth.authorize_url(service, _single(request, "state", STATE_LIMIT))
        return web.Response(status=302, headers={"Location": location})

    async def callback(request: web.Request) -> web.Response:
        service = _service(request)
        state = _single(request, "state", STATE_LIMIT)
        if "error" in request.query:
            await oauth.refuse(service, state)
            raise _denied(request, service)
        account = await oauth.finish(service, state, _single(request, "code", CODE_LIMIT))
        return pages.linked(account)

    return [
        web.get("/oauth/{service}/start", start),
        # A HEAD request, as previews and scanners send them, must not use the state up.
        web.get("/oauth/{service}/callback", callback, allow_head=False),
    ]


def _service(request: web.Request) -> Service:
    try:
        return Service(request.match_info["service"])
    except ValueError:
        raise NotFound("no such service") from None


def _single(request: web.Request, name: str, limit: int) -> str:
    values = request.query.getall(name, [])
    if len(values) != 1 or not 0 < len(values[0]) <= limit or not values[0].isprintable():
        raise UserMistake(
            "This link is not complete; go back to Discord and press the button there again.", code="bad_link"
        )
    return values[0]


def _denied(request: web.Request, service: Service) -> UserMistake:
    if request.query.get("error") == "access_denied":
        sentence = f"{service.label} was not linked because its consent page was declined. Nothing was changed."
        return UserMistake(sentence, code="consent_denied")
    sentence = f"{service.label} did not give its consent. Go back to Discord and press the button there again."
    return UserMistake(sentence, code="consent_failed")
