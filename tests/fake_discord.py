"""A small Discord over real HTTP and a real gateway: just enough for one bot in one server."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

BOT, OWNER, GUILD, CHANNEL, EVERYONE = 9001, 101, 77, 7701, 77
TOKEN = "the-right.token"
ALL_PERMISSIONS = str((1 << 50) - 1)
HEARTBEAT_MS = 200  # short, so that a test sees several

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 7, 9, 10, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the bot did about one interaction: its first word after ``seconds``, and its message at the end."""

    seconds: float
    callback: dict[str, Any]
    message: dict[str, Any]


class FakeDiscord:
    """The other end of a bot; what it saw is kept in plain fields.

    ``identified`` and ``resumed`` count sessions begun and taken up again, ``beats`` heartbeats; ``commands`` is the
    latest set that was synced, by name; ``unknown`` lists requests that no route here answers.
    """

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.address = ""
        self.close_code = 0  # a gateway that refuses every session with this code; 0: it takes them
        self.identified = 0
        self.resumed = 0
        self.beats = 0
        self.commands: dict[str, dict[str, Any]] = {}
        self.synced_to: str = ""
        self.unknown: list[str] = []
        self._ids = itertools.count(500_000)
        self._numbers = itertools.count(1)
        self._socket: web.WebSocketResponse | None = None
        self._changed = asyncio.Condition()
        self._callbacks: dict[str, tuple[float, dict[str, Any]]] = {}
        self._messages: dict[str, dict[str, Any]] = {}

    @property
    def settings(self) -> dict[str, str]:
        """What a bot needs in its environment to come here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_URL": f"http://{self.address}/api/v10",
            "DISCORD_GATEWAY_URL": f"ws://{self.address}/gateway",
        }

    async def until(self, condition: Any, seconds: float = 30.0) -> None:
        """Wait until ``condition()`` holds; it is looked at whenever the bot does something."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def press(self, command: str, seconds: float = 10.0, **options: str) -> Answer:
        """Somebody types a slash command; returns once the bot's message stands."""
        token = f"interaction-{next(self._ids)}"
        began = time.monotonic()
        await self._dispatch("INTERACTION_CREATE", self._interaction(command, token, options))
        await self.until(lambda: token in self._messages, seconds)
        at, callback = self._callbacks[token]
        return Answer(seconds=at - began, callback=callback, message=self._messages[token])

    async def acknowledged(self, command: str, seconds: float = 10.0) -> float:
        """Seconds until the bot's first word about a command that somebody types, whatever it says later."""
        token = f"interaction-{next(self._ids)}"
        began = time.monotonic()
        await self._dispatch("INTERACTION_CREATE", self._interaction(command, token, {}))
        await self.until(lambda: token in self._callbacks, seconds)
        return self._callbacks[token][0] - began

    async def drop(self) -> None:
        """Cut the gateway's connection without a word, as a failing network does."""
        assert self._socket is not None
        transport = self._socket._req.transport if self._socket._req is not None else None
        assert transport is not None
        transport.abort()

    async def ask_to_reconnect(self) -> None:
        """What Discord says before it moves a connection elsewhere."""
        await self._send({"op": _RECONNECT, "d": None})

    # The gateway

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": _HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._heard(socket, json.loads(message.data))
        return socket

    async def _heard(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        match said["op"]:
            case 1:
                await socket.send_json({"op": _ACK})
                await self._note("beats")
            case 2 if self.close_code or said["d"]["token"] != self.token:
                await socket.close(code=self.close_code or 4004)
            case 2:
                self._socket = socket
                await self._dispatch("READY", self._ready())
                await self._dispatch("GUILD_CREATE", _guild())
                await self._note("identified")
            case 6:
                self._socket = socket
                await self._dispatch("RESUMED", {})
                await self._note("resumed")

    async def _note(self, what: str) -> None:
        async with self._changed:
            setattr(self, what, getattr(self, what) + 1)
            self._changed.notify_all()

    async def _dispatch(self, name: str, data: dict[str, Any]) -> None:
        await self._send({"op": _DISPATCH, "s": next(self._numbers), "t": name, "d": data})

    async def _send(self, payload: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send_json(payload)

    def _ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": _user(BOT, "Crossfade", bot=True),
            "guilds": [{"id": str(GUILD), "unavailable": True}],
            "session_id": "a-session",
            "resume_gateway_url": f"ws://{self.address}/gateway",
            "application": {"id": str(BOT), "flags": 0},
        }

    def _interaction(self, command: str, token: str, options: dict[str, str]) -> dict[str, Any]:
        known = self.commands[command]
        return {
            "id": str(next(self._ids)),
            "application_id": str(BOT),
            "type": 2,
            "token": token,
            "version": 1,
            "guild_id": str(GUILD),
            "guild": {"id": str(GUILD), "locale": "en-US", "features": []},
            "channel": _channel(),
            "channel_id": str(CHANNEL),
            "member": {**_member(OWNER, "alice"), "permissions": ALL_PERMISSIONS},
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": ALL_PERMISSIONS,
            "attachment_size_limit": 8_000_000,
            "context": 0,
            "authorizing_integration_owners": {"0": str(GUILD)},
            "entitlements": [],
            "data": {
                "id": known["id"],
                "name": command,
                "type": 1,
                "options": [{"name": name, "type": 3, "value": value} for name, value in options.items()],
            },
        }

    # The API

    def _routes(self) -> list[web.RouteDef]:
        api, application, hook = "/api/v10", f"/applications/{BOT}", f"/webhooks/{BOT}/{{token}}"
        return [
            web.get(api + "/users/@me", self._me),
            web.get(api + "/oauth2/applications/@me", self._application),
            web.get(api + f"/guilds/{GUILD}", self._own_guild),
            web.get(api + f"/guilds/{GUILD}/members/{OWNER}", self._member),
            web.put(api + application + "/commands", self._sync),
            web.put(api + application + f"/guilds/{GUILD}/commands", self._sync),
            web.post(api + "/interactions/{id}/{token}/callback", self._callback),
            web.patch(api + hook + "/messages/@original", self._original),
            web.post(api + f"/channels/{CHANNEL}/messages", self._post),
            web.patch(api + f"/channels/{CHANNEL}/messages/{{id}}", self._post),
            web.get("/gateway", self._gateway),
            web.route("*", "/{rest:.*}", self._nowhere),
        ]

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Discord's 401 for every call of its API without the right token; interactions carry a token of their own."""
        own = "/interactions/" in request.path or "/webhooks/" in request.path or request.path == "/gateway"
        if not own and request.headers.get("Authorization") != f"Bot {self.token}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        answer: web.StreamResponse = await handler(request)
        async with self._changed:
            self._changed.notify_all()
        return answer

    async def _me(self, _: web.Request) -> web.Response:
        return _json(_user(BOT, "Crossfade", bot=True))

    async def _application(self, _: web.Request) -> web.Response:
        return _json(
            {
                "id": str(BOT), "name": "Crossfade", "description": "", "icon": None, "bot_public": False,
                "bot_require_code_grant": False, "owner": _user(OWNER, "alice"), "team": None, "verify_key": "00",
                "flags": 0,
            }
        )  # fmt: skip

    async def _own_guild(self, _: web.Request) -> web.Response:
        return _json(_guild())

    async def _member(self, _: web.Request) -> web.Response:
        return _json(_member(OWNER, "alice"))

    async def _sync(self, request: web.Request) -> web.Response:
        known = [
            {**each, "id": str(next(self._ids)), "application_id": str(BOT), "version": "1"}
            for each in await request.json()
        ]
        self.commands = {each["name"]: each for each in known}
        self.synced_to = "guild" if "/guilds/" in request.path else "everywhere"
        return _json(known)

    async def _callback(self, request: web.Request) -> web.Response:
        token, said = request.match_info["token"], await _payload(request)
        self._callbacks[token] = (time.monotonic(), said)
        if said["type"] == 4:
            self._messages[token] = said["data"]
        shown = self._message(said.get("data") or {})
        kept = {"id": request.match_info["id"], "type": 2, "response_message_id": shown["id"]}
        return _json({"interaction": kept, "resource": {"type": said["type"], "message": shown}})

    async def _original(self, request: web.Request) -> web.Response:
        said = await _payload(request)
        self._messages[request.match_info["token"]] = said
        return _json(self._message(said))

    async def _post(self, request: web.Request) -> web.Response:
        return _json(self._message(await _payload(request)))

    async def _nowhere(self, request: web.Request) -> web.Response:
        self.unknown.append(f"{request.method} {request.path}")
        return _json({"message": "404: Not Found", "code": 0}, status=404)

    def _message(self, said: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(next(self._ids)), "channel_id": str(CHANNEL), "author": _user(BOT, "Crossfade", bot=True),
            "content": said.get("content") or "", "timestamp": "2026-11-21T12:00:00+00:00", "edited_timestamp": None,
            "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [],
            "embeds": said.get("embeds") or [], "pinned": False, "type": 0, "flags": said.get("flags") or 0,
            "components": [],
        }  # fmt: skip


@asynccontextmanager
async def open_discord() -> AsyncIterator[FakeDiscord]:
    """A Discord on loopback, closed with its connections at the end."""
    discord = FakeDiscord()
    app = web.Application(middlewares=[discord._door])
    app.add_routes(discord._routes())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    discord.address = f"{host}:{port}"
    try:
        yield discord
    finally:
        await runner.cleanup()


def _json(body: Any, *, status: int = 200) -> web.Response:
    """As Discord writes it: a library takes an answer for JSON only with exactly this type."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers={"Content-Type": "application/json"})


async def _payload(request: web.Request) -> dict[str, Any]:
    """The JSON of a request, which stands in a part of its own where files come along."""
    if request.content_type == "multipart/form-data":
        form = await request.post()
        said: dict[str, Any] = json.loads(str(form["payload_json"]))
        return said
    body: dict[str, Any] = await request.json()
    return body


def _user(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(number), "username": name, "discriminator": "0", "global_name": name, "avatar": None, "bot": bot,
    }  # fmt: skip


def _member(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "user": _user(number, name, bot=bot), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
        "mute": False, "flags": 0, "nick": None, "avatar": None, "premium_since": None, "pending": False,
    }  # fmt: skip


def _channel() -> dict[str, Any]:
    return {
        "id": str(CHANNEL), "type": 0, "name": "music", "guild_id": str(GUILD), "position": 0,
        "permission_overwrites": [], "nsfw": False, "topic": None, "parent_id": None, "rate_limit_per_user": 0,
    }  # fmt: skip


def _guild() -> dict[str, Any]:
    everyone = {
        "id": str(EVERYONE), "name": "@everyone", "color": 0, "hoist": False, "position": 0,
        "permissions": ALL_PERMISSIONS, "managed": False, "mentionable": False, "flags": 0,
    }  # fmt: skip
    return {
        "id": str(GUILD), "name": "Friends of good music", "icon": None, "splash": None, "discovery_splash": None,
        "owner_id": str(OWNER), "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [everyone], "emojis": [],
        "features": [], "mfa_level": 0, "application_id": None, "system_channel_id": None, "system_channel_flags": 0,
        "rules_channel_id": None, "description": None, "banner": None, "premium_tier": 0, "preferred_locale": "en-US",
        "public_updates_channel_id": None, "nsfw_level": 0, "premium_progress_bar_enabled": False, "stickers": [],
        "joined_at": "2026-01-01T00:00:00+00:00", "large": False, "unavailable": False, "member_count": 2,
        "voice_states": [], "members": [_member(BOT, "Crossfade", bot=True)], "channels": [_channel()], "threads": [],
        "presences": [], "stage_instances": [], "guild_scheduled_events": [], "vanity_url_code": None,
    }  # fmt: skip
