"""/errors: what went wrong by its reason, with an example, retry and export of the group."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.run import RunKind, RunStatus, Trigger
from tests.factories import new_item
from tests.journeys.room import Room, answer, custom_ids, open_room, said

FULL = "playlistItems.insert: YouTube refuses this (playlistContainsMaximumNumberOfVideos)"


async def failed(
    room: Room, mapping: Mapping, count: int, error: str, status: ItemStatus = ItemStatus.ERROR, *, first: int = 0
) -> None:
    """So many changes of the mapping that ended so, without the services."""
    storage, now = room.runtime.storage, room.clock.now()
    run = await storage.runs.start(RunKind.ANALYSIS, mapping.id, Trigger.SCHEDULE, 0, now)
    assert run is not None
    names = [f"song{number}" for number in range(first, first + count)]
    await storage.items.enqueue(mapping.id, run.id, [new_item(name) for name in names], [])
    await storage.runs.finish(run.id, RunStatus.COMPLETED, now)
    for item in await storage.items.claim_due(
        now, now, "w", limit=count, mapping_id=mapping.id, service=Service.YOUTUBE
    ):
        later = room.clock.now().replace(hour=23) if status is ItemStatus.PENDING else None
        assert await storage.items.settle(item.id, "w", status, now=now, last_error=error, not_before=later)


async def ran_into(room: Room, mapping: Mapping, error: str) -> None:
    now = room.clock.now()
    run = await room.runtime.storage.runs.start(RunKind.ANALYSIS, mapping.id, Trigger.SCHEDULE, 0, now)
    assert run is not None
    await room.runtime.storage.runs.finish(run.id, RunStatus.FAILED, now, error=error)


def ids(message: Any, action: str) -> list[str]:
    return [each for each in custom_ids(message) if each.startswith(f"errors:{action}:")]


def options(message: Any) -> list[dict[str, Any]]:
    found = [child for row in message.components for child in row["components"] if child.get("options")]
    return list(found[0]["options"]) if found else []


async def opened(room: Room, message: Any, label: str) -> None:
    """Choose the group whose option reads so."""
    value = next(option["value"] for option in options(message) if label in option["label"])
    (select,) = ids(message, "choose")
    await room.moderator.select(message, [value], custom_id=select)


async def test_failures_are_grouped_with_what_to_do_and_a_group_opens_with_its_example(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        await failed(room, mapping, 3, FULL)
        await failed(room, mapping, 2, "youtube.units is spent until 2026-11-21 08:00 UTC", ItemStatus.PENDING, first=9)
        await ran_into(room, mapping, "playlist.items.list: Spotify does not know it (any more)")
        shown = await room.moderator.slash(room.channel, "errors")
        assert shown.ephemeral
        text = said(shown.response)
        assert "the last 7 days" in text
        assert "The playlist is full" in text
        assert "**3 changes**" in text
        assert "Make room in the playlist" in text
        assert "A playlist is gone" in text
        assert "**1 run**" in text
        assert "The quota is used up" in text
        assert "**2 changes** wait" in text
        assert "Trip (3)" in text
        await room.restart()
        await opened(room, shown.response, "The playlist is full")
        text = said(shown.response)
        assert "Title of song2" in text
        assert "Counted over the last 7 days" in text
        assert [each for each in custom_ids(shown.response) if each.startswith("item:details:")]
        (back,) = ids(shown.response, "page")
        await room.moderator.click(shown.response, custom_id=back)
        assert "What went wrong" in said(shown.response)


async def test_the_mapping_to_a_child_playlist_has_its_name(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, name="Everything → 90s")
        await room.runtime.storage.mappings.update(mapping.id, hidden=True)
        await failed(room, mapping, 2, FULL)
        shown = await room.moderator.slash(room.channel, "errors")
        assert "Everything → 90s (2)" in said(shown.response)


async def test_a_group_is_retried_after_a_confirmation_through_a_restart_and_only_once(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        await failed(room, mapping, 3, FULL)
        shown = await room.moderator.slash(room.channel, "errors")
        await opened(room, shown.response, "The playlist is full")
        await room.restart()
        await room.moderator.click(shown.response, custom_id=ids(shown.response, "retry")[0])
        assert "3 changes would be queued again" in said(shown.response)
        (confirm,) = ids(shown.response, "confirm")
        refused = await room.member.click(await room.forge(room.channel, confirm), custom_id=confirm)
        assert "moderators" in said(answer(refused))
        await room.restart()
        await room.moderator.click(shown.response, custom_id=confirm)
        assert "3 tracks in the queue again" in said(shown.response)
        assert len(await room.runtime.storage.items.open_of_mapping(mapping.id)) == 3
        again = await room.moderator.click(await room.forge(room.channel, confirm), custom_id=confirm)
        assert "Nothing of this group is left" in said(answer(again))
        (line,) = [line for line in await room.lines() if line.event == "errors.retried"]
        assert (line.actor_id, line.guild_id) == (room.moderator.id, room.guild.id)
        assert "playlist_full" in line.message


async def test_failed_runs_are_retried_by_a_new_analysis(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        await ran_into(room, mapping, "playlist.items.list: the service answered 503")
        shown = await room.moderator.slash(room.channel, "errors", show="run")
        await opened(room, shown.response, "The service does not answer")
        await room.moderator.click(shown.response, custom_id=ids(shown.response, "retry")[0])
        assert "1 mapping would be analysed again" in said(shown.response)
        await room.moderator.click(shown.response, custom_id=ids(shown.response, "confirm")[0])
        assert "1 mapping is analysed again" in said(shown.response)
        await room.until(lambda: not room.runtime.failures._background)
        run = (await room.runtime.storage.runs.of_mapping(mapping.id, 1))[0]
        assert (run.trigger, run.actor_id) == (Trigger.RETRY, room.moderator.id)


async def test_the_export_holds_exactly_the_group_as_csv_and_as_json(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, name="=Trip")
        await failed(room, mapping, 2, FULL)
        await failed(room, mapping, 1, "playlistItems.insert: YouTube refused with 400 (http_400)", first=5)
        shown = await room.moderator.slash(room.channel, "errors")
        as_csv, as_json = ids(shown.response, "export")
        await room.restart()
        every = await room.moderator.click(shown.response, custom_id=as_json)
        assert len(json.loads(await answer(every).attachments[0].read())) == 3
        await opened(room, shown.response, "The playlist is full")
        as_csv, _ = ids(shown.response, "export")
        exported = await room.moderator.click(shown.response, custom_id=as_csv)
        (file,) = answer(exported).attachments
        rows = list(csv.DictReader(io.StringIO((await file.read()).decode())))
        assert [(row["kind"], row["reason"], row["mapping"]) for row in rows] == [
            ("item", "playlist_full", "'=Trip"),
            ("item", "playlist_full", "'=Trip"),
        ]


async def test_the_options_narrow_and_bad_ones_are_told(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip, party = await room.mapping(1), await room.mapping(1, name="Party")
        await failed(room, trip, 1, FULL)
        room.clock.advance(2 * 3600)
        await failed(room, party, 2, FULL)
        shown = await room.moderator.slash(room.channel, "errors", window="90m")
        assert "**2 changes**" in said(shown.response)
        assert "the last 90 minutes" in said(shown.response)
        shown = await room.moderator.slash(room.channel, "errors", mapping="Trip")
        assert "**1 change**" in said(shown.response)
        shown = await room.moderator.slash(room.channel, "errors", show="wait")
        assert "Nothing failed in this time" in said(shown.response)
        bad = await room.moderator.slash(room.channel, "errors", window="soon")
        assert "no span of time" in said(answer(bad))
        refused = await room.member.slash(room.channel, "errors")
        assert "moderators" in said(answer(refused))


async def test_many_groups_are_turned_page_by_page(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        for number in range(11):
            word = "abcdefghijk"[number]
            await failed(room, mapping, 1, f"playlistItems.insert: reason {word}", first=number)
        shown = await room.moderator.slash(room.channel, "errors")
        assert "Page 1 of 2" in said(shown.response)
        assert len(options(shown.response)) == 8
        _, following = ids(shown.response, "page")
        await room.restart()
        await room.moderator.click(shown.response, custom_id=following)
        assert "Page 2 of 2" in said(shown.response)
        assert len(options(shown.response)) == 3


async def test_another_servers_failures_stay_there(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        await failed(room, mapping, 3, FULL)
        shown = await room.moderator.slash(room.channel, "errors")
        buttons = custom_ids(shown.response)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        theirs = await owner.slash(channel, "errors")
        assert "Nothing failed in this time" in said(theirs.response)
        for custom_id in [each for each in buttons if ":choose:" not in each]:
            pressed = await owner.click(await room.forge(channel, custom_id), custom_id=custom_id)
            assert "no longer there" in said(answer(pressed))
