"""Promises that other programs hold the bot to: the books, the log of a sync, and what must stand nowhere in clear."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.once import sync_once
from bot.model.music import Service
from bot.services.config import ServiceConfig
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.misbehaving import Misbehaving
from tests.contract.music_room import ALICE, NotingClock, music_room
from tests.contract.test_engine_crashes import start
from tests.contract.test_transport_writes import linked


async def synced_through_faults(engine: Engine, destination: Service) -> None:
    """A whole sync with every third call broken, and a second one in peace."""
    mapping = await start(engine, destination)
    engine.sandbox.faults.random(0.3, seed=11)
    await engine.executor.drain(mapping.id, patience=timedelta(hours=3))
    engine.sandbox.faults.clear()
    engine.clock.advance(120)
    await engine.sync.start(mapping.id, ALICE)
    await engine.executor.drain(mapping.id)


@pytest.mark.parametrize("destination", list(Service))
async def test_the_ledger_equals_the_services_own_books_after_a_sync_with_faults(
    destination: Service, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock, settle_lag=30) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await synced_through_faults(engine, destination)
            spent: dict[str, int] = {}
            for (bucket, _), units in (await engine.ledger()).items():
                spent[bucket] = spent.get(bucket, 0) + units
            assert spent["youtube.units"] == sandbox.books.units()
            assert spent.get("youtube.search", 0) == sandbox.books.searches()
            assert spent["spotify.calls"] == len(sandbox.books.requests("spotify"))


async def test_no_token_stands_in_clear_in_any_file_of_the_database(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await synced_through_faults(engine, Service.YOUTUBE)
            accounts = await engine.storage.accounts.of_user(ALICE)
            tokens = [await engine.storage.accounts.token(account.id) for account in accounts]
            path = Path(sqlite_url.partition("///")[2])
            files = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    secrets = [secret for token in tokens for secret in (token.access_token, token.refresh_token)]
    assert len(secrets) == 4
    assert len(files) > 100_000
    assert not [secret for secret in secrets if secret.encode() in files]


async def test_the_log_of_a_sync_stands_in_the_database_of_a_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With level, job type, mapping, run and item, although its terminal shows nothing but errors."""
    assert await sync_once(data=tmp_path, seed=1, json_output=True) == 0
    assert "Processing item" not in capsys.readouterr().err
    with closing(sqlite3.connect(tmp_path / "crossfade.db")) as database:
        lines = database.execute(
            "SELECT level, job_type, mapping_id IS NULL, run_id IS NULL, sync_item_id IS NULL, message FROM logs"
        ).fetchall()
        secret = database.execute("SELECT COUNT(*) FROM logs WHERE message || details LIKE '%Bearer%'").fetchone()
    told = {(level, job, *known, message.split(" ")[0]) for level, job, *known, message in lines}
    assert {
        ("info", "analysis", 0, 1, 1, "Starting"),
        ("info", "analysis", 0, 0, 1, "Found"),
        ("info", "analysis", 0, 0, 1, "Analysis"),
        ("info", "execution", 0, 0, 0, "Processing"),
        ("info", "execution", 0, 0, 0, "Successfully"),
    } <= told
    assert secret == (0,)


async def test_unchanged_playlists_cost_one_call_each_after_a_restart_too(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await synced_through_faults(engine, Service.YOUTUBE)
            clock.advance(120)
            [mapping] = await engine.storage.mappings.all_enabled()
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            before = len(sandbox.books.requests())
            await engine.sync.start(mapping.id, ALICE)
        asked = [one.path for one in sandbox.books.requests()[before:]]
    assert asked == ["/v1/me/playlists", "/youtube/v3/playlists"]


def strange_spotify_page(count: int, start: int = 0) -> dict[str, object]:
    """As the documents allow it: fields that nobody asked for, a null, an absolute ``next``, and no ``total``."""
    tracks = [
        {
            "type": "track", "id": f"{number:022d}", "uri": "x", "name": "Song", "artists": [{"name": "A"}, None],
            "external_ids": {"isrc": "gbabc2600001", "ean": "1"}, "duration_ms": 1000, "new": {"deep": [1]},
        }
        for number in range(start, start + count)
    ]  # fmt: skip
    items: list[object] = [{"item": track, "added_by": None, "video_thumbnail": {}} for track in tracks]
    return {"href": "x", "items": [*items, None], "next": "https://api.spotify.com/v1/playlists/x?offset=50"}


async def test_spotify_pages_that_do_not_tell_their_total_are_read_to_the_end(sqlite_url: str) -> None:
    server = Misbehaving()
    config = ServiceConfig(
        spotify_client_id="id", spotify_client_secret="hush", spotify_api_url=f"{server.url}/v1"
    )  # fmt: skip
    pages = [
        {"id": "p" * 22, "owner": {"id": "x"}, "snapshot_id": "s"},
        strange_spotify_page(49),
        strange_spotify_page(2, 49),
        {"items": []},
    ]
    server.answers = [(200, {}, page) for page in pages]
    try:
        async with music_room(sqlite_url, config) as room:
            adapter = await room.services.for_account(await linked(room, Service.SPOTIFY))
            server.answers.insert(1, (200, {}, {"id": "someone"}))  # whose playlist it is: one more question
            content = await adapter.content("p" * 22)
    finally:
        server.close()
    assert [entry.position for entry in content.entries] == [*range(49), 50, 51]
    assert content.skipped == 2
    assert content.entries[0].track.isrc == "GBABC2600001"
