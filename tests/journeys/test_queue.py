"""/queue: how it stands, pausing and resuming, putting failures aside."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.model.errors import UserMistake
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.queue import EVERY_GUILD
from bot.model.quota import Bucket
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def asked(room: Room, tracks: int = 4, **fields: Any) -> Mapping:
    """A mapping whose changes are queued and not sent yet."""
    mapping = await room.mapping(tracks, **fields)
    await room.runtime.sync.start(mapping.id, room.admin.id)
    return mapping


async def count(room: Room, mapping: Mapping, *statuses: ItemStatus) -> int:
    found = await room.runtime.storage.items.list_of_guild(room.guild.id, statuses, limit=100, mapping_id=mapping.id)
    return len(found)


async def fail(room: Room, mapping: Mapping) -> int:
    """Everything that waits of the mapping fails for good; how many that were."""
    items, now = room.runtime.storage.items, room.clock.now()
    service = Service.YOUTUBE
    claimed = await items.claim_due(now, now, "test", limit=100, mapping_id=mapping.id, service=service)
    for item in claimed:
        await items.settle(item.id, "test", ItemStatus.ERROR, now=now, last_error="playlistItems.insert: refused")
    return len(claimed)


def owner(room: Room) -> Any:
    """A member of the server whom the bot knows as its owner."""
    person = room.guild.add_member(room.env.create_user("boss"))
    room.env.bot.owner_id = person.id
    return person


async def test_status_tells_what_waits_whose_turn_it_is_and_shows_a_picture_with_words(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        empty = await room.member.slash(room.channel, "queue status")
        assert "Nothing is waiting" in said(empty.response)
        await asked(room, 4)
        await asked(room, 2, name="Gym", first=10)
        shown = await room.member.slash(room.channel, "queue status")
        text = said(shown.response)
        assert "Waiting\n**6**" in text
        assert "**YouTube** 6 waiting" in text
        assert "**1.** Trip → YouTube: 4 waiting; through about <t:" in text
        assert "**2.** Gym → YouTube: 2 waiting; through about <t:" in text
        (picture,) = shown.response.attachments
        assert picture.filename == "queue.png"
        assert "0 items done, 0 failed" in picture.description
        await room.work()
        await room.restart()
        await room.member.click(room.last(), custom_id=f"queue:refresh:{room.guild.id}")
        assert "Completed\n**6**" in said(room.last())
        (picture,) = room.last().attachments
        assert "6 items done" in picture.description


async def test_status_says_until_when_and_why_work_is_delayed(tmp_path: Path) -> None:
    async with open_room(tmp_path, youtube_daily_searches=1) as room:
        await asked(room, 4)
        await room.work()
        shown = await room.member.slash(room.channel, "queue status")
        assert "Delayed\n**3**" in said(shown.response)
        reset = int((await room.runtime.quota.state(Bucket.YOUTUBE_SEARCH)).resets_at.timestamp())
        assert f"**3** for YouTube <t:{reset}:R>: the quota is spent" in said(shown.response)
        assert "Trip → YouTube: 3 delayed" in said(shown.response)


async def test_a_paused_queue_sends_nothing_until_it_is_resumed_also_through_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await asked(room)
        paused = await room.admin.slash(room.channel, "queue pause", reason="*party*")
        text = said(paused.response)
        assert f"**The whole queue** is paused by <@{room.admin.id}> since <t:" in text
        assert "\\*party\\*" in text
        assert "4 changes of this server stay where they are" in text
        await room.restart()
        await room.work()
        assert await count(room, mapping, ItemStatus.PENDING) == 4
        for command in ("queue status", "stats", "mapping list"):
            shown = await room.member.slash(room.channel, command)
            assert f"is paused by <@{room.admin.id}> since <t:" in said(shown.response), command
        again = await room.admin.slash(room.channel, "queue pause")
        assert "Paused already" in said(again.response)
        resumed = await room.admin.slash(room.channel, "queue resume")
        assert "**The whole queue** goes on now" in said(resumed.response)
        await room.work()
        assert await count(room, mapping, ItemStatus.DONE) == 4
        lines = [(line.event, line.actor_id) for line in await room.lines() if line.event.startswith("queue.")]
        assert lines == [("queue.resumed", room.admin.id), ("queue.paused", room.admin.id)]


async def test_one_service_or_one_mapping_can_rest_while_the_others_go_on(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip, gym = await asked(room), await asked(room, 2, name="Gym", first=10)
        one = await room.admin.slash(room.channel, "queue pause", mapping="Trip")
        assert "**Work of “Trip”** is paused" in said(one.response)
        await room.work()
        assert await count(room, trip, ItemStatus.PENDING) == 4
        assert await count(room, gym, ItemStatus.DONE) == 2
        both = await room.admin.slash(room.channel, "queue pause", mapping="Trip", service="youtube")
        assert "**Work of “Trip” for YouTube** is paused" in said(both.response)
        service = await room.admin.slash(room.channel, "queue pause", service="youtube")
        assert "**Work for YouTube** is paused" in said(service.response)
        left = await room.admin.slash(room.channel, "queue resume", mapping="Trip")
        assert "Still resting" in said(left.response)
        assert "`/queue resume service:YouTube` ends that" in said(left.response)
        wrong = await room.admin.slash(room.channel, "queue resume", service="spotify")
        assert "**Work for Spotify** was not paused" in said(wrong.response)
        await room.work()
        assert await count(room, trip, ItemStatus.PENDING) == 4
        await room.admin.slash(room.channel, "queue resume", service="youtube")
        shown = await room.member.slash(room.channel, "queue status")
        assert "Trip → YouTube: 4 waiting; ⏸️ paused" in said(shown.response)
        await room.admin.slash(room.channel, "queue resume", service="youtube", mapping=str(trip.id))
        await room.work()
        assert await count(room, trip, ItemStatus.DONE) == 4


async def test_the_buttons_pause_and_resume_after_a_restart_and_never_do_the_opposite(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping, guild = await asked(room), room.guild.id
        await room.member.slash(room.channel, "queue status")
        assert custom_ids(room.last()) == [f"queue:refresh:{guild}", f"queue:pause:{guild}"]
        await room.restart()
        refused = await room.member.click(room.last(), custom_id=f"queue:pause:{guild}")
        assert "admins" in said(answer(refused))
        await room.admin.click(room.last(), custom_id=f"queue:pause:{guild}")
        assert "is paused by" in said(room.last())
        assert custom_ids(room.last()) == [f"queue:refresh:{guild}", f"queue:resume:{guild}"]
        forged = await room.forge(room.channel, f"queue:pause:{guild}")
        second = await room.admin.click(forged, custom_id=f"queue:pause:{guild}")
        assert "Paused already" in said(answer(second))
        await room.admin.click(room.last(), custom_id=f"queue:resume:{guild}")
        assert "is paused by" not in said(room.last())
        late = await room.forge(room.channel, f"queue:resume:{guild}")
        pressed = await room.admin.click(late, custom_id=f"queue:resume:{guild}")
        assert "was not paused; nothing was changed" in said(answer(pressed))
        await room.work()
        assert await count(room, mapping, ItemStatus.DONE) == 4


async def test_of_two_admins_at_once_one_pauses_and_clears_and_the_other_reads_who_did(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        queue, guild = room.runtime.queue, room.guild.id
        # The simulated Discord takes one press at a time; behind the doors both come at once.
        both = await asyncio.gather(*(queue.pause(guild, person.id) for person in (room.admin, room.moderator)))
        assert sorted(paused.new for paused in both) == [False, True]
        [standing] = await queue.pauses(guild)
        assert {paused.pause.actor_id for paused in both} == {standing.actor_id}
        late = await room.admin.slash(room.channel, "queue pause")
        assert f"is paused by <@{standing.actor_id}>" in said(late.response)
        resumed = await asyncio.gather(*(queue.resume(guild, person.id) for person in (room.admin, room.moderator)))
        assert sorted(one.found for one in resumed) == [False, True]
        mapping = await asked(room, 2)
        await fail(room, mapping)
        until = (await queue.failed(guild)).until
        clears = (queue.clear_failed(guild, person.id, until) for person in (room.admin, room.moderator))
        first, second = sorted(await asyncio.gather(*clears, return_exceptions=True), key=str)
        assert (first, type(second)) == (2, UserMistake)
        events = [line.event for line in await room.lines() if line.event.startswith("queue.")]
        assert sorted(events) == ["queue.cleared", "queue.paused", "queue.resumed"]


async def test_clearing_shows_the_count_and_clears_just_those_after_the_press(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        nothing = await room.admin.slash(room.channel, "queue clear-failed")
        assert "Nothing failed" in said(nothing.response)
        mapping = await asked(room, 3)
        assert await fail(room, mapping) == 3
        shown = await room.admin.slash(room.channel, "queue clear-failed")
        assert "Clear 3 failed changes?" in said(shown.response)
        assert shown.ephemeral
        (button,) = custom_ids(shown.response)
        assert await count(room, mapping, ItemStatus.ERROR) == 3
        room.clock.advance(60)
        later = await asked(room, 2, name="Gym", first=10)
        await fail(room, later)
        await room.restart()
        await room.admin.click(shown.response, custom_id=button)
        assert "3 failed changes cleared" in said(shown.response)
        assert custom_ids(shown.response) == []
        assert await count(room, mapping, ItemStatus.CANCELLED) == 3
        assert await count(room, later, ItemStatus.ERROR) == 2
        twice = await room.forge(room.channel, button)
        again = await room.admin.click(twice, custom_id=button)
        assert "cleared or retried it meanwhile" in said(answer(again))
        [line] = [line for line in await room.lines() if line.event == "queue.cleared"]
        assert line.actor_id == room.admin.id


async def test_what_was_cleared_is_offered_again_by_the_next_analysis_and_can_be_retried(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await asked(room, 2)
        other = await asked(room, 1, name="Gym", first=10)
        await fail(room, mapping)
        await fail(room, other)
        shown = await room.admin.slash(room.channel, "queue clear-failed", mapping="Trip")
        assert "2 failed changes" in said(shown.response)
        await room.admin.click(shown.response, custom_id=custom_ids(shown.response)[0])
        assert await count(room, other, ItemStatus.ERROR) == 1
        [first, _] = await room.runtime.storage.items.list_of_guild(
            room.guild.id, [ItemStatus.CANCELLED], mapping_id=mapping.id
        )
        assert first.last_error == "playlistItems.insert: refused"
        await room.runtime.reviews.retry_item(room.guild.id, first.id, room.admin.id)
        room.clock.advance(3600)
        await room.runtime.sync.due()
        assert await count(room, mapping, ItemStatus.PENDING) == 2
        await room.work()
        assert await count(room, mapping, ItemStatus.DONE) == 2


@pytest.mark.parametrize("command", ["queue pause", "queue resume", "queue clear-failed"])
async def test_control_is_for_admins(tmp_path: Path, command: str) -> None:
    async with open_room(tmp_path) as room:
        for person in (room.member, room.moderator):
            refused = await person.slash(room.channel, command)
            assert "That is for admins" in said(answer(refused))
        assert await room.runtime.queue.pauses(room.guild.id) == []


async def test_everywhere_is_the_owners(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for command in ("queue pause", "queue resume"):
            refused = await room.admin.slash(room.channel, command, everywhere=True)
            assert "the owner of this bot" in said(answer(refused))
        mapping, boss = await asked(room), owner(room)
        paused = await boss.slash(room.channel, "queue pause", everywhere=True)
        assert "**All work of this bot** is paused by the owner of this bot" in said(paused.response)
        await room.work()
        assert await count(room, mapping, ItemStatus.PENDING) == 4
        [standing] = await room.runtime.queue.pauses(room.guild.id)
        assert standing.guild_id == EVERY_GUILD
        untouched = await room.admin.slash(room.channel, "queue resume")
        assert "`/queue resume everywhere:True` ends that" in said(untouched.response)
        mixed = await boss.slash(room.channel, "queue pause", everywhere=True, mapping="Trip")
        assert "belongs to one server" in said(answer(mixed))
        await boss.slash(room.channel, "queue resume", everywhere=True)
        await room.work()
        assert await count(room, mapping, ItemStatus.DONE) == 4


async def test_another_servers_queue_is_neither_shown_nor_touched(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await asked(room)
        await fail(room, mapping)
        shown = await room.admin.slash(room.channel, "queue clear-failed")
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        stranger = elsewhere.add_member(elsewhere.owner)
        status = await stranger.slash(channel, "queue status")
        assert "Failed\n**0**" in said(status.response)
        unknown = await stranger.slash(channel, "queue pause", mapping=str(mapping.id))
        assert "There is no mapping" in said(answer(unknown))
        ids = (f"queue:pause:{room.guild.id}", f"queue:refresh:{room.guild.id}", *custom_ids(shown.response))
        for custom_id in ids:
            forged = await room.forge(channel, custom_id)
            pressed = await stranger.click(forged, custom_id=custom_id)
            assert "no longer there" in said(answer(pressed))
        assert await count(room, mapping, ItemStatus.ERROR) == 4
        assert await room.runtime.queue.pauses(room.guild.id) == []
