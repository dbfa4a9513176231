"""Starts runtime, web server, Discord, scheduler and executor, and stops them in reverse order."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import discord
from aiohttp import web

from bot.client import CrossfadeBot, aim
from bot.config import Settings, require_discord_token
from bot.logs.setup import open_logs
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.runtime import Runtime, open_runtime
from bot.web.app import make_app
from bot.web.server import open_web
from storage.leader import Leadership, leading

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0  # what is in flight has this long to be settled before the process goes

AUTHENTICATION_FAILED = 4004  # close code of Discord's gateway
_COPY_ANEW = "Discord refused DISCORD_TOKEN; copy it anew from the developer portal (Bot → Reset Token)."


async def run_app(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises UserMistake for what its owner can put right."""
    token = require_discord_token(settings)
    aim(settings.discord_api_url, settings.discord_gateway_url)
    async with AsyncExitStack() as stack:
        logs = stack.enter_context(
            open_logs(level=settings.log_level, log_format=settings.log_format, secrets=settings.secret_values)
        )
        runtime = await stack.enter_async_context(open_runtime(settings, logs))
        await stack.enter_async_context(open_web(web_app(runtime), host=settings.http_host, port=settings.http_port))
        leadership = await stack.enter_async_context(leading(runtime.storage.db))
        await stack.enter_async_context(at_work(runtime))
        bot = await stack.enter_async_context(CrossfadeBot(runtime))
        await _until_told_to_stop(bot, token, leadership)


def web_app(runtime: Runtime) -> web.Application:
    """The web application over an open runtime."""

    async def ready() -> None:
        await runtime.storage.meta.get("ready")

    return make_app(oauth_door=runtime.oauth, dashboard=runtime.stats, ready=ready, clock=runtime.clock)


@asynccontextmanager
async def at_work(runtime: Runtime) -> AsyncIterator[None]:
    """The engine works by itself while this is open: what a dead process left is taken up first."""
    log.info(Event.SYSTEM_STARTED)
    await runtime.executor.recover()
    worker = asyncio.create_task(runtime.executor.run_forever(), name="executor")
    await runtime.scheduler.start()
    try:
        yield
    finally:
        await runtime.scheduler.stop()
        worker.cancel()
        done, _ = await asyncio.wait([worker], timeout=STOP_SECONDS)
        if done and not worker.cancelled() and (error := worker.exception()) is not None:
            log.error(Event.BUG, extra={"error": str(error)}, exc_info=error)
        log.info(Event.SYSTEM_STOPPED)


async def _until_told_to_stop(bot: CrossfadeBot, token: str, leadership: Leadership) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    discord_task = asyncio.create_task(bot.start(token), name="discord")
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    lost = asyncio.create_task(leadership.lost(), name="leadership")
    try:
        await asyncio.wait([discord_task, stopping, lost], return_when=asyncio.FIRST_COMPLETED)
        if discord_task.done():
            _explained(discord_task)
        if lost.done():
            raise UserMistake("The connection to the database was lost; start the bot again once the server runs.")
    finally:
        stopping.cancel()
        lost.cancel()
        await bot.close()
        with contextlib.suppress(Exception):  # it was reported above, or comes from closing under its feet
            await discord_task


def _explained(task: "asyncio.Task[None]") -> None:
    """Raise what ended the connection to Discord, in words for its owner."""
    try:
        task.result()
    except discord.LoginFailure as error:
        raise UserMistake(_COPY_ANEW) from error
    except discord.PrivilegedIntentsRequired as error:
        raise UserMistake("Discord refused the bot's intents; turn them on in the developer portal.") from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise UserMistake(_COPY_ANEW) from error
        raise UserMistake(
            f"Discord ended the connection for good (code {error.code}); the developer portal's page on gateway close"
            " codes tells why."
        ) from error
    except (discord.HTTPException, discord.GatewayNotFound, OSError) as error:
        raise UserMistake(f"Discord cannot be reached now ({type(error).__name__}); try again in a minute.") from error
