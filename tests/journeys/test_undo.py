"""/undo: what the last runs changed, what taking one back would do, doing it once, and what is said on the way."""

from pathlib import Path
from typing import Any

from bot.model.mapping import Mapping
from bot.model.run import RunKind
from tests.journeys.room import Room, answer, custom_ids, open_room, said


def _destination(room: Room, mapping: Mapping) -> list[str]:
    return room.sandbox.world.youtube_items(mapping.right.external_id)


async def _synced(room: Room, tracks: int = 4, **fields: Any) -> Mapping:
    mapping = await room.mapping(tracks, **fields)
    await room.runtime.sync.start(mapping.id, room.admin.id)
    await room.work(mapping.id)
    room.clock.advance(60)
    return mapping


async def _shown(room: Room, mapping: Mapping) -> tuple[Any, int]:
    """The message of /undo and the run that it offers."""
    shown = answer(await room.moderator.slash(room.channel, "undo", mapping=str(mapping.id)))
    button = next(each for each in custom_ids(shown) if each.startswith(("undo:apply:", "undo:force:")))
    return shown, int(button.rpartition(":")[2])


async def _runs(room: Room, mapping: Mapping, kind: RunKind) -> list[int]:
    runs = await room.runtime.storage.runs.of_mapping(mapping.id, 50)
    return [run.id for run in runs if run.kind is kind]


async def test_undo_shows_what_would_go_with_cost_and_changes_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        before = _destination(room, mapping)
        message, run = await _shown(room, mapping)
        text = said(message)
        assert f"Undo run {run} of “Trip”?" in text
        assert "4 tracks to take out" in text
        assert "4 added" in text
        assert room.sandbox.world.video(before[0]).title.split(" (")[0][:10] in text
        assert "200 YouTube units" in text
        assert "does not bring this back" in text
        assert custom_ids(message) == [f"undo:choose:{mapping.id}", f"undo:apply:{run}", f"undo:cancel:{mapping.id}"]
        await room.work()
        assert _destination(room, mapping) == before


async def test_apply_works_after_a_restart_and_its_message_becomes_the_summary(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        message, run = await _shown(room, mapping)
        await room.restart()
        await room.moderator.click(message, custom_id=f"undo:apply:{run}")
        started = said(room.last())
        assert f"Undoing run {run} of “Trip”" in started
        assert "4 changes queued" in started
        await room.work(mapping.id)
        ended = said(room.last())
        assert "Undone in “Trip”" in ended
        assert "4 removed" in ended
        assert len(room.channel.history()) == 1
        assert _destination(room, mapping) == []
        room.clock.advance(60)
        again = await room.moderator.slash(room.channel, "sync", mapping="Trip")
        assert "In step: “Trip”" in said(answer(again))
        lines = [line.message for line in await room.lines() if line.event == "undo.applied"]
        assert lines == [f"Run {run} of mapping Trip is undone: 4 to make"]


async def test_an_undo_is_chosen_from_the_select_and_undone(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        before = _destination(room, mapping)
        message, run = await _shown(room, mapping)
        await room.moderator.click(message, custom_id=f"undo:apply:{run}")
        await room.work(mapping.id)
        room.clock.advance(60)
        again, undo = await _shown(room, mapping)
        assert undo != run
        assert "It took back a run" in said(again)
        assert "4 tracks to put back" in said(again)
        await room.restart()
        await room.moderator.select(again, [str(run)], custom_id=f"undo:choose:{mapping.id}")
        assert f"Run {run} was already undone" in said(room.last())
        assert custom_ids(room.last()) == [f"undo:choose:{mapping.id}"]
        await room.moderator.select(room.last(), [str(undo)], custom_id=f"undo:choose:{mapping.id}")
        await room.moderator.click(room.last(), custom_id=f"undo:apply:{undo}")
        await room.work(mapping.id)
        assert "4 added" in said(room.last())
        assert _destination(room, mapping) == before


async def test_of_two_moderators_who_press_at_once_one_undoes(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        message, run = await _shown(room, mapping)
        other = await room.forge(room.channel, f"undo:apply:{run}")
        await room.moderator.click(message, custom_id=f"undo:apply:{run}")
        late = await room.admin.click(other, custom_id=f"undo:apply:{run}")
        assert "already undone" in said(answer(late))
        assert answer(late).ephemeral
        assert len(await _runs(room, mapping, RunKind.UNDO)) == 1
        await room.work(mapping.id)
        assert "Undone in “Trip”" in said(message)
        assert _destination(room, mapping) == []
        writes = room.sandbox.books.writes(mapping.right.external_id)
        assert len([one for one in writes if one.action == "remove"]) == 4


async def test_cancel_leaves_everything_as_it_is(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        before = _destination(room, mapping)
        message, _ = await _shown(room, mapping)
        await room.restart()
        await room.moderator.click(message, custom_id=f"undo:cancel:{mapping.id}")
        assert "Nothing was undone" in said(room.last())
        assert not custom_ids(room.last())
        await room.work()
        assert _destination(room, mapping) == before


async def test_too_much_at_once_is_an_admins_to_force(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room, max_removals=2)
        message, run = await _shown(room, mapping)
        assert "more than the 2 allowed" in said(message)
        assert f"undo:force:{run}" in custom_ids(message)
        forged = await room.forge(room.channel, f"undo:apply:{run}")
        await room.moderator.click(forged, custom_id=f"undo:apply:{run}")
        assert "Stopped before undoing anything" in said(room.last())
        assert custom_ids(room.last()) == [f"undo:force:{run}", f"undo:cancel:{mapping.id}"]
        refused = await room.moderator.click(message, custom_id=f"undo:force:{run}")
        assert "admins" in said(answer(refused))
        await room.work()
        assert len(_destination(room, mapping)) == 4
        await room.admin.click(message, custom_id=f"undo:force:{run}")
        await room.work(mapping.id)
        assert _destination(room, mapping) == []


async def test_what_people_changed_since_is_said_to_stay(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        first, second, *_ = _destination(room, mapping)
        room.sandbox.world.remove(mapping.right.external_id, first)
        room.sandbox.world.remove(mapping.right.external_id, second)
        room.sandbox.world.add(mapping.right.external_id, second)
        message, run = await _shown(room, mapping)
        assert "2 tracks to take out" in said(message)
        assert "Stays as it is (1)" in said(message)
        assert "people put it there again themselves" in said(message)
        await room.moderator.click(message, custom_id=f"undo:apply:{run}")
        await room.work(mapping.id)
        assert _destination(room, mapping) == [second]


async def test_a_mapping_without_changes_and_a_paused_one_say_so(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        empty = await room.mapping(2)
        nothing = answer(await room.moderator.slash(room.channel, "undo", mapping="Trip"))
        assert "Nothing to undo in “Trip”" in said(nothing)
        assert not custom_ids(nothing)
        await room.runtime.sync.start(empty.id, room.admin.id)
        await room.work(empty.id)
        await room.runtime.mappings.pause(room.guild.id, empty.id, room.admin.id)
        paused = answer(await room.moderator.slash(room.channel, "undo", mapping="Trip"))
        assert "is paused" in said(paused)
        assert custom_ids(paused) == [f"undo:choose:{empty.id}"]


async def test_undo_completes_the_names_of_mappings(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        choices = await room.moderator.autocomplete(room.channel, "undo", "mapping", "tri")
        assert [(choice["name"], choice["value"]) for choice in choices] == [("Trip", str(mapping.id))]


async def test_a_member_may_neither_ask_nor_press(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        refused = await room.member.slash(room.channel, "undo", mapping="Trip")
        assert refused.ephemeral
        assert "moderators" in said(answer(refused))
        message, run = await _shown(room, mapping)
        for custom_id in (f"undo:apply:{run}", f"undo:cancel:{mapping.id}"):
            pressed = await room.member.click(message, custom_id=custom_id)
            assert "moderators" in said(answer(pressed))
        chosen = await room.member.select(message, [str(run)], custom_id=f"undo:choose:{mapping.id}")
        assert "moderators" in said(answer(chosen))
        await room.work()
        assert len(_destination(room, mapping)) == 4


async def test_runs_of_another_server_and_of_nobody_get_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        _, run = await _shown(room, mapping)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(elsewhere.owner)
        await room.env.settle()
        for key in (run, 999_999, 2**63 + 5):
            for action in ("apply", "force"):
                forged = await room.forge(channel, f"undo:{action}:{key}")
                pressed = await owner.click(forged, custom_id=f"undo:{action}:{key}")
                told = said(answer(pressed))
                assert answer(pressed).ephemeral
                assert "went wrong inside" not in told
                assert "Trip" not in told
        await room.work()
        assert len(_destination(room, mapping)) == 4


async def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await _synced(room)
        hostile = "@everyone [x](https://evil.example) ``` \u202e"
        await room.runtime.mappings.edit(room.guild.id, mapping.id, room.admin.id, name=hostile)
        message, run = await _shown(room, mapping)
        await room.moderator.click(message, custom_id=f"undo:apply:{run}")
        await room.work(mapping.id)
        for request in room.env.http_requests:
            text = str(request.json)
            if request.method in ("PATCH", "POST") and "embeds" in text:
                assert "https://evil" not in text
                assert "@everyone" not in text
