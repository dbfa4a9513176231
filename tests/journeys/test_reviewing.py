"""Deciding about tracks without a certain counterpart."""

from pathlib import Path
from typing import Any

from bot.model.matching import Candidate, Score, Verdict
from bot.model.music import Service, Track
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def _row(room: Room, *, candidates: int = 3, number: int = 0, title: str = "") -> BlacklistRow:
    """A track of a synced mapping that waits for a person, with candidates that exist in the sandbox."""
    mappings = await room.runtime.mappings.of_guild(room.guild.id)
    mapping = mappings[0] if mappings else await room.mapping(1, first=20)
    known = room.sandbox.world.tracks[number]
    source = Track(service=Service.SPOTIFY, external_id=known.id, title=title or known.title, artists=("Somebody",))
    room.sandbox.world.add(mapping.left.external_id, known.id)
    videos = room.sandbox.world.videos_of(known.id)[:candidates]
    found = [
        Candidate(
            track=Track(
                service=Service.YOUTUBE,
                external_id=video.id,
                title=title or video.title,
                channel=video.channel,
                duration=201,
            ),
            score=Score(total=0.7, title=0.8, artist=0.6, length_gap=3, verdict=Verdict.REVIEW, reason="title 0.80"),
        )
        for video in videos
    ]
    return await room.runtime.storage.blacklist.put(
        mapping.id, source, BlacklistReason.LOW_CONFIDENCE, "two are alike", found, None, room.clock.now()
    )


async def _state(room: Room, row: BlacklistRow) -> BlacklistState:
    return (await room.runtime.reviews.get(room.guild.id, row.id)).state


async def _card(room: Room) -> Any:
    return (await room.moderator.slash(room.channel, "review")).response


async def test_a_card_shows_candidates_with_length_channel_score_and_link(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room)
        card = await _card(room)
        text = said(card)
        first = row.candidates[0].track
        assert f"https://www.youtube.com/watch?v={first.external_id}" in text
        assert "3:21 (+3 s) · 0.70" in text
        assert "a person should choose; nearest: " in text
        assert "1 of 1 open" in text
        decisions = [
            f"review:{action}:{row.id}" for action in ("choose", "retry", "dismiss", "never", "search", "link")
        ]
        listed = [f"review:previous:0:{row.id}", f"review:next:0:{row.id}", "review:bulk:0", "review:export:0"]
        assert custom_ids(card) == decisions + listed
        assert f"https://open.spotify.com/track/{row.track_id}" in text
        assert "Not added to YouTube: " in text


async def test_a_choice_made_after_a_restart_is_remembered_and_added(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room)
        card = await _card(room)
        await room.restart()
        chosen = row.candidates[1].track.external_id
        await room.moderator.select(card, [chosen], custom_id=f"review:choose:{row.id}")
        assert "was chosen by" in said(room.last())
        assert await _state(room, row) is BlacklistState.RESOLVED
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work()
        (mapping,) = await room.runtime.mappings.of_guild(room.guild.id)
        assert chosen in room.sandbox.world.youtube_items(mapping.right.external_id)


async def test_each_decision_changes_its_row_and_the_card_says_so(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for action, number, word in (("dismiss", 0, "Dismissed by"), ("never", 1, "said that it is not on YouTube")):
            row = await _row(room, number=number)
            card = await _card(room)
            assert f"review:{action}:{row.id}" in custom_ids(card)
            await room.moderator.click(card, custom_id=f"review:{action}:{row.id}")
            assert word in said(card)
            assert await _state(room, row) is not BlacklistState.OPEN
        row = await _row(room, number=2)
        card = await _card(room)
        await room.moderator.click(card, custom_id=f"review:retry:{row.id}")
        assert "being looked for again" in said(card)


async def test_the_slower_of_two_moderators_is_told_that_it_is_settled(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room)
        first, second = await _card(room), await _card(room)
        await room.moderator.click(first, custom_id=f"review:dismiss:{row.id}")
        late = await room.admin.select(
            second, [row.candidates[0].track.external_id], custom_id=f"review:choose:{row.id}"
        )
        assert "settled meanwhile" in said(answer(late))
        assert answer(late).ephemeral
        assert await _state(room, row) is BlacklistState.DISMISSED


async def test_next_walks_through_the_open_rows(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        one = await _row(room, number=0)
        two = await _row(room, number=1)
        card = await _card(room)
        assert f"review:dismiss:{one.id}" in custom_ids(card)
        await room.moderator.click(card, custom_id=f"review:next:0:{one.id}")
        assert f"review:dismiss:{two.id}" in custom_ids(card)
        assert "2 of 2 open" in said(card)
        await room.moderator.click(card, custom_id=f"review:next:0:{two.id}")
        assert f"review:dismiss:{one.id}" in custom_ids(card)
        await room.restart()
        await room.moderator.click(card, custom_id=f"review:previous:0:{one.id}")
        assert f"review:dismiss:{two.id}" in custom_ids(card)
        await room.moderator.click(card, custom_id=f"review:dismiss:{two.id}")
        assert "Dismissed by" in said(card)
        assert f"review:dismiss:{one.id}" in custom_ids(card), "the next card follows at once"
        await room.moderator.click(card, custom_id=f"review:dismiss:{one.id}")
        assert "Nothing to review" in said(card)
        assert not custom_ids(card)


async def test_members_may_not_decide(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room)
        card = await _card(room)
        pressed = await room.member.click(card, custom_id=f"review:dismiss:{row.id}")
        assert "moderators" in said(answer(pressed))
        assert await _state(room, row) is BlacklistState.OPEN
        refused = await room.member.slash(room.channel, "review")
        assert "moderators" in said(answer(refused))


async def test_rows_and_items_of_another_server_or_of_nobody_get_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        await room.env.settle()
        actions = ("review:retry", "review:dismiss", "review:never", "item:retry", "item:review", "item:details")
        for action in actions:
            for key in (row.id, 123_456_789, 2**64 - 1):
                forged = await room.forge(channel, f"{action}:{key}")
                pressed = await owner.click(forged, custom_id=f"{action}:{key}")
                told = said(answer(pressed))
                assert answer(pressed).ephemeral
                assert "not exist" in told or "no longer there" in told
        assert await _state(room, row) is BlacklistState.OPEN


async def test_hostile_titles_are_harmless_on_the_card_and_in_the_select(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _row(room, title="@everyone [x](https://evil.example) ``` \u202e" + "z" * 3900)
        card = await _card(room)
        assert "@everyone" not in said(card)
        assert "https://evil" not in said(card)
        (select,) = [child for line in card.components for child in line["components"] if child.get("options")]
        assert all(len(option["label"]) <= 100 for option in select["options"])
        assert f"review:choose:{row.id}" == select["custom_id"]
