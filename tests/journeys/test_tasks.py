"""/tasks: what works in the background, and running one of it now."""

from pathlib import Path
from typing import Any

from tests.journeys.room import Room, answer, custom_ids, open_room, said


def owner(room: Room) -> Any:
    """A member of the server whom the bot knows as its owner."""
    person = room.guild.add_member(room.env.create_user("boss"))
    room.env.bot.owner_id = person.id
    return person


async def run(room: Room, person: Any, name: str) -> str:
    """What the person reads after choosing the task in the latest list."""
    shown = await person.slash(room.channel, "tasks")
    pressed = await person.select(shown.response, [name], custom_id=f"tasks:run:{room.guild.id}")
    return said(answer(pressed))


async def test_admins_see_every_task_with_what_it_is_for(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        shown = await room.admin.slash(room.channel, "tasks")
        assert shown.ephemeral
        text = said(shown.response)
        for title in (
            "Executor", "Log writer", "Scheduler", "Reconciler", "Quota rollover", "Token check", "Retention", "Backup"
        ):  # fmt: skip
            assert title in text
        assert "not run yet" in text
        assert custom_ids(shown.response) == [f"tasks:refresh:{room.guild.id}"]
        for person in (room.member, room.moderator):
            assert "That is for admins" in said(answer(await person.slash(room.channel, "tasks")))


async def test_only_the_owner_runs_one_now_also_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        boss, chooser = owner(room), f"tasks:run:{room.guild.id}"
        shown = await boss.slash(room.channel, "tasks")
        assert custom_ids(shown.response) == [f"tasks:refresh:{room.guild.id}", chooser]
        await room.restart()
        room.env.bot.owner_id = boss.id
        pressed = await boss.select(shown.response, ["heartbeats"], custom_id=chooser)
        assert "Reconciler: was run" in said(answer(pressed))
        assert "runs ended: 0, changes taken back: 0" in said(answer(pressed))
        assert "Result: runs ended: 0" in said(shown.response)
        room.env.bot.owner_id = room.moderator.id
        refused = await boss.select(shown.response, ["heartbeats"], custom_id=chooser)
        assert "the owner of this bot" in said(answer(refused))
        asked = [line for line in await room.lines() if line.event == "task.requested"]
        assert [line.actor_id for line in asked] == [boss.id]


async def test_a_loop_can_be_nudged_and_its_signs_of_life_are_shown(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        boss = owner(room)
        assert "looks for due work now" in await run(room, boss, "executor")
        assert "every line is written" in await run(room, boss, "log_writer")
        shown = await room.admin.slash(room.channel, "tasks")
        assert "goes on all the time" in said(shown.response)
        assert "✅ Executor" in said(shown.response) or "Executor" in said(shown.response)


async def test_a_task_that_fails_says_why_once_in_the_log_and_that_it_is_well_again(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        boss = owner(room)
        (tmp_path / "backups").write_text("in the way")
        for _ in range(2):
            text = await run(room, boss, "backup")
            assert "Backup: failed" in text
            assert "cannot be made, so nothing was copied" in text
        listed = await room.admin.slash(room.channel, "tasks")
        assert "1 of them failed at the last run" in said(listed.response)
        assert len([line for line in await room.lines() if line.event == "task.failed"]) == 1
        (tmp_path / "backups").unlink()
        assert "Backup: was run" in await run(room, boss, "backup")
        assert "1 written" not in said(listed.response)
        refreshed = await room.admin.click(listed.response, custom_id=f"tasks:refresh:{room.guild.id}")
        assert refreshed is not None
        assert "All is well" in said(listed.response)
        events = [line.event for line in await room.lines()]
        assert events.count("task.recovered") == events.count("backup.done") == 1
        (copy,) = (tmp_path / "backups").iterdir()
        assert copy.stat().st_mode & 0o777 == 0o600


async def test_a_list_of_another_server_gets_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        forged = await room.forge(room.channel, "tasks:refresh:777")
        pressed = await room.admin.click(forged, custom_id="tasks:refresh:777")
        assert "no longer there" in said(answer(pressed))
