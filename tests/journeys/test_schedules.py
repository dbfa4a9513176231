"""When mappings run by themselves: written, offered, shown, paused, and run at once."""

from pathlib import Path

import pytest

from bot.model.mapping import Mapping
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def _berlin(room: Room) -> None:
    await room.runtime.preferences.change(room.guild.id, room.admin.id, timezone="Europe/Berlin")


async def _there(room: Room, name: str = "Trip") -> Mapping:
    return await room.runtime.mappings.find(room.guild.id, name)


@pytest.mark.parametrize(
    ("written", "stored", "words"),
    [
        ("Fri, Mon at 6pm", "mon fri 18:00", "Mon, Fri at 18:00 (Europe/Berlin)"),
        ("every weekday 7:30", "weekdays 07:30", "on weekdays at 07:30 (Europe/Berlin)"),
        ("daily 20:00 and 8:00", "daily 08:00, 20:00", "daily at 08:00, 20:00 (Europe/Berlin)"),
        ("30 4 * * 1", "30 4 * * 1", "by the cron line 30 4 \\* \\* 1 (Europe/Berlin)"),
        ("every hour", "every 1h", "every hour\nnext"),
    ],
)
async def test_a_schedule_is_stored_in_one_form_and_shown_in_words_with_its_next_run(
    tmp_path: Path, written: str, stored: str, words: str
) -> None:
    async with open_room(tmp_path) as room:
        await _berlin(room)
        await room.mapping(1)
        edited = await room.admin.slash(room.channel, "mapping edit", mapping="Trip", schedule=written)
        mapping = await _there(room)
        assert mapping.schedule == stored
        assert mapping.next_run_at is not None
        for text in (
            said(answer(edited)),
            said((await room.member.slash(room.channel, "mapping show", mapping="Trip")).response),
        ):
            assert words in text
            assert (
                f"next <t:{int(mapping.next_run_at.timestamp())}:f> (<t:{int(mapping.next_run_at.timestamp())}:R>)"
                in text
            )
        listed = await room.member.slash(room.channel, "mapping list")
        assert f"next <t:{int(mapping.next_run_at.timestamp())}:R>" in said(listed.response)


async def test_a_schedule_that_is_none_names_the_word_and_changes_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        before = await room.mapping(1)
        for written, told in (
            ("daily at tea time", "“tea”"),
            ("every 1m", "every 5 minutes"),
            ("mon", "no time of day"),
        ):
            refused = await room.admin.slash(room.channel, "mapping edit", mapping="Trip", schedule=written)
            assert told in said(answer(refused))
            assert answer(refused).ephemeral
        assert await _there(room) == before


async def test_while_a_schedule_is_written_useful_ones_are_offered_with_their_next_run(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _berlin(room)
        offered = await room.admin.autocomplete(room.channel, "mapping add", "schedule", "")
        assert offered[0]["value"] == "every 30m"
        assert all(choice["value"] in choice["name"] for choice in offered)
        typed = await room.admin.autocomplete(room.channel, "mapping edit", "schedule", "18:30", mapping="Trip")
        assert typed[0]["value"] == "daily 18:30"
        assert typed[0]["name"].startswith("daily 18:30 · daily at 18:30, next to")
        assert typed[0]["name"].endswith(" 18:30")
        odd = await room.admin.autocomplete(room.channel, "mapping add", "schedule", "@everyone ```" + "x" * 500)
        assert odd


async def test_run_now_on_the_card_does_what_sync_does_after_a_restart_too(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        card = (await room.member.slash(room.channel, "mapping show", mapping="Trip")).response
        assert custom_ids(card) == [f"mapping:run:{mapping.id}", f"mapping:pause:{mapping.id}"]
        refused = await room.member.click(card, custom_id=f"mapping:run:{mapping.id}")
        assert "moderators" in said(answer(refused))
        await room.restart()
        await room.moderator.click(card, custom_id=f"mapping:run:{mapping.id}")
        await room.work()
        assert len(room.sandbox.world.youtube_items(mapping.right.external_id)) == 2
        assert "2 added" in said(room.last())
        assert "Mapping “Trip”" in said(card), "the card stays as it is"
        requested = [line for line in await room.lines() if line.event == "sync.requested"]
        assert [line.actor_id for line in requested] == [room.moderator.id]


async def test_pause_and_resume_on_the_card_are_for_admins_and_survive_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        card = (await room.admin.slash(room.channel, "mapping show", mapping="Trip")).response
        refused = await room.moderator.click(card, custom_id=f"mapping:pause:{mapping.id}")
        assert "admins" in said(answer(refused))
        await room.restart()
        await room.admin.click(card, custom_id=f"mapping:pause:{mapping.id}")
        assert "Paused “Trip”" in said(card)
        assert "next <t:" not in said(card), "what is paused has no next run"
        assert custom_ids(card) == [f"mapping:resume:{mapping.id}"]
        late = await room.admin.slash(room.channel, "mapping pause", mapping="Trip")
        assert "paused already" in said(answer(late))
        await room.admin.click(card, custom_id=f"mapping:resume:{mapping.id}")
        assert (await _there(room)).enabled
        assert custom_ids(card) == [f"mapping:run:{mapping.id}", f"mapping:pause:{mapping.id}"]


async def test_a_mapping_that_is_gone_or_another_servers_is_not_run(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        await room.env.settle()
        for action in ("run", "pause", "resume"):
            custom_id = f"mapping:{action}:{mapping.id}"
            forged = await room.forge(channel, custom_id)
            pressed = await owner.click(forged, custom_id=custom_id)
            assert "There is no mapping" in said(answer(pressed)) or "does not exist" in said(answer(pressed))
        assert (await _there(room)).enabled


async def test_a_long_list_turns_its_pages(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for number in range(13):
            await room.mapping(1, name=f"List {number:02}")
        shown = (await room.member.slash(room.channel, "mapping list")).response
        assert "Mappings (13)" in said(shown)
        assert "List 09" in said(shown)
        assert "List 10" not in said(shown)
        assert "1 to 10 of 13" in said(shown)
        await room.restart()
        await room.member.click(shown, custom_id="mapping:list:10")
        assert "List 12" in said(shown)
        assert custom_ids(shown) == ["mapping:list:0"]
        await room.member.click(shown, custom_id="mapping:list:0")
        assert "List 00" in said(shown)
