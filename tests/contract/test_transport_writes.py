"""Each write is sent exactly once, and what came of it is told for certain or called uncertain."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model.account import Token
from bot.model.errors import RetryLater, UnknownOutcome
from bot.model.music import Profile, Service
from bot.services.config import ServiceConfig
from bot.services.protocol import MusicService
from bot.services.registry import MusicServices
from bot.services.spotify.login import SCOPES as SPOTIFY_SCOPES
from bot.services.youtube.login import SCOPES as YOUTUBE_SCOPES
from tests.contract.misbehaving import Fault, Misbehaving
from tests.contract.music_room import ALICE, GUILD, Room, music_room

SCOPES = {Service.SPOTIFY: SPOTIFY_SCOPES, Service.YOUTUBE: YOUTUBE_SCOPES}
PLAYLIST, TRACK, ENTRY = "37i9dQZF1DX0XUsuxWHRQd", "4iV5W9uYEdYUVa79Axb7Rh", "entry"

Write = Callable[[MusicService], Awaitable[object]]
WRITES: dict[str, Write] = {
    "add": lambda service: service.add(PLAYLIST, [TRACK]),
    "add at a position": lambda service: service.add(PLAYLIST, [TRACK], position=3),
    "remove": lambda service: service.remove(PLAYLIST, TRACK, ENTRY),
    "move": lambda service: service.move(PLAYLIST, TRACK, ENTRY, 4, 1),
    "rename": lambda service: service.rename(PLAYLIST, "New name"),
    "create": lambda service: service.create("Fresh"),
}
READS: dict[str, Write] = {
    "whoami": lambda service: service.whoami(),
    "playlists": lambda service: service.playlists(),
    "playlist": lambda service: service.playlist(PLAYLIST),
    "content": lambda service: service.content(PLAYLIST),
    "search": lambda service: service.search("a song"),
    "copies": lambda service: service.copies(PLAYLIST, [TRACK]),
}


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    opened = Misbehaving()
    yield opened
    opened.close()


@pytest.fixture
async def room(sqlite_url: str, server: Misbehaving) -> AsyncIterator[Room]:
    config = ServiceConfig(
        spotify_client_id="id",
        google_client_id="id",
        google_client_secret="secret",
        spotify_api_url=f"{server.url}/v1",
        spotify_accounts_url=server.url,
        youtube_api_url=server.url,
        google_token_url=f"{server.url}/token",
        connect_seconds=1,
        read_seconds=0.3,
    )
    async with music_room(sqlite_url, config) as opened:
        yield opened


async def linked(
    room: Room, service: Service, scopes: tuple[str, ...] | None = None, refresh_token: str = "refresh"
) -> int:
    """An account whose token is good for a month, put straight into the database."""
    now = room.clock.now()
    account = await room.storage.accounts.add_pending(
        discord_user_id=ALICE,
        guild_id=GUILD,
        profile=Profile(service=service, account_id="alice", display_name="Alice"),
        token=Token(
            access_token="access",
            refresh_token=refresh_token,
            expires_at=now + timedelta(days=30),
            scopes=SCOPES[service] if scopes is None else scopes,
        ),
        granted_at=now,
        token_dies_at=None,
    )
    await room.storage.accounts.confirm(account.id)
    return account.id


@pytest.fixture(params=list(Service))
async def adapter(request: pytest.FixtureRequest, room: Room, server: Misbehaving) -> MusicService:
    service: Service = request.param
    server.read_answer = {"items": [{"id": PLAYLIST, "snippet": {"title": "Old name", "description": "Kept"}}]}
    return await room.services.for_account(await linked(room, service))


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("write", WRITES)
async def test_a_write_with_a_bad_answer_is_committed_once_and_called_uncertain(
    adapter: MusicService, server: Misbehaving, write: str, fault: Fault
) -> None:
    if (adapter.service, write, fault) == (Service.SPOTIFY, "rename", Fault.EMPTY):
        pytest.skip("an empty answer is how Spotify says that the name was changed")
    if (adapter.service, write, fault) == (Service.SPOTIFY, "rename", Fault.ELSE):
        pytest.skip("Spotify's answer to a change of name is read for nothing but its status")
    if (adapter.service, write, fault) == (Service.YOUTUBE, "remove", Fault.ELSE):
        pytest.skip("YouTube's answer to a deletion is read for nothing but its status")
    server.fault = fault
    with pytest.raises(UnknownOutcome):
        await WRITES[write](adapter)
    assert len(server.commits) == 1


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.TIMEOUT])
async def test_a_write_on_a_kept_connection_that_dies_is_not_sent_again(
    adapter: MusicService, server: Misbehaving, fault: Fault
) -> None:
    await adapter.add(PLAYLIST, [TRACK])  # leaves a connection for the next one
    server.fault = fault
    with pytest.raises(UnknownOutcome):
        await adapter.add(PLAYLIST, [TRACK])
    assert len(server.commits) == 2


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.ELSE])
@pytest.mark.parametrize("read", READS)
async def test_a_read_with_a_bad_answer_is_asked_once_and_can_be_asked_later(
    adapter: MusicService, server: Misbehaving, read: str, fault: Fault
) -> None:
    server.fault, server.spoils_reads = fault, True
    with pytest.raises(RetryLater):
        await READS[read](adapter)
    assert len(server.seen) == 1


@pytest.mark.parametrize("write", WRITES)
async def test_a_good_answer_is_one_write(adapter: MusicService, server: Misbehaving, write: str) -> None:
    await WRITES[write](adapter)
    assert len(server.commits) == 1


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_that_found_no_server_certainly_did_nothing(room: Room, write: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for service in Service:
        account_id = await linked(room, service)
        dead = f"http://127.0.0.1:{port}"
        config = ServiceConfig(
            spotify_client_id="id", google_client_id="id", spotify_api_url=f"{dead}/v1", youtube_api_url=dead
        )
        services = MusicServices(config, room.storage, _Free(), room.clock, room.facts.append)
        adapter = await services.for_account(account_id)
        with pytest.raises(RetryLater) as caught:
            await WRITES[write](adapter)
        assert caught.value.code == "unreachable"
        await services.close()


async def test_a_charge_stays_when_the_call_fails(adapter: MusicService, server: Misbehaving, room: Room) -> None:
    server.fault = Fault.ERROR_503
    with pytest.raises(UnknownOutcome):
        await adapter.add(PLAYLIST, [TRACK])
    spent = await room.ledger()
    expected = {
        Service.SPOTIFY: {("spotify.calls", "playlist.items.add"): 1},
        Service.YOUTUBE: {("youtube.units", "playlistItems.insert"): 50},
    }
    assert spent == expected[adapter.service]


async def test_a_password_file_and_a_proxy_of_the_machine_do_not_get_between(
    adapter: MusicService, server: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    await adapter.add(PLAYLIST, [TRACK])
    assert server.seen[0].headers["authorization"] == "Bearer access"


class _Free:
    """Accounting that lets everything through."""

    async def spend(self, bucket: object, operation: str, *, units: int, mapping_id: int, calls: int = 1) -> None:
        return

    async def exhaust(self, bucket: object) -> None:
        raise AssertionError("nobody said that a quota is spent")
