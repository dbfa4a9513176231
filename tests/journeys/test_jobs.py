"""/jobs: lists under every option, one run in full, retry, cancel and export, by buttons that outlive a restart."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.run import RunStatus
from cogs.jobs._refresh import AT_MOST
from tests.journeys.room import Room, answer, custom_ids, open_room, said


def head(message: Any, action: str) -> str:
    """The custom id of the message's button of this action."""
    return next(each for each in custom_ids(message) if each.startswith(f"jobs:{action}:"))


async def attached(message: Any) -> str:
    """The text of the message's file."""
    (file,) = message.attachments
    return bytes(await file.read()).decode()


async def failed(room: Room, mapping: Mapping, count: int) -> None:
    """So many of the mapping's done items as if they had failed."""
    items = await room.runtime.storage.items.list_of_guild(room.guild.id, limit=100, mapping_id=mapping.id)
    ids = [item.id for item in items][:count]

    async def fail(connection: Any) -> None:
        marks = ", ".join(map(str, ids))
        await connection.exec_driver_sql(
            f"UPDATE sync_items SET status = 'error', last_error = 'the service answered 503' WHERE id IN ({marks})"
        )

    await room.runtime.storage.db.write(fail)


async def synced(room: Room, tracks: int = 3, name: str = "Trip", **fields: Any) -> Mapping:
    mapping = await room.mapping(tracks, name=name, **fields)
    await room.runtime.sync.start(mapping.id, room.admin.id)
    await room.work(mapping.id)
    return mapping


async def listed(room: Room, **options: Any) -> str:
    return said((await room.moderator.slash(room.channel, "jobs list", **options)).response)


async def test_the_list_shows_runs_and_items_newest_first(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        assert "`/sync` starts the first job" in await listed(room)
        await synced(room)
        runs = await listed(room)
        assert runs.index("✅ `2` execution of **Trip**") < runs.index("✅ `1` analysis of **Trip**")
        assert "+3" in runs
        assert "1 to 2 of 2 runs · created, newest first" in runs
        items = await listed(room, show="items")
        assert items.count("✅") == 3
        assert "(YouTube, Trip)" in items
        assert "1 to 3 of 3 items" in items


async def test_each_option_of_the_list_leaves_what_it_says(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await synced(room)
        await synced(room, 2, "Gym", first=10)
        await failed(room, trip, 1)
        cases: list[tuple[dict[str, Any], str]] = [
            ({"status": "completed"}, "of 4 runs"),
            ({"status": "failed"}, "Nothing matches"),
            ({"kind": "analysis"}, "of 2 runs"),
            ({"mapping": "Gym"}, "of 2 runs"),
            ({"trigger": "schedule"}, "Nothing matches"),
            ({"trigger": "command"}, "of 4 runs"),
            ({"actor": room.admin}, "of 4 runs"),
            ({"actor": room.member}, "Nothing matches"),
            ({"since": "1h"}, "of 4 runs"),
            ({"until": "2020-01-01"}, "Nothing matches"),
            ({"text": "503"}, "of 2 runs"),
            ({"id": 3}, "of 1 run ·"),
            ({"sort": "completed, oldest first"}, "completed, oldest first"),
            ({"show": "items", "status": "error"}, "of 1 item ·"),
            ({"show": "items", "status": "done", "mapping": "Trip"}, "of 2 items"),
            ({"show": "items", "kind": "remove_track"}, "Nothing matches"),
            ({"show": "items", "sort": "completed, newest first"}, "of 5 items"),
            ({"page_size": 25}, "of 4 runs"),
        ]
        for options, expected in cases:
            assert expected in await listed(room, **options), options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"status": "blue"}, "nothing that runs have. It is one of: queued"),
        ({"show": "items", "kind": "analysis"}, "nothing that items have. It is one of: add"),
        ({"since": "today", "until": "yesterday"}, "`since` lies after `until`"),
        ({"since": "soon-ish"}, "soon-ish"),
        ({"show": "items", "sort": "started, newest first"}, "no start of their own"),
        ({"mapping": "Nowhere"}, "Nowhere"),
        ({"filter": "Nobody's"}, "No filter is saved as"),
        ({"save_as": " "}, "1 to 60 characters"),
    ],
)
async def test_what_does_not_fit_gets_a_sentence_with_the_remedy(
    tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    async with open_room(tmp_path) as room:
        told = await room.moderator.slash(room.channel, "jobs list", **options)
        assert sentence in said(answer(told))
        assert answer(told).ephemeral


async def test_pages_turn_back_and_forth_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room, 12)
        card = (await room.moderator.slash(room.channel, "jobs list", show="items")).response
        assert "1 to 10 of 12 items" in said(card)
        await room.restart()
        await room.moderator.click(card, custom_id=head(card, "next"))
        assert "11 to 12 of 12 items" in said(card)
        await room.moderator.click(card, custom_id=head(card, "previous"))
        assert "1 to 10 of 12 items" in said(card)
        await room.moderator.click(card, custom_id=head(card, "refresh"))
        assert "1 to 10 of 12 items" in said(card)


async def test_a_filter_is_saved_by_name_and_used_by_everybody(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await synced(room)
        await failed(room, trip, 2)
        saved = await room.moderator.slash(
            room.channel, "jobs list", show="items", status="error", save_as="Broken things"
        )
        assert "Saved as **Broken things**" in said(answer(saved))
        choices = await room.admin.autocomplete(room.channel, "jobs list", "filter", "brok")
        assert [(one["name"], one["value"]) if isinstance(one, dict) else (one.name, one.value) for one in choices] == [
            ("Broken things (items)", "items:Broken things")
        ]
        assert "1 to 2 of 2 items" in await listed(room, filter="items:Broken things")
        assert "1 to 2 of 2 items" in await listed(room, filter="broken THINGS", mapping="Trip")
        clash = await room.moderator.slash(room.channel, "jobs list", filter="Broken things", show="runs")
        assert "was saved for items" in said(answer(clash))
        card = (await room.moderator.slash(room.channel, "jobs list", kind="analysis")).response
        await room.restart()
        form = await room.moderator.click(card, custom_id=head(card, "save"))
        told = await room.moderator.submit_modal(form, {"name": "Looks"})
        assert "Saved as **Looks**" in said(answer(told))
        assert "of 1 run" in await listed(room, filter="Looks")
        await listed(
            room, kind="analysis", save_as="items:of last week"
        )  # looks like the value of a choice, and is a name
        assert "of 1 run" in await listed(room, filter="items:of last week")
        assert "of 1 run" in await listed(room, filter="jobs:items:of last week")


async def test_suggestions_follow_the_list_that_is_shown(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.mapping(1)

        async def offered(option: str, current: str = "", **given: Any) -> list[str]:
            choices = await room.moderator.autocomplete(room.channel, "jobs list", option, current, **given)
            return [one["name"] if isinstance(one, dict) else one.name for one in choices]

        assert "in progress" in await offered("status")
        assert await offered("kind", "ana") == ["analysis"]
        assert await offered("mapping", "tr") == ["Trip"]


async def test_one_run_is_shown_in_full_with_its_buttons_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await synced(room)
        await failed(room, trip, 1)
        card = (await room.moderator.slash(room.channel, "jobs show", id=2)).response
        other = (await room.admin.slash(room.channel, "jobs show", id=2)).response
        text = said(card)
        for part in (
            "Run 2: execution",
            "**Completed** · Trip",
            "Found 3 · added 3",
            "quota unit",
            "✅ 2 done",
            "❌ 1",
        ):
            assert part in text
        assert "1× the service answered 503" in text
        assert f"<@{room.admin.id}>" in text
        await room.restart()
        log = await room.moderator.click(card, custom_id="jobs:log:2")
        assert "Execution complete" in said(answer(log))
        items = await room.moderator.click(card, custom_id="jobs:items:2")
        assert "of 3 items" in said(answer(items))
        exported = await room.moderator.click(card, custom_id="jobs:export-run:2")
        assert len(list(csv.DictReader(io.StringIO(await attached(answer(exported)), newline="")))) == 3
        retried = await room.moderator.click(card, custom_id="jobs:retry-run:2")
        assert "**1 item** of run 2 is in the queue again" in said(answer(retried))
        again = await room.admin.click(other, custom_id="jobs:retry-run:2")
        assert "There is nothing to retry" in said(answer(again))
        await room.work(trip.id)
        assert (await room.runtime.jobs.show(room.guild.id, 3)).items[ItemStatus.DONE] == 1
        missing = await room.moderator.slash(room.channel, "jobs show", id=99)
        assert "no such run" in said(answer(missing))


async def test_a_row_of_the_list_is_opened_by_its_select(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room)
        card = (await room.moderator.slash(room.channel, "jobs list")).response
        await room.restart()
        opened = await room.moderator.select(card, ["1"], custom_id=head(card, "open"))
        assert "Run 1: analysis" in said(answer(opened))
        items = (await room.moderator.slash(room.channel, "jobs list", show="items")).response
        shown = await room.moderator.select(items, ["2"], custom_id=head(items, "open"))
        assert "Item 2 · run 2" in said(answer(shown))


async def test_all_that_failed_is_retried_after_a_count_and_by_one_of_two_only(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await synced(room, 4)
        await failed(room, trip, 3)
        card = (await room.moderator.slash(room.channel, "jobs list", show="items")).response
        mine = answer(await room.moderator.click(card, custom_id=head(card, "retry")))
        assert "**3 failed items** would go back into the queue" in said(mine)
        assert mine.ephemeral
        theirs = answer(await room.admin.click(card, custom_id=head(card, "retry")))
        await room.restart()
        await room.moderator.click(mine, custom_id=head(mine, "retry-now"))
        assert "**3 items** are in the queue again" in said(mine)
        late = await room.admin.click(theirs, custom_id=head(theirs, "retry-now"))
        assert "somebody was faster" in said(answer(late))
        await room.work(trip.id)
        counts = await room.runtime.storage.items.counts(room.guild.id)
        assert counts[ItemStatus.DONE] == 4
        assert [line.actor_id for line in await room.lines() if line.event == "jobs.retried"] == [room.moderator.id]


async def test_waiting_work_is_cancelled_by_id_and_by_filter_and_planned_anew(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await room.mapping(3)
        await room.runtime.sync.start(trip.id, room.admin.id)
        told = await room.admin.slash(room.channel, "jobs cancel", id=1)
        assert "3 waiting items left the queue with run 1" in said(answer(told))
        again = await room.admin.slash(room.channel, "jobs cancel", id=1)
        assert "nothing of it waits" in said(answer(again))
        assert (await room.runtime.sync.start(trip.id, room.admin.id)).enqueued == 3
        await room.moderator.slash(room.channel, "jobs list", show="items", mapping="Trip", save_as="Trip's")
        asked = answer(await room.admin.slash(room.channel, "jobs cancel", filter="Trip's"))
        assert "**3 waiting items** would be cancelled (mapping Trip)" in said(asked)
        await room.restart()
        await room.admin.click(asked, custom_id=head(asked, "cancel-now"))
        assert "Cancelled: **3 waiting items**" in said(asked)
        assert custom_ids(asked) == [], "the button is gone"
        lines = [line.event for line in await room.lines()]
        assert "job.cancelled" in lines
        assert "jobs.cancelled" in lines


async def test_retry_and_cancel_ask_for_either_an_id_or_a_filter(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room)
        await room.moderator.slash(room.channel, "jobs list", save_as="All")
        for command in ("jobs retry", "jobs cancel"):
            assert "Say which" in said(answer(await room.admin.slash(room.channel, command)))
            both = await room.admin.slash(room.channel, command, id=1, filter="All")
            assert "not both" in said(answer(both))
            nothing = await room.admin.slash(room.channel, command, filter="All")
            assert "There is nothing to" in said(answer(nothing))
            assert "nothing" in said(answer(await room.admin.slash(room.channel, command, id=2)))


async def test_two_admins_cancel_the_same_run_at_once_and_one_of_them_does_it(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await room.mapping(2)
        await room.runtime.sync.start(trip.id, room.admin.id)
        card = (await room.admin.slash(room.channel, "jobs list")).response
        asked = [answer(await room.admin.click(card, custom_id=head(card, "cancel"))) for _ in range(2)]
        assert "**1 run** and **2 waiting items** would be cancelled" in said(asked[0])
        await room.admin.click(asked[0], custom_id=head(asked[0], "cancel-now"))
        late = await room.admin.click(asked[1], custom_id=head(asked[1], "cancel-now"))
        assert "somebody was faster" in said(answer(late))
        shown = (await room.admin.slash(room.channel, "jobs show", id=1)).response
        assert f"Cancelled by <@{room.admin.id}>" in said(shown)


@pytest.mark.parametrize("format_", ["csv", "json"])
async def test_an_export_holds_exactly_the_filtered_rows(tmp_path: Path, format_: str) -> None:
    async with open_room(tmp_path) as room:
        trip = await synced(room, 3)
        await synced(room, 1, "=Gym", first=10)
        await failed(room, trip, 2)
        await room.moderator.slash(room.channel, "jobs list", show="items", status="error", save_as="Broken")

        async def rows(**options: Any) -> list[dict[str, Any]]:
            sent = answer(await room.moderator.slash(room.channel, "jobs export", format=format_, **options))
            text = await attached(sent)
            assert sent.ephemeral
            return json.loads(text) if format_ == "json" else list(csv.DictReader(io.StringIO(text, newline="")))

        broken = await rows(filter="Broken")
        assert [row["status"] for row in broken] == ["error"] * 2
        assert {row["last_error"] for row in broken} == {"the service answered 503"}
        runs = await rows()
        assert [str(row["id"]) for row in runs] == ["4", "3", "2", "1"]
        assert runs[0]["mapping"] == ("=Gym" if format_ == "json" else "'=Gym")
        assert runs[0]["actor_id"] == str(room.admin.id)
        assert len(await rows(show="items")) == 4
        await room.moderator.slash(room.channel, "jobs list", status="failed", save_as="None")
        none = await room.moderator.slash(room.channel, "jobs export", format=format_, filter="None")
        assert "Nothing matches, so there is no file" in said(answer(none))


async def test_the_lists_own_export_button_works_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room)
        card = (await room.moderator.slash(room.channel, "jobs list", kind="analysis")).response
        await room.restart()
        sent = answer(await room.moderator.click(card, custom_id=head(card, "export")))
        assert [row["kind"] for row in csv.DictReader(io.StringIO(await attached(sent), newline=""))] == ["analysis"]


async def test_the_list_refreshes_itself_while_something_is_active_and_then_stops(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        trip = await room.mapping(2)
        run = (await room.runtime.sync.start(trip.id, room.admin.id)).run
        began = room.clock.now()
        card = (await room.moderator.slash(room.channel, "jobs list", show="items")).response
        await room.until(lambda: "refreshes every 30 s" not in said(card))
        assert room.clock.now() - began >= AT_MOST
        patches = len([one for one in room.env.http_requests if one.method == "PATCH"])
        await room.work(trip.id)
        done = (await room.moderator.slash(room.channel, "jobs list", show="items")).response
        assert "refreshes" not in said(done)
        await room.env.settle()
        assert len([one for one in room.env.http_requests if one.method == "PATCH"]) == patches + 1
        assert run.status is RunStatus.COMPLETED


async def test_members_and_moderators_are_told_whom_it_is_for(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room)
        refused = await room.member.slash(room.channel, "jobs list")
        assert "That is for moderators" in said(answer(refused))
        stopped = await room.moderator.slash(room.channel, "jobs cancel", id=1)
        assert "That is for admins" in said(answer(stopped))
        card = (await room.moderator.slash(room.channel, "jobs list")).response
        pressed = await room.moderator.click(card, custom_id=head(card, "cancel"))
        assert "That is for admins" in said(answer(pressed))


async def test_buttons_of_another_server_and_forgotten_ones_get_the_polite_answer(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await synced(room)
        forged = await room.forge(room.channel, "jobs:next:4711", "jobs:retry-run:4711", f"jobs:refresh:{2**63}")
        for custom_id in custom_ids(forged):
            told = await room.moderator.click(forged, custom_id=custom_id)
            assert "no longer there" in said(answer(told)) or "no such run" in said(answer(told))
