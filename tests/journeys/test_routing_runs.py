"""Routing from Discord: previews, live messages, several bases, rebuilds, what a guard stops, and who was faster."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from bot.client import CrossfadeBot
from bot.model.music import Service
from bot.model.run import Trigger
from storage.errors import BaseBusy
from tests.journeys.room import answer, custom_ids, open_room, said
from tests.journeys.router_room import based, button, child, empty, held


async def test_history_shows_the_runs_as_lines_and_a_picture_and_takes_one_back(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        empty_yet = await room.member.slash(room.channel, "router history", base="Everything")
        assert "was not synced yet" in said(answer(empty_yet))
        assert not custom_ids(answer(empty_yet))
        await room.moderator.slash(room.channel, "router run", base="Everything")
        await room.work()
        room.clock.advance(timedelta(minutes=2))
        shown = await room.member.slash(room.channel, "router history", base=str(base.id))
        message = answer(shown)
        text = said(message)
        assert f"<@{room.moderator.id}>" in text
        assert "+4" in text
        assert [each.filename for each in message.attachments] == ["routing.png"]
        await room.restart()
        undone = await room.moderator.select(message, [str(few.id)], custom_id=f"router:undo:{base.id}")
        assert "of “Everything → Few”?" in said(answer(undone))
        apply = button(answer(undone), "undo:apply")
        await room.moderator.click(answer(undone), custom_id=apply)
        await room.work()
        assert held(room, few) == []
        refused = await room.member.select(message, [str(few.id)], custom_id=f"router:undo:{base.id}")
        assert "moderators" in said(answer(refused))


async def test_jobs_and_the_log_channel_name_the_base_of_a_routing_run(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        await child(room, base, "Few", "position <= 4")
        await room.admin.slash(room.channel, "setup", log_channel=room.log_channel)
        await room.moderator.slash(room.channel, "router run", base="Everything")
        (run,) = await room.runtime.router.history(room.guild.id, base.id)
        listed = await room.moderator.slash(room.channel, "jobs list", kind="routing")
        assert "routing of **base Everything**" in said(answer(listed))
        opened = await room.moderator.slash(room.channel, "jobs show", id=run.id)
        assert "base Everything" in said(answer(opened))
        assert "Routed 12 tracks to 1 child · 4 to add" in said(answer(opened))
        board = await room.member.slash(room.channel, "stats")
        assert "12 tracks routed" in said(answer(board))
        room.sandbox.world.delete(base.playlist.external_id)
        failed = await room.moderator.slash(room.channel, "router run", base="Everything", mode="full")
        assert "is paused; nothing was changed" in said(answer(failed))
        await room.until(lambda: any("**Everything**: " in said(one) for one in room.log_channel.history()))


async def test_a_preview_names_what_each_child_gains_and_what_is_unknown_and_can_be_run(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 6")
        await child(room, base, "Popular", "popularity > 50")
        videos = await child(room, base, "Videos", "position <= 2", Service.YOUTUBE)
        message = answer(await room.moderator.slash(room.channel, "router preview", base="Everything"))
        text = said(message)
        titles = [
            room.sandbox.world.track(one).title for one in room.sandbox.world.spotify_items(base.playlist.external_id)
        ]
        assert titles[0] in text
        assert "and 2 more" in text
        assert "12 tracks left undecided, for something is unknown (popularity 12)" in text
        assert "2 YouTube searches" in text
        await room.restart()
        (run_id,) = [
            option["value"]
            for row in message.components
            for one in row["components"]
            for option in one.get("options", ())
            if option["label"] == "Few"
        ]
        opened = await room.moderator.select(message, [run_id], custom_id="router:plan:0")
        assert opened.ephemeral
        assert all(title in said(answer(opened)) for title in titles[:6])
        refused = await room.member.click(message, custom_id=button(message, "router:apply"))
        assert "moderators" in said(answer(refused))
        await room.moderator.click(message, custom_id=button(message, "router:apply"))
        await room.work()
        assert "Synced the children of “Everything”" in said(message)
        assert (len(held(room, few)), len(held(room, videos))) == (6, 2)
        again = answer(await room.moderator.slash(room.channel, "router preview"))
        assert "is in step · will hold 6 tracks" in said(again)
        assert not custom_ids(again)


async def test_a_preview_is_put_away_and_its_buttons_go_with_its_base(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 6")
        first = answer(await room.moderator.slash(room.channel, "router preview"))
        await room.moderator.click(first, custom_id="router:keep:0")
        assert "Nothing was changed" in said(first)
        second = answer(await room.moderator.slash(room.channel, "router preview"))
        await room.runtime.bases.remove(room.guild.id, base.id, room.admin.id)
        late = await room.moderator.click(second, custom_id=button(second, "router:apply"))
        assert "no longer there" in said(answer(late))
        assert not held(room, few)


async def test_all_bases_or_several_run_in_one_message_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        first, second, third = [await based(room, 6, name=name) for name in ("One", "Two", "Three")]
        children = [await child(room, base, "Few", "position <= 2") for base in (first, second, third)]
        await room.runtime.bases.pause(room.guild.id, second.id, room.admin.id, "holidays")
        await room.moderator.slash(room.channel, "router run", base="One, Three")
        await room.work()
        assert "Synced the children of 2 bases" in said(room.last())
        assert [len(held(room, one)) for one in children] == [2, 0, 2]
        room.sandbox.world.add(first.playlist.external_id, room.sandbox.world.tracks[200].id, 0)
        room.clock.advance(timedelta(minutes=2))
        await room.moderator.slash(room.channel, "router run", base="all")
        await room.work()
        text = said(room.last())
        assert "Synced the children of 3 bases" in text
        assert "The base “Two” is paused (holidays)" in text
        assert len(room.channel.history()) == 2
        previewed = said(answer(await room.moderator.slash(room.channel, "router preview")))
        assert "Preview of 3 bases" in previewed
        assert "One › Few" in previewed
        unknown = await room.moderator.slash(room.channel, "router run", base="One, Nobody")
        assert "There is no base “Nobody”" in said(answer(unknown))


async def test_a_run_is_one_live_message_that_a_restart_does_not_lose(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        rest = await child(room, base, "Rest", "position > 4")
        await room.moderator.slash(room.channel, "router run")
        assert "12 to do" not in said(room.last())
        assert "8 to do" in said(room.last())
        await room.restart()
        await room.work(few.mapping.id)
        assert "4 done" in said(room.last())
        assert "Syncing the children" in said(room.last())
        await room.env.bot.close()
        await room.runtime.executor.drain(rest.mapping.id)
        await room.env.restart_bot(CrossfadeBot(room.runtime))
        await room.env.settle()
        assert "Synced the children of “Everything”" in said(room.last())
        assert len(room.channel.history()) == 1
        assert json.loads(await room.runtime.storage.meta.get("discord.routing") or "") == {}


async def test_a_rebuild_asks_first_and_survives_a_crash_in_its_middle(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room, 8)
        videos = await child(room, base, "Videos", "position >= 2", Service.YOUTUBE)
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        room.clock.advance(timedelta(minutes=2))
        before = held(room, videos)
        assert len(before) == 7
        asked = answer(await room.moderator.slash(room.channel, "router run", mode="rebuild"))
        assert "Rebuild 1 child" in said(asked)
        assert "about 14 changes" in said(asked)
        await room.work()
        assert held(room, videos) == before
        await room.restart()
        await room.moderator.click(asked, custom_id=button(asked, "router:rebuild"))
        assert "Rebuilding the children of “Everything”" in said(asked)
        working = asyncio.create_task(room.runtime.executor.drain())
        await room.until(lambda: len(held(room, videos)) <= 3)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert held(room, videos) != before
        await room.restart()
        await room.runtime.executor.recover()
        room.clock.advance(timedelta(minutes=2))
        await room.work()
        assert held(room, videos) == before
        assert "Rebuilt the children of “Everything”" in said(asked) or "Synced the children" in said(asked)


async def test_while_a_base_syncs_nobody_changes_it_and_the_second_run_is_told(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        run = await room.runtime.storage.runs.start_routing(
            base.id, Trigger.COMMAND, room.moderator.id, room.clock.now()
        )
        assert run is not None
        asked = answer(await room.admin.slash(room.channel, "router base-remove", base="Everything"))
        child_asked = answer(await room.admin.slash(room.channel, "router child-remove", child="Few"))
        changes = [
            await room.admin.slash(room.channel, "router child-edit", child="Few", rules="position <= 2"),
            await room.admin.click(child_asked, custom_id=f"router:remove-child:{few.id}"),
            await room.admin.slash(room.channel, "router schedule", base="Everything", name="All"),
            await room.admin.slash(
                room.channel, "router child-add", base="1", name="x", playlist=empty(room, "x"), rules="everything"
            ),
            await room.admin.click(asked, custom_id=f"router:remove-base:{base.id}"),
        ]
        for change in changes:
            assert "being synced right now, so nothing was changed" in said(answer(change))
            assert answer(change).ephemeral
        second = await room.moderator.slash(room.channel, "router run", base="Everything")
        assert "is being synced right now" in said(answer(second))
        listed = await room.member.slash(room.channel, "router child-list")
        assert "Few" in said(answer(listed))
        assert (await room.runtime.bases.children(room.guild.id, base.id))[0].rules == few.rules


async def test_of_two_people_one_edits_and_one_syncs_at_once_and_the_child_holds_one_rule(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        routed, edited = await asyncio.gather(
            room.runtime.router.run(room.guild.id, base.id, room.moderator.id),
            room.runtime.bases.edit_child(room.guild.id, few.id, room.admin.id, rules="position <= 7"),
            return_exceptions=True,
        )
        assert not isinstance(routed, BaseException)
        await room.work()
        refused = isinstance(edited, BaseBusy)
        assert refused or not isinstance(edited, BaseException)
        room.clock.advance(timedelta(minutes=2))
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        assert len(held(room, few)) == (4 if refused else 7)


async def test_what_a_guard_stops_an_admin_lets_pass_also_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room, 180)
        whole = await child(room, base, "Whole", "everything")
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        world, source = room.sandbox.world, base.playlist.external_id
        for track in world.spotify_items(source)[:101]:
            world.remove(source, track)
        room.clock.advance(timedelta(minutes=2))
        message = answer(await room.moderator.slash(room.channel, "router run"))
        assert "was stopped for safety: 101 tracks would be removed" in said(message)
        await room.work()
        assert len(held(room, whole)) == 180
        force = button(message, "router:force")
        refused = await room.moderator.click(message, custom_id=force)
        assert "admins" in said(answer(refused))
        await room.restart()
        await room.admin.click(message, custom_id=force)
        await room.work()
        assert len(held(room, whole)) == 79
        assert "101 done" in said(message)


async def test_a_base_that_lost_most_of_its_tracks_waits_for_the_word_of_an_admin(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room, 20)
        whole = await child(room, base, "Whole", "everything")
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        world, source = room.sandbox.world, base.playlist.external_id
        for track in world.spotify_items(source)[:14]:
            world.remove(source, track)
        room.clock.advance(timedelta(minutes=2))
        message = answer(await room.moderator.slash(room.channel, "router run"))
        assert "was read with 6 of the 20 tracks" in said(message)
        refused = await room.moderator.click(message, custom_id=f"router:collapse:{base.id}")
        assert "admins" in said(answer(refused))
        await room.restart()
        await room.admin.click(message, custom_id=f"router:collapse:{base.id}")
        await room.work()
        assert len(held(room, whole)) == 6
        assert "14 done" in said(room.last())


async def test_without_bases_or_children_it_says_what_to_do(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for command in ("preview", "run"):
            nothing = await room.moderator.slash(room.channel, f"router {command}")
            assert "`/router base-add` makes the first one" in said(answer(nothing))
        await based(room)
        childless = await room.moderator.slash(room.channel, "router run")
        assert "`/router child-add` makes one" in said(answer(childless))
        children = await room.member.slash(room.channel, "router child-list", base="Everything")
        assert "There is none yet" in said(answer(children))
