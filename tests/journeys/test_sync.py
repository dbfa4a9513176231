"""A sync from Discord: preview, plan, live progress, summary, guards, and restarts in between."""

from pathlib import Path
from typing import Any

from bot.client import CrossfadeBot
from bot.model.mapping import Mapping, Removals
from tests.journeys.room import Room, answer, custom_ids, open_room, said


def _destination(room: Room, mapping: Mapping) -> list[str]:
    return room.sandbox.world.youtube_items(mapping.right.external_id)


async def _preview(room: Room, mapping: Mapping) -> tuple[Any, int]:
    """The message of a preview and the run that its buttons carry."""
    shown = await room.moderator.slash(room.channel, "sync", mapping=str(mapping.id), preview=True)
    apply = next(each for each in custom_ids(shown.response) if each.startswith("plan:apply:"))
    return shown.response, int(apply.rpartition(":")[2])


async def test_a_preview_shows_the_plan_and_changes_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(6)
        message, run = await _preview(room, mapping)
        text = said(message)
        assert "Preview of “Trip”" in text
        assert "6 tracks to add" in text
        assert room.sandbox.world.tracks[0].title in text
        assert "YouTube units" in text
        assert "YouTube searches" in text
        assert "Fits into today's quota" in text
        assert custom_ids(message) == [f"plan:apply:{run}", f"plan:cancel:{run}"]
        await room.work()
        assert not _destination(room, mapping)


async def test_apply_works_after_a_restart_and_its_message_becomes_the_summary(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(6)
        message, run = await _preview(room, mapping)
        await room.restart()
        await room.moderator.click(message, custom_id=f"plan:apply:{run}")
        started = said(room.last())
        assert "queued" in started
        await room.work(mapping.id)
        ended = said(room.last())
        assert "Synced “Trip”" in ended
        assert f"{len(_destination(room, mapping))} added" in ended
        assert len(room.channel.history()) == 1


async def test_a_sync_is_one_message_that_ends_as_a_summary_with_what_was_not_found(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(6, lost=2)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "Plan for “Trip”" in said(room.last())
        await room.work(mapping.id)
        assert len(room.channel.history()) == 1
        ended = room.last()
        rows = await room.runtime.storage.blacklist.open_of_mapping(mapping.id)
        assert rows, "the sandbox has tracks without a right video"
        assert f"Not in the playlist ({len(rows)})" in said(ended)
        item = rows[0].item_id
        assert f"item:retry:{item}" in custom_ids(ended)
        assert f"item:review:{item}" in custom_ids(ended)
        edits = [one for one in room.env.http_requests if one.method == "PATCH" and "/channels/" in one.path]
        assert any("▰" in str(one.json) and "Now" in str(one.json) for one in edits), "progress was shown on the way"
        await room.restart()
        reviewed = await room.moderator.click(ended, custom_id=f"item:review:{item}")
        assert reviewed.ephemeral
        assert any(each.startswith("review:") for each in custom_ids(answer(reviewed)))


async def test_a_restart_in_the_middle_leaves_one_message_that_still_ends_as_the_summary(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(4)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.restart()
        await room.work(mapping.id)
        assert "Synced “Trip”" in said(room.last())
        assert "4 added" in said(room.last())
        assert len(room.channel.history()) == 1


async def test_work_that_ended_while_the_bot_was_away_is_summed_up_when_it_is_back(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(4)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.env.bot.close()
        await room.runtime.executor.drain(mapping.id)
        await room.env.restart_bot(CrossfadeBot(room.runtime))
        assert "4 added" in said(room.last())


async def test_a_newer_sync_takes_over_and_the_older_message_says_where(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        first = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        second = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "was started again" in said(first.response)
        assert str(second.response.id) in said(first.response)
        await room.work(mapping.id)
        assert "3 added" in said(second.response)


async def test_a_second_sync_says_that_both_are_in_step(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        again = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "In step: “Trip”" in said(answer(again))


async def test_of_two_moderators_who_press_apply_one_is_told_that_it_is_done(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        shown, run = await _preview(room, mapping)
        other = await room.forge(room.channel, f"plan:apply:{run}", f"plan:cancel:{run}")
        await room.moderator.click(shown, custom_id=f"plan:apply:{run}")
        late = await room.admin.click(other, custom_id=f"plan:apply:{run}")
        assert "already applied" in said(answer(late))
        assert answer(late).ephemeral
        too_late = await room.admin.click(other, custom_id=f"plan:cancel:{run}")
        assert "already applied" in said(answer(too_late))
        await room.work(mapping.id)
        added = _destination(room, mapping)
        assert len(added) == len(set(added))


async def test_cancel_puts_the_plan_away(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        message, run = await _preview(room, mapping)
        await room.moderator.click(message, custom_id=f"plan:cancel:{run}")
        assert "Plan cancelled" in said(room.last())
        assert not custom_ids(room.last())
        await room.work()
        assert not _destination(room, mapping)


async def test_a_stopped_plan_can_be_forced_by_an_admin_only(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(8, removals=Removals.MIRROR, max_removals=2)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        before = _destination(room, mapping)
        for track in room.sandbox.world.spotify_items(mapping.left.external_id)[:4]:
            room.sandbox.world.remove(mapping.left.external_id, track)
        stopped = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        message = answer(stopped)
        assert "Stopped before changing anything" in said(message)
        force = next(each for each in custom_ids(message) if each.startswith("plan:force:"))
        refused = await room.moderator.click(message, custom_id=force)
        assert "admins" in said(answer(refused))
        await room.work(mapping.id)
        assert _destination(room, mapping) == before
        await room.restart()
        await room.admin.click(message, custom_id=force)
        await room.work(mapping.id)
        assert len(_destination(room, mapping)) < len(before)


async def test_a_member_may_neither_sync_nor_press_the_buttons_of_a_plan(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        refused = await room.member.slash(room.channel, "sync", mapping="Trip")
        assert refused.ephemeral
        assert "moderators" in said(answer(refused))
        message, run = await _preview(room, mapping)
        for custom_id in (f"plan:apply:{run}", f"plan:cancel:{run}"):
            pressed = await room.member.click(message, custom_id=custom_id)
            assert "moderators" in said(answer(pressed))
            assert answer(pressed).ephemeral
        assert custom_ids(room.last()) == [f"plan:apply:{run}", f"plan:cancel:{run}"]


async def test_plans_of_another_server_and_of_nobody_get_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        _, run = await _preview(room, mapping)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        await room.env.settle()
        for key in (run, 999_999, 2**63 + 5):
            for action in ("apply", "cancel", "force"):
                forged = await room.forge(channel, f"plan:{action}:{key}")
                pressed = await owner.click(forged, custom_id=f"plan:{action}:{key}")
                told = said(answer(pressed))
                assert answer(pressed).ephemeral
                assert "went wrong inside" not in told
                assert "Trip" not in told
        await room.work()
        assert not _destination(room, mapping)


async def test_a_live_message_that_was_deleted_stops_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(4)
        started = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.env.bot.get_channel(room.channel.id).get_partial_message(answer(started).id).delete()
        await room.work(mapping.id)
        assert _destination(room, mapping)


async def test_hostile_titles_are_harmless_in_plan_progress_and_summary(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        hostile = "@everyone [x](https://evil.example) ``` \u202e"
        await room.runtime.mappings.edit(room.guild.id, mapping.id, room.admin.id, name=hostile)
        await room.moderator.slash(room.channel, "sync", mapping=str(mapping.id))
        await room.work(mapping.id)
        for request in room.env.http_requests:
            text = str(request.json)
            if request.method in ("PATCH", "POST") and "embeds" in text:
                assert "https://evil" not in text
                assert "@everyone" not in text
