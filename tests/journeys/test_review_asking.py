"""Looking for a counterpart oneself: other words to search for, or a link."""

from pathlib import Path
from typing import Any

import pytest

from bot.model.music import Service, Track
from bot.model.quota import Bucket
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def _lost(room: Room, number: int = 0) -> BlacklistRow:
    """A Spotify track that exists, for which nothing was found."""
    mappings = await room.runtime.mappings.of_guild(room.guild.id)
    mapping = mappings[0] if mappings else await room.mapping(1, first=20)
    known = [track for track in room.sandbox.world.tracks if room.sandbox.world.right_videos(track.id)][number]
    room.sandbox.world.add(mapping.left.external_id, known.id)
    source = Track(
        service=Service.SPOTIFY,
        external_id=known.id,
        title=known.title,
        artists=known.artists,
        duration=known.length_ms / 1000,
    )
    await room.runtime.storage.tracks.remember([source])
    return await room.runtime.storage.blacklist.put(
        mapping.id, source, BlacklistReason.SEARCH_FAILED, "no candidates", (), None, room.clock.now()
    )


async def _form(room: Room, row: BlacklistRow, action: str) -> Any:
    card = (await room.moderator.slash(room.channel, "review")).response
    return await room.moderator.click(card, custom_id=f"review:{action}:{row.id}")


async def test_a_search_in_own_words_says_its_price_spends_it_and_brings_candidates(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _lost(room)
        card = (await room.moderator.slash(room.channel, "review")).response
        await room.restart()
        form = await room.moderator.click(card, custom_id=f"review:search:{row.id}")
        assert "Costs one of YouTube's 100 searches a day; 100 are left." in str(form.modal)
        assert row.title in str(form.modal)
        await room.moderator.submit_modal(form, {"words": f"{row.artists[0]} {row.title}"})
        shown = room.last()
        assert "searched YouTube for" in said(shown)
        assert "Candidates on YouTube" in said(shown)
        assert f"review:choose:{row.id}" in custom_ids(shown)
        assert (await room.runtime.quota.state(Bucket.YOUTUBE_SEARCH)).used == 1
        found = await room.runtime.reviews.get(room.guild.id, row.id)
        assert found.state is BlacklistState.OPEN
        await room.moderator.select(shown, [found.candidates[0].track.external_id], custom_id=f"review:choose:{row.id}")
        assert "was chosen by" in said(room.last())
        lines = {line.event: line for line in await room.lines()}
        assert lines["review.searched"].actor_id == lines["review.chosen"].actor_id == room.moderator.id


async def test_a_search_that_finds_nothing_leaves_the_row_as_it_was(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _lost(room)
        form = await _form(room, row, "search")
        told = await room.moderator.submit_modal(form, {"words": "zzqx qqzx"})
        assert "finds nothing" in said(answer(told))
        assert answer(told).ephemeral
        assert await room.runtime.reviews.get(room.guild.id, row.id) == row


async def test_a_spent_search_is_told_kindly_before_and_after_the_form(tmp_path: Path) -> None:
    async with open_room(tmp_path, youtube_daily_searches=1) as room:
        row = await _lost(room)
        form = await _form(room, row, "search")
        await room.runtime.quota.spend(Bucket.YOUTUBE_SEARCH, "search.list", units=1, mapping_id=0)
        late = await room.moderator.submit_modal(form, {"words": "anything"})
        assert "searches for today are used up" in said(answer(late))
        before = await _form(room, row, "search")
        assert before.modal is None
        assert "searches for today are used up" in said(answer(before))
        assert not room.sandbox.books.requests("youtube", path="search")


async def test_a_link_is_checked_remembered_and_added(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _lost(room)
        (video, *_) = room.sandbox.world.right_videos(row.track_id)
        form = await _form(room, row, "link")
        await room.moderator.submit_modal(form, {"link": f"<https://youtu.be/{video}?si=abc>"})
        assert "gave" in said(room.last())
        assert "it is being added" in said(room.last())
        assert (await room.runtime.reviews.get(room.guild.id, row.id)).state is BlacklistState.RESOLVED
        searches = room.sandbox.books.searches()
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work()
        (mapping,) = await room.runtime.mappings.of_guild(room.guild.id)
        assert video in room.sandbox.world.youtube_items(mapping.right.external_id)
        assert room.sandbox.books.searches() == searches + 1  # the other track of the playlist


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("https://open.spotify.com/track/0000000000000000000000", "what lacks is the track on YouTube"),
        ("https://www.youtube.com/playlist?list=PL1234567890ab", "a YouTube playlist, not to one video"),
        ("https://www.youtube.com/watch?v=AAAAAAAAAAA", "does not know this video"),
        ("https://www.youtube.com/watch?v=short", "cut off or mistyped"),
        ("https://example.org/x", "no link to a track"),
    ],
)
async def test_a_link_that_will_not_do_gets_its_own_sentence_and_changes_nothing(
    tmp_path: Path, link: str, sentence: str
) -> None:
    async with open_room(tmp_path) as room:
        row = await _lost(room)
        form = await _form(room, row, "link")
        told = await room.moderator.submit_modal(form, {"link": link})
        assert sentence in said(answer(told))
        assert "Nothing was changed" in said(answer(told))
        assert answer(told).ephemeral
        assert (await room.runtime.reviews.get(room.guild.id, row.id)).state is BlacklistState.OPEN


async def test_a_form_that_comes_back_after_somebody_decided_is_told_so_and_spends_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        row = await _lost(room)
        searching, linking = await _form(room, row, "search"), await _form(room, row, "link")
        await room.runtime.reviews.dismiss(room.guild.id, row.id, room.admin.id)
        for form, values in ((searching, {"words": "x"}), (linking, {"link": "https://youtu.be/AAAAAAAAAAA"})):
            told = await room.moderator.submit_modal(form, values)
            assert "settled meanwhile" in said(answer(told))
        assert (await room.runtime.quota.state(Bucket.YOUTUBE_SEARCH)).used == 0
