"""Buttons that nothing answers any more, and faults of Discord itself."""

from pathlib import Path

from tests.journeys.room import answer, open_room, said


async def test_a_button_that_nobody_knows_gets_a_polite_private_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        for custom_id in ("plan:apply:abc", "item:retry:", "old:thing:1", "stats:refresh:1:2", "review:dismiss:-1"):
            forged = await room.forge(room.channel, custom_id)
            await room.restart()
            pressed = await room.member.click(forged, custom_id=custom_id)
            assert answer(pressed).ephemeral
            assert "no longer there" in said(answer(pressed))


async def test_a_fault_of_our_own_is_told_with_a_reference_that_the_log_holds(tmp_path: Path) -> None:
    async with open_room(tmp_path, bugs=True) as room:
        room.env.inject_error("PATCH", "/webhooks/*", status=500, times=None)
        told = await room.member.slash(room.channel, "help")
        assert "Discord did not take the answer" in said(answer(told))
        bugs = [line for line in await room.lines() if line.event == "bug"]
        assert bugs
        reference = bugs[0].message.rpartition("reference ")[2][:8]
        assert reference in said(answer(told))
