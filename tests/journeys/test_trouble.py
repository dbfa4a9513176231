"""What goes wrong outside is told in Discord in a sentence, and loses nothing."""

from pathlib import Path

from bot.model.item import ItemStatus
from bot.sandbox.faults import FaultKind
from tests.journeys.room import answer, open_room, said


async def test_a_playlist_that_was_deleted_pauses_its_mapping_and_says_so(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        room.sandbox.world.delete(mapping.left.external_id)
        told = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert answer(told).ephemeral
        assert "is gone" in said(answer(told))
        shown = await room.member.slash(room.channel, "mapping show", mapping="Trip")
        assert "paused" in said(answer(shown))
        assert not room.sandbox.world.youtube_items(mapping.right.external_id)


async def test_a_full_quota_waits_and_the_summary_says_until_when(tmp_path: Path) -> None:
    async with open_room(tmp_path, youtube_daily_searches=3) as room:
        mapping = await room.mapping(6)
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "YouTube searches (3 left)" in said(room.last())
        await room.work(mapping.id)
        ended = said(room.last())
        assert "waits" in ended
        assert "go on by itself <t:" in ended
        shown = await room.member.slash(room.channel, "quota")
        assert "3 of 3" in said(shown.response)
        assert "Done <t:" in said(shown.response)
        waiting = (await room.runtime.storage.items.counts(room.guild.id))[ItemStatus.PENDING]
        room.clock.advance(24 * 3600)
        await room.work(mapping.id)
        assert waiting
        assert (await room.runtime.storage.items.counts(room.guild.id))[ItemStatus.PENDING] < waiting


async def test_a_service_that_does_not_answer_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        room.sandbox.faults.next("spotify", "GET", ".*", FaultKind.ERROR_503, times=20)
        told = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert answer(told).ephemeral
        assert "Nothing was changed" in said(answer(told))
        assert not room.sandbox.world.youtube_items(mapping.right.external_id)
        room.sandbox.faults.clear()
        await room.moderator.slash(room.channel, "sync", mapping="Trip")
        await room.work(mapping.id)
        assert len(room.sandbox.world.youtube_items(mapping.right.external_id)) == 3


async def test_a_service_that_asks_for_a_long_pause_is_waited_for(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(3)
        room.sandbox.faults.next("spotify", "GET", ".*", FaultKind.RATE_LIMIT, retry_after=7200)
        told = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "asked for a pause" in said(answer(told))
        assert "<t:" in said(answer(told))


async def test_a_paused_mapping_is_not_synced(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(1)
        await room.admin.slash(room.channel, "mapping pause", mapping="Trip", reason="holidays")
        told = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "paused (holidays)" in said(answer(told))


async def test_an_unknown_mapping_is_a_sentence(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for text in ("Nothing", "999", "9" * 40, "'; drop table mappings; --", ""):
            told = await room.moderator.slash(room.channel, "sync", mapping=text)
            assert answer(told).ephemeral
            assert "went wrong inside" not in said(answer(told))
