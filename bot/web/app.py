"""The web application: its routes, and what it needs from the rest of the program."""

from aiohttp import web

from bot.clock import Clock
from bot.web import health, oauth, stats
from bot.web.middleware import add_security_headers, one_error_shape
from bot.web.pages import Pages

BODY_LIMIT = 16 * 1024  # bytes; no route reads a body


def make_app(
    *, oauth_door: oauth.OAuthDoor, dashboard: stats.DashboardSource, ready: health.Ready, clock: Clock
) -> web.Application:
    """The application, not yet listening. ``ready`` returns when the program can work and raises when it cannot."""
    pages = Pages()
    app = web.Application(middlewares=[one_error_shape(pages)], client_max_size=BODY_LIMIT)
    app.on_response_prepare.append(add_security_headers(pages.style_hash))
    app.add_routes(health.routes(ready, clock))
    app.add_routes(oauth.routes(oauth_door, pages))
    app.add_routes(stats.routes(dashboard))
    return app
