"""The listening side of the web application."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.model.errors import UserMistake

# aiohttp closes a connection that has not brought a whole request within this time, be it silent or trickling, and one
# that idles as long after an answer; without it half-open connections would gather until no file is left to open.
IDLE_SECONDS = 15.0
LINGER_SECONDS = 5.0  # for reading, and throwing away, a body that nobody asked for
SHUTDOWN_SECONDS = 5.0


class AddressUnusable(UserMistake):
    """The web server cannot listen where the settings say."""

    code = "address_unusable"


class PortTaken(AddressUnusable):
    """Another program listens there."""

    code = "port_taken"


@asynccontextmanager
async def open_web(
    app: web.Application, *, host: str, port: int, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[str]:
    """Serve ``app`` while open; yields its address, with the real port where ``port`` is 0.

    Raises PortTaken or AddressUnusable.
    """
    runner = web.AppRunner(
        app,
        access_log=None,  # the query of a callback is secret
        keepalive_timeout=idle_seconds,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise address_error(error, host, port) from None
        yield _address(runner)
    finally:
        await runner.cleanup()


def address_error(error: OSError, host: str, port: int) -> AddressUnusable:
    """The sentence for an address on which a server could not listen."""
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"Port {port} on {host} is taken by another program; stop it, or set HTTP_PORT to another port"
            " (and PUBLIC_URL with it)."
        )
    if error.errno == errno.EACCES:
        return AddressUnusable(f"Port {port} may not be used by this user; set HTTP_PORT to a port above 1023.")
    return AddressUnusable(f"{host} is not an address of this machine; set HTTP_HOST to 127.0.0.1 or 0.0.0.0.")


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
