"""Bases and children of the router, on both engines; while a base is routed the database itself keeps them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text

from bot.model.errors import UserMistake
from bot.model.mapping import Order, Removals
from bot.model.music import Service
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.run import RunKind, RunStatus, Trigger
from storage import Storage
from storage.database import writing_engine
from storage.errors import BaseBusy
from storage.migration import configuration, prepare
from tests import databases
from tests.clock import FakeClock
from tests.factories import GUILD, PERSON, connected, content, info, track

RULES = {"v": 1, "where": None}


async def based(storage: Storage, name: str = "Everything", *, guild_id: int = GUILD) -> BasePlaylist:
    account = await connected(storage, Service.SPOTIFY, "base owner")
    playlist = await storage.playlists.upsert(info(f"base of {name}"), account.id)
    return await storage.routers.add_base(
        guild_id=guild_id, name=name, playlist_id=playlist.id, schedule="every 1h", created_by=PERSON, next_run_at=None
    )


async def child_of(storage: Storage, base: BasePlaylist, name: str = "90s") -> ChildPlaylist:
    playlist = await storage.playlists.upsert(info(f"child {name}"), base.playlist.account_id)
    return await storage.routers.add_child(
        base_id=base.id, playlist_id=playlist.id, name=name, rules=RULES, created_by=PERSON
    )


async def test_a_base_has_children_and_is_found_in_its_guild_only(each_storage: Storage) -> None:
    base = await based(each_storage)
    child = await child_of(each_storage, base)
    assert await each_storage.routers.base(base.id, GUILD) == base
    assert await each_storage.routers.base(base.id, GUILD + 1) is None
    assert await each_storage.routers.base_by_name(GUILD, " everyTHING ") == base
    assert await each_storage.routers.children(base.id) == [child]
    assert await each_storage.routers.child(child.id, GUILD + 1) is None
    assert await each_storage.routers.child_of_mapping(child.mapping.id) == child
    assert child.rules == RULES
    hidden = child.mapping
    assert (hidden.name, hidden.left, hidden.removals, hidden.order, hidden.hidden) == (
        "Everything → 90s",
        base.playlist,
        Removals.EXACT,
        Order.KEEP,
        True,
    )
    assert not await each_storage.mappings.of_guild(GUILD), "a child's mapping stays hidden"


async def test_names_are_taken_whatever_their_case(each_storage: Storage) -> None:
    base = await based(each_storage)
    child = await child_of(each_storage, base)
    other = await child_of(each_storage, base, "Metal")
    with pytest.raises(UserMistake, match="already"):
        await based(each_storage, "EVERYTHING")
    with pytest.raises(UserMistake, match="already"):
        await each_storage.routers.update_child(other.id, name="90S")
    renamed = await each_storage.routers.update_child(child.id, name="90S")
    assert renamed is not None
    assert (renamed.name, renamed.mapping.name) == ("90S", "Everything → 90S")


async def test_what_a_base_held_is_kept_with_who_added_what(each_storage: Storage, clock: FakeClock) -> None:
    base = await based(each_storage)
    assert await each_storage.routers.content(base.id) is None
    read = content("p", [track("a"), track("b", available=False)])
    entries = (replace(read.entries[0], added_at=clock.now(), added_by="ada"), read.entries[1])
    await each_storage.routers.keep_content(base.id, replace(read, entries=entries, skipped=2))
    kept = await each_storage.routers.content(base.id)
    assert kept is not None
    assert kept.skipped == 2
    assert await each_storage.routers.last_read(base.id) == (kept.info, 2, 2)
    assert [(one.track.external_id, one.track.available, one.added_at, one.added_by) for one in kept.entries] == [
        ("a", True, clock.now(), "ada"),
        ("b", False, None, ""),
    ]


async def test_due_are_the_bases_whose_time_has_come(each_storage: Storage, clock: FakeClock) -> None:
    base = await based(each_storage)
    assert [one.id for one in await each_storage.routers.due(clock.now())] == [base.id]
    await each_storage.routers.update_base(base.id, schedule="off")
    assert await each_storage.routers.due(clock.now()) == []
    await each_storage.routers.update_base(base.id, schedule="every 1h", enabled=False)
    assert await each_storage.routers.due(clock.now()) == []


async def test_removing_a_base_takes_its_children_and_their_mappings(each_storage: Storage) -> None:
    base = await based(each_storage)
    child = await child_of(each_storage, base)
    assert await each_storage.routers.remove_base(base.id) == [child.mapping.id]
    assert await each_storage.routers.base(base.id) is None
    assert await each_storage.routers.children(base.id) == []
    assert await each_storage.mappings.get(child.mapping.id) is None
    assert (await based(each_storage)).id > base.id, "the name is free again"


async def test_a_base_has_one_active_run(each_storage: Storage, clock: FakeClock) -> None:
    base = await based(each_storage)
    run = await each_storage.runs.start_routing(base.id, Trigger.COMMAND, PERSON, clock.now())
    assert run is not None
    assert (run.kind, run.base_playlist_id, run.mapping_id, run.details) == (RunKind.ROUTING, base.id, 0, {"v": 1})
    assert await each_storage.runs.start_routing(base.id, Trigger.SCHEDULE, 0, clock.now()) is None
    await each_storage.runs.note_details(run.id, {"children": [1]})
    await each_storage.runs.finish(run.id, RunStatus.COMPLETED, clock.now())
    (kept,) = await each_storage.runs.of_base(base.id)
    assert kept.details["children"] == [1]
    assert await each_storage.runs.start_routing(base.id, Trigger.SCHEDULE, 0, clock.now()) is not None


CHANGES: dict[str, Callable[[Storage, ChildPlaylist], Awaitable[object]]] = {
    "rules": lambda storage, child: storage.routers.update_child(child.id, rules={"v": 1, "limit": 3}),
    "child's name": lambda storage, child: storage.routers.update_child(child.id, name="Other"),
    "child's end": lambda storage, child: storage.routers.remove_child(child.id),
    "base's name": lambda storage, child: storage.routers.update_base(child.base_id, name="Other"),
    "base's end": lambda storage, child: storage.routers.remove_base(child.base_id),
    "new child": lambda storage, child: storage.routers.add_child(
        base_id=child.base_id, playlist_id=child.playlist.id, name="New", rules=RULES, created_by=PERSON
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("runs", ["the base", "a child's mapping"])
async def test_the_database_refuses_changes_while_a_run_is_active(
    each_storage: Storage, clock: FakeClock, change: Callable[[Storage, ChildPlaylist], Awaitable[object]], runs: str
) -> None:
    base = await based(each_storage)
    child = await child_of(each_storage, base)
    if runs == "the base":
        run = await each_storage.runs.start_routing(base.id, Trigger.COMMAND, PERSON, clock.now())
    else:
        run = await each_storage.runs.start(RunKind.EXECUTION, child.mapping.id, Trigger.COMMAND, PERSON, clock.now())
    assert run is not None
    with pytest.raises(BaseBusy, match="being synced right now"):
        await change(each_storage, child)
    assert await each_storage.routers.children(base.id) == [child], "nothing was changed"
    noted = await each_storage.routers.update_child(child.id, last_routed={"digest": "x"}, last_error="")
    assert noted is not None, "what the run itself notes is not refused"
    await each_storage.runs.finish(run.id, RunStatus.COMPLETED, clock.now())
    await change(each_storage, child)


async def test_ids_of_runs_are_not_handed_out_again_after_their_table_was_copied(tmp_path: Path) -> None:
    """SQLite copies the table to let a run belong to a base; the last id given out must outlive that."""
    url = databases.sqlite_url(tmp_path / "old.db")

    def before(connection: Connection) -> None:
        command.upgrade(configuration(connection), "0002")
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', 41)"))

    async with writing_engine(url, foreign_keys=False) as engine, engine.begin() as connection:
        await connection.run_sync(before)
    await prepare(url, migrate=True)
    async with writing_engine(url) as engine, engine.begin() as connection:
        last = await connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'runs'"))
        assert last.scalars().all() == [41]
