"""/sync over all mappings, read anew or although nothing changed, and what it says before it begins."""

import re
from pathlib import Path

from bot.client import CrossfadeBot
from bot.model.run import RunKind, Trigger
from tests.journeys.room import Room, answer, custom_ids, open_room, said


def shown_first(room: Room, words: str) -> str:
    """The first text that an answer showed which holds ``words``; edits in between are kept by the wire's books."""
    sent = [str(one.json) for one in room.env.http_requests if one.method in ("PATCH", "POST")]
    return next((text for text in sent if words in text), "")


def content_calls(room: Room) -> int:
    """How often the services were asked for the tracks of a playlist."""
    paths = [one.path for one in room.sandbox.books.requests()]
    return len([path for path in paths if re.search(r"playlists/\w+/(items|tracks)|playlistItems", path)])


async def test_what_will_be_read_and_what_it_costs_is_told_before_it_begins(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(6)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        first = shown_first(room, "Looking at “Trip”")
        for words in ("6 tracks, 2 calls", "Spotify call", "YouTube unit", "left)", "At once", "read whole"):
            assert words in first, first
        assert "Plan for “Trip”" in said(room.last())
        assert len(room.channel.history()) == 1


async def test_all_mappings_are_synced_one_after_the_other_and_followed_in_one_message(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mappings = [await room.mapping(3, name=name, first=3 * at) for at, name in enumerate(("One", "Two", "Three"))]
        await room.moderator.slash(room.channel, "sync")
        first = shown_first(room, "one after the other")
        for words in ("Looking at 3 mappings", "**One** 3 Spotify calls, 4 YouTube units", "9 Spotify calls"):
            assert words in first, first
        assert "3 to do" in said(room.last())
        await room.work()
        ended = said(room.last())
        assert "Synced 3 mappings" in ended
        assert ended.count("3 done") == 3
        assert len(room.channel.history()) == 1
        for mapping in mappings:
            assert len(room.sandbox.world.youtube_items(mapping.right.external_id)) == 3
        asked = [line for line in await room.lines() if line.event == "sync.requested"]
        assert {line.mapping_id for line in asked} == {mapping.id for mapping in mappings}


async def test_the_message_of_a_round_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(2, name="One")
        await room.mapping(2, name="Two", first=2)
        await room.moderator.slash(room.channel, "sync", mapping="all")
        await room.env.bot.close()
        await room.runtime.executor.drain()
        await room.env.restart_bot(CrossfadeBot(room.runtime))
        await room.env.settle()
        ended = said(room.last())
        assert "Synced 2 mappings" in ended
        assert ended.count("2 done") == 2


async def test_a_busy_a_paused_and_a_failing_mapping_do_not_stop_the_others(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        busy = await room.mapping(1, name="Busy")
        paused = await room.mapping(1, name="Paused", first=1)
        gone = await room.mapping(1, name="Gone", first=2)
        good = await room.mapping(1, name="Good", first=3)
        now = room.clock.now()
        await room.runtime.storage.runs.start(RunKind.ANALYSIS, busy.id, Trigger.COMMAND, 0, now)
        await room.runtime.mappings.pause(room.guild.id, paused.id, room.admin.id)
        room.sandbox.world.delete(gone.left.external_id)
        await room.moderator.slash(room.channel, "sync")
        first = shown_first(room, "one after the other")
        assert "Passed over (2)" in first
        await room.work(good.id)
        ended = said(room.last())
        for words in (
            "**Busy** is being worked on",
            "**Paused** is paused",
            "❌ **Gone** ",
            "is gone",
            "**Good** 1 done",
        ):
            assert words in ended, ended


async def test_without_force_a_mapping_that_was_looked_at_just_now_is_passed_over(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        room.clock.advance(120)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")  # settles what was written
        room.clock.advance(60)
        before = content_calls(room)
        await room.moderator.slash(room.channel, "sync")
        assert "was looked at" in said(room.last())
        assert content_calls(room) == before
        await room.moderator.slash(room.channel, "sync", force=True)
        assert "**Trip** is in step" in said(room.last())
        assert content_calls(room) > before  # YouTube's side; Spotify's snapshot id vouches for ours


async def test_full_reads_both_sides_although_nothing_changed(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        room.clock.advance(120)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        before = content_calls(room)
        again = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "Neither playlist changed" in said(answer(again))
        assert content_calls(room) == before
        full = await room.moderator.slash(room.channel, "sync", mapping="Trip", mode="full")
        assert "In step: “Trip”" in said(answer(full))
        assert "Neither playlist changed" not in said(answer(full))
        assert content_calls(room) == before + 2
        lines = [line.message for line in await room.lines() if line.event == "sync.requested"]
        assert lines[0].endswith("(full)")


async def test_force_and_full_never_pass_a_guard(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(8)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        room.clock.advance(120)
        for track in room.sandbox.world.spotify_items(mapping.left.external_id):
            room.sandbox.world.remove(mapping.left.external_id, track)
        stopped = await room.moderator.slash(room.channel, "sync", mapping="Trip", mode="full", force=True)
        assert "Stopped before changing anything" in said(answer(stopped))
        assert any(each.startswith("plan:force:") for each in custom_ids(answer(stopped)))
        await room.moderator.slash(room.channel, "sync", mode="full", force=True)
        assert "was stopped for safety" in said(room.last())


async def test_a_preview_of_all_changes_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(4)
        await room.moderator.slash(room.channel, "sync", preview=True)
        ended = said(room.last())
        assert "Preview of 1 mapping" in ended
        assert "4 to add" in ended
        assert "Nothing was changed" in ended
        await room.work()
        assert not room.sandbox.world.youtube_items(mapping.right.external_id)


async def test_without_any_mapping_it_says_how_to_make_one(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        told = await room.moderator.slash(room.channel, "sync")
        assert "/mapping add" in said(answer(told))
        assert answer(told).ephemeral


async def test_more_than_the_quota_has_left_is_told_before_it_begins(tmp_path: Path) -> None:
    async with open_room(tmp_path, youtube_daily_units=20) as room:
        mapping = await room.mapping(1)
        spent = room.runtime.quota
        state = {bucket.value: one for bucket, one in (await spent.states()).items()}["youtube.units"]
        for _ in range(state.left - 1):
            await spent.spend(state.bucket, "test", units=1, mapping_id=0)
        refused = await room.moderator.slash(room.channel, "sync", mapping=str(mapping.id))
        assert "More than the quota has left now" in shown_first(room, "Looking at “Trip”")
        assert refused is not None


async def test_the_choice_of_all_comes_first(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        choices = await room.moderator.autocomplete(room.channel, "sync", "mapping", "")
        assert [choice["value"] for choice in choices] == ["all", str(mapping.id)]
        choices = await room.moderator.autocomplete(room.channel, "sync", "mapping", "tri")
        assert [choice["value"] for choice in choices] == [str(mapping.id)]


async def test_an_answer_of_discord_that_fails_leaves_the_round_at_work(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        room.env.inject_error("PATCH", "/channels/*", status=404, code=10008, message="Unknown Message", times=None)
        await room.moderator.slash(room.channel, "sync")
        await room.work()
        assert len(room.sandbox.world.youtube_items(mapping.right.external_id)) == 2
