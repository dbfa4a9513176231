"""Many rows of /review at once: filters, accepting all that are sure, the file, and two moderators in one list."""

import asyncio
import csv
import io
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bot.model.errors import UserMistake
from bot.model.mapping import Mapping
from bot.model.matching import Candidate, Score, Verdict
from bot.model.music import Service, Track
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, ReviewFilter
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def _rows(
    room: Room,
    mapping: Mapping,
    totals: list[float],
    *,
    reason: BlacklistReason = BlacklistReason.LOW_CONFIDENCE,
    rival: float | None = None,
    start: int = 0,
) -> list[BlacklistRow]:
    """A row for each total of its best candidate; ``rival``: the total of a second one."""
    rows = []
    for number, total in enumerate(totals, start):
        known = room.sandbox.world.tracks[number]
        videos = room.sandbox.world.videos_of(known.id)
        scores = [total] if rival is None else [total, rival]
        found = [
            Candidate(
                track=Track(
                    service=Service.YOUTUBE,
                    external_id=video.id,
                    title=video.title,
                    channel=video.channel,
                    duration=200,
                ),
                score=Score(total=each, title=0.9, artist=0.9, length_gap=2, verdict=Verdict.REVIEW),
            )
            for video, each in zip(videos, scores, strict=False)
        ]
        source = Track(service=Service.SPOTIFY, external_id=known.id, title=f"{number} {known.title}", artists=("A",))
        rows.append(
            await room.runtime.storage.blacklist.put(mapping.id, source, reason, "", found, None, room.clock.now())
        )
    return rows


async def _state(room: Room, row: BlacklistRow) -> BlacklistState:
    return (await room.runtime.reviews.get(room.guild.id, row.id)).state


async def test_the_filters_of_the_command_stay_with_its_buttons_through_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        one, two = await room.mapping(1), await room.mapping(1, name="Gym", first=5)
        (first,) = await _rows(room, one, [0.7])
        mine = await _rows(room, two, [0.7, 0.8], start=10)
        (failed,) = await _rows(room, two, [0.3], reason=BlacklistReason.SEARCH_FAILED, start=20)
        card = (await room.moderator.slash(room.channel, "review", mapping="Gym", reason="low_confidence")).response
        assert "1 of 2 open" in said(card)
        assert f"review:dismiss:{mine[0].id}" in custom_ids(card)
        await room.restart()
        (following,) = [one for one in custom_ids(card) if one.startswith("review:next:")]
        await room.moderator.click(card, custom_id=following)
        assert f"review:dismiss:{mine[1].id}" in custom_ids(card)
        for row in (mine[1], mine[0]):
            await room.moderator.click(card, custom_id=f"review:dismiss:{row.id}")
        assert "No open track fits this filter" in said(card)
        alone = (await room.moderator.slash(room.channel, "review", reason="search_failed")).response
        assert f"review:dismiss:{failed.id}" in custom_ids(alone)
        assert await _state(room, first) is BlacklistState.OPEN


async def test_all_above_a_score_are_accepted_after_a_preview_that_shows_them(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, first=40)
        sure = await _rows(room, mapping, [0.9, 0.85])
        unsure = await _rows(room, mapping, [0.7], start=5)
        rivalled = await _rows(room, mapping, [0.95], rival=0.93, start=6)
        card = (await room.moderator.slash(room.channel, "review")).response
        form = await room.moderator.click(card, custom_id="review:bulk:0")
        shown = await room.moderator.submit_modal(form, {"minimum": "80%"})
        preview = answer(shown)
        assert preview.ephemeral
        assert "Accept 2 candidates?" in said(preview)
        assert sure[0].candidates[0].track.external_id in said(preview)
        assert "1 to 2 of 2; nothing is accepted yet" in said(preview)
        assert await _state(room, sure[0]) is BlacklistState.OPEN
        late = await _rows(room, mapping, [0.99], start=8)
        (accept,) = [one for one in custom_ids(preview) if one.startswith("review:accept:")]
        await room.restart()
        await room.moderator.click(preview, custom_id=accept)
        assert "2 candidates accepted by **max**" in said(preview)
        assert [await _state(room, row) for row in sure] == [BlacklistState.RESOLVED] * 2
        for row in (*unsure, *rivalled, *late):
            assert await _state(room, row) is BlacklistState.OPEN
        events = [line.event for line in await room.lines()]
        assert events.count("review.chosen") == 2
        assert events.count("review.bulk") == 1
        found = await room.runtime.storage.matches.find(Service.SPOTIFY, [sure[0].track_id], room.guild.id)
        assert found[sure[0].track_id].decided_by_user == room.moderator.id


async def test_the_preview_turns_its_pages_and_comes_from_the_command_too(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, first=40)
        await _rows(room, mapping, [0.9] * 13)
        preview = (await room.moderator.slash(room.channel, "review", accept_above=0.8)).response
        assert "1 to 10 of 13" in said(preview)
        (following,) = [one for one in custom_ids(preview) if one.startswith("review:preview:")]
        await room.restart()
        await room.moderator.click(preview, custom_id=following)
        assert "11 to 13 of 13" in said(preview)
        (back,) = [one for one in custom_ids(preview) if one.startswith("review:preview:")]
        await room.moderator.click(preview, custom_id=back)
        assert "1 to 10 of 13" in said(preview)
        nothing = (await room.moderator.slash(room.channel, "review", accept_above=0.95)).response
        assert "Nothing to accept" in said(nothing)
        assert not custom_ids(nothing)


async def test_a_score_that_is_none_is_refused_with_an_example(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _rows(room, await room.mapping(1, first=40), [0.9])
        card = (await room.moderator.slash(room.channel, "review")).response
        for text in ("high", "0.2", "nan", "150"):
            form = await room.moderator.click(card, custom_id="review:bulk:0")
            told = await room.moderator.submit_modal(form, {"minimum": text})
            assert "such as 0.80" in said(answer(told)), text


async def test_two_moderators_who_accept_the_same_list_at_once_decide_each_track_once(tmp_path: Path) -> None:
    """The simulated Discord takes one press at a time, so the second one comes through the engine."""
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, first=40)
        rows = await _rows(room, mapping, [0.9] * 6)
        guild, reviews = room.guild.id, room.runtime.reviews
        preview = (await room.moderator.slash(room.channel, "review", accept_above=0.8)).response
        accept = next(one for one in custom_ids(preview) if one.startswith("review:accept:"))
        theirs = await reviews.sure(guild, ReviewFilter(), 0.8)
        _, accepted, *_ = await asyncio.gather(
            room.moderator.click(preview, custom_id=accept),
            reviews.accept_all(guild, theirs, room.admin.id),
            *(_refused(reviews.dismiss(guild, row.id, room.admin.id)) for row in rows[:2]),
        )
        lines = await room.lines()
        chosen = [line.actor_id for line in lines if line.event == "review.chosen"]
        dismissed = [line for line in lines if line.event == "review.dismissed"]
        assert len(chosen) + len(dismissed) == 6
        assert chosen.count(room.admin.id) == accepted.chosen
        assert f"{chosen.count(room.moderator.id)} candidate" in said(preview)
        assert await reviews.open(guild) == []


async def test_two_who_choose_differently_at_the_same_moment_leave_one_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, first=40)
        (row,) = await _rows(room, mapping, [0.9], rival=0.89)
        card = (await room.moderator.slash(room.channel, "review")).response
        ids = [candidate.track.external_id for candidate in row.candidates]
        pressed, other = await asyncio.gather(
            room.moderator.select(card, [ids[0]], custom_id=f"review:choose:{row.id}"),
            _refused(room.runtime.reviews.choose(room.guild.id, row.id, ids[1], room.admin.id)),
        )
        late = "settled meanwhile" in said(answer(pressed)) if answer(pressed) is not None else False
        assert late != other, "exactly one of them is told that it is settled"
        (line,) = [line for line in await room.lines() if line.event == "review.chosen"]
        found = await room.runtime.storage.matches.find(Service.SPOTIFY, [row.track_id], room.guild.id)
        assert found[row.track_id].decided_by_user == line.actor_id
        assert found[row.track_id].destination_id == (ids[0] if line.actor_id == room.moderator.id else ids[1])


async def _refused(decision: Coroutine[Any, Any, Any]) -> bool:
    try:
        await decision
    except UserMistake:
        return True
    return False


async def test_the_list_is_exported_with_its_reasons_by_button_and_by_option(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1, first=40)
        rows = await _rows(room, mapping, [0.9, 0.8])
        await _rows(room, mapping, [0.3], reason=BlacklistReason.SEARCH_FAILED, start=5)
        card = (await room.moderator.slash(room.channel, "review")).response
        await room.restart()
        pressed = await room.moderator.click(card, custom_id="review:export:0")
        table = list(csv.DictReader(io.StringIO(await _file(answer(pressed), "unmatched.csv"))))
        assert [row["reason"] for row in table] == ["low_confidence", "low_confidence", "search_failed"]
        assert table[0]["mapping"] == "Trip"
        assert table[0]["best_link"] == rows[0].candidates[0].track.url
        asked = await room.moderator.slash(room.channel, "review", reason="search_failed", export="json")
        assert answer(asked).ephemeral
        (only,) = json.loads(await _file(answer(asked), "unmatched.json"))
        assert only["reason"] == "search_failed"
        nothing = await room.moderator.slash(room.channel, "review", reason="unavailable", export="csv")
        assert "Nothing matches" in said(answer(nothing))


async def test_a_list_of_another_server_is_not_there(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        (row,) = await _rows(room, await room.mapping(1, first=40), [0.9])
        await room.moderator.slash(room.channel, "review", mapping="Trip")
        preview = (await room.moderator.slash(room.channel, "review", accept_above=0.8)).response
        (accept,) = [one for one in custom_ids(preview) if one.startswith("review:accept:")]
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        await room.env.settle()
        for custom_id in (accept, "review:next:1:1", "review:preview:1:0", "review:export:1", "review:bulk:1"):
            forged = await room.forge(channel, custom_id)
            pressed = await owner.click(forged, custom_id=custom_id)
            assert "no longer there" in said(answer(pressed)), custom_id
        everything = await owner.slash(channel, "review")
        assert "Nothing to review" in said(everything.response)
        assert await _state(room, row) is BlacklistState.OPEN


async def _file(message: Any, name: str) -> str:
    (attachment,) = message.attachments
    assert attachment.filename == name
    return (await attachment.read()).decode()
