"""Base playlists and their children from Discord: made, previewed, filled, watched, changed and removed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model.music import Service
from bot.services.cache import Kind
from tests.journeys.room import answer, custom_ids, open_room, said
from tests.journeys.router_room import based, button, child, empty, held, spotify


async def test_a_base_with_a_child_is_made_previewed_and_filled_from_discord(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        world = room.sandbox.world
        for service in Service:
            await room.link(room.admin, service)
        tracks = [track.id for track in world.tracks if world.right_videos(track.id)][:10]
        source = world.create_spotify_playlist("alice", "Source", tracks)
        made = await room.admin.slash(room.channel, "router base-add", name="Everything", playlist=spotify(source))
        assert "Added base “Everything”" in said(answer(made))
        assert "every 30 minutes" in said(answer(made))
        added = await room.admin.slash(
            room.channel,
            "router child-add",
            base="Everything",
            name="First four",
            playlist=empty(room, "First four"),
            rules="position <= 4",
        )
        assert "Added “First four”" in said(answer(added))
        assert "position <= 4" in said(answer(added))
        bases = await room.member.slash(room.channel, "router base-list")
        assert "Everything" in said(answer(bases))
        assert "1 child" in said(answer(bases))
        children = await room.member.slash(room.channel, "router child-list")
        assert "First four" in said(answer(children))
        assert "waits for its first run" in said(answer(children))
        shown = await room.moderator.slash(room.channel, "router preview", base="Everything")
        text = said(answer(shown))
        assert "Preview of “Everything”" in text
        assert "4 to add" in text
        assert "will hold 4 tracks" in text
        assert "Spotify call" in text
        await room.moderator.slash(room.channel, "router run", base="Everything")
        assert "4 to do" in said(room.last())
        await room.work()
        ended = said(room.last())
        assert "Synced the children of “Everything”" in ended
        assert "4 done" in ended
        (only,) = await room.runtime.bases.every_child(room.guild.id)
        assert held(room, only) == tracks[:4]


async def test_a_rule_that_cannot_be_read_is_shown_at_its_column_and_written_on_in_a_form(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        wrong = await room.admin.slash(
            room.channel,
            "router child-add",
            base="Everything",
            name="90s",
            playlist=empty(room, "90s"),
            rules="year 1990..1999 and gener in (rock)",
        )
        told = answer(wrong)
        assert told.ephemeral
        assert "Column 21" in said(told)
        assert "did you mean `genre`?" in said(told)
        pointer = said(told).partition("```\n")[2].splitlines()
        assert pointer[1].index("^") == pointer[0].index("gener")
        assert not await room.runtime.bases.children(room.guild.id, base.id)
        await room.restart()
        form = await room.admin.click(told, custom_id=button(told, "router:rules"))
        assert "year 1990..1999 and gener in (rock)" in str(form.modal)
        again = await room.admin.submit_modal(form, {"rules": "year 1990..1999 and genre in (rock"})
        assert "something is missing at the end" in said(answer(again))
        form = await room.admin.click(answer(again), custom_id=button(answer(again), "router:rules"))
        made = await room.admin.submit_modal(form, {"rules": "year 1990..1999 and genre in (rock)"})
        assert "Added “90s”" in said(answer(made))
        (only,) = await room.runtime.bases.children(room.guild.id, base.id)
        assert only.name == "90s"


async def test_without_a_rule_a_form_opens_and_an_edit_begins_with_the_rule_that_holds(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        asked = {"base": str(base.id), "name": "Few", "playlist": empty(room, "Few")}
        form = await room.admin.slash(room.channel, "router child-add", **asked)
        made = await room.admin.submit_modal(form, {"rules": "position <= 4\nand not explicit"})
        assert "position <= 4 and not explicit" in said(answer(made))
        form = await room.admin.slash(room.channel, "router child-edit", child="Few")
        assert "position <= 4 and not explicit" in str(form.modal)
        changed = await room.admin.submit_modal(form, {"rules": "position <= 5"})
        assert "Changed “Few”" in said(answer(changed))
        named = await room.admin.slash(
            room.channel, "router child-edit", child="Few", name="Fewer", rules="position <= 3"
        )
        assert "Changed “Fewer”" in said(answer(named))
        assert "position <= 3" in said(answer(named))
        renamed = await room.admin.slash(room.channel, "router child-edit", child="Fewer", name="Least")
        assert "position <= 3" in said(answer(renamed))
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        (only,) = await room.runtime.bases.children(room.guild.id, base.id)
        assert len(held(room, only)) == 3


async def test_removals_ask_first_and_leave_all_playlists_as_they_are(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few, rest = await child(room, base, "Few", "position <= 4"), await child(room, base, "Rest", "position > 4")
        await room.moderator.slash(room.channel, "router run")
        await room.work()
        room.clock.advance(timedelta(minutes=2))
        before = held(room, few), held(room, rest)
        asked = answer(await room.admin.slash(room.channel, "router child-remove", child="Few"))
        assert "Remove child “Few” of “Everything”?" in said(asked)
        await room.admin.click(asked, custom_id="router:keep:0")
        assert len(await room.runtime.bases.children(room.guild.id, base.id)) == 2
        asked = answer(await room.admin.slash(room.channel, "router child-remove", child=str(few.id)))
        refused = await room.moderator.click(asked, custom_id=f"router:remove-child:{few.id}")
        assert "admins" in said(answer(refused))
        await room.restart()
        await room.admin.click(asked, custom_id=f"router:remove-child:{few.id}")
        assert "Removed child “Few”" in said(room.last())
        asked = answer(await room.admin.slash(room.channel, "router base-remove", base="Everything"))
        assert "its 1 child" in said(asked)
        await room.restart()
        await room.admin.click(asked, custom_id=f"router:remove-base:{base.id}")
        assert "Removed base “Everything”" in said(room.last())
        await room.forge(room.channel, f"router:remove-base:{base.id}")
        late = await room.admin.click(room.last(), custom_id=f"router:remove-base:{base.id}")
        assert "does not exist any more" in said(answer(late))
        assert (held(room, few), held(room, rest)) == before
        nothing = await room.member.slash(room.channel, "router base-list")
        assert "There is none yet" in said(answer(nothing))


async def test_a_base_is_paused_resumed_renamed_and_gets_another_schedule(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        await child(room, base, "Few", "position <= 4")
        changed = await room.admin.slash(
            room.channel, "router schedule", base="Everything", schedule="daily 18:00", name="All"
        )
        assert "Changed “All”" in said(answer(changed))
        assert "daily at 18:00" in said(answer(changed))
        paused = await room.admin.slash(room.channel, "router base-pause", base="All", reason="holidays")
        assert "paused: holidays" in said(answer(paused))
        refused = await room.moderator.slash(room.channel, "router run", base="All")
        assert "is paused (holidays); resume it first" in said(answer(refused))
        await room.restart()
        await room.admin.click(answer(paused), custom_id=f"router:resume:{base.id}")
        assert "Resumed “All”" in said(answer(paused))
        await room.admin.click(answer(paused), custom_id=f"router:pause:{base.id}")
        assert "Paused “All”" in said(answer(paused))
        resumed = await room.admin.slash(room.channel, "router base-resume", base="All")
        assert "Resumed “All”" in said(answer(resumed))
        await room.moderator.click(answer(resumed), custom_id=f"router:run:{base.id}")
        assert "4 to do" in said(room.last())
        shown = await room.member.slash(room.channel, "router base-list", base="All")
        assert "Children (1)" in said(answer(shown))
        await room.member.click(answer(shown), custom_id=f"router:children:{base.id}:0")
        assert "Child playlists of “All” (1)" in said(answer(shown))


async def test_long_lists_turn_pages_also_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        for number in range(1, 11):
            await child(room, base, f"Place {number}", f"position {number}")
        for number in range(1, 10):
            await based(room, 2, name=f"Other {number}")
        listed = answer(await room.member.slash(room.channel, "router child-list"))
        assert "From “Everything”" in said(listed)
        assert "1 to 8 of 10" in said(listed)
        await room.restart()
        await room.member.click(listed, custom_id="router:children:0:8")
        assert "Place 10" in said(listed)
        assert "9 to 10 of 10" in said(listed)
        of_one = answer(await room.member.slash(room.channel, "router child-list", base="Everything"))
        await room.member.click(of_one, custom_id=f"router:children:{base.id}:8")
        assert "Child playlists of “Everything” (10)" in said(of_one)
        bases = answer(await room.member.slash(room.channel, "router base-list"))
        await room.restart()
        await room.member.click(bases, custom_id="router:bases:8")
        assert "9 to 10 of 10" in said(bases)


async def test_the_options_offer_bases_children_schedules_and_playlists(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        first, second = await based(room), await based(room, 3, name="Party")
        few = await child(room, first, "Few", "position <= 4")

        async def offered(command: str, option: str, typed: str, **filled: Any) -> dict[str, str]:
            choices = await room.admin.autocomplete(room.channel, f"router {command}", option, typed, **filled)
            return {choice["name"]: choice["value"] for choice in choices}

        for command in ("base-list", "base-remove", "base-pause", "base-resume", "schedule", "child-add", "child-list"):
            assert await offered(command, "base", "every") == {"Everything": str(first.id)}
        for command in ("preview", "run"):
            assert await offered(command, "base", "") == {
                "All bases": "all", "Everything": str(first.id), "Party": str(second.id),
            }  # fmt: skip
            assert await offered(command, "base", "Everything, pa") == {"Everything, Party": f"Everything,{second.id}"}
        for command in ("child-edit", "child-remove"):
            assert await offered(command, "child", "few") == {"Everything → Few": str(few.id)}
        for command in ("base-add", "schedule"):
            assert "every 30m" in (await offered(command, "schedule", "every 30m")).values()
        made = await offered("child-add", "playlist", "Fresh")
        assert any(name.startswith("➕ Create “Fresh” on") for name in made)


async def test_nothing_of_another_server_is_found_here(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        few = await child(room, base, "Few", "position <= 4")
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        stranger = elsewhere.add_member(elsewhere.owner)
        for command in (
            "base-list",
            "preview",
            "run",
            "history",
            "base-remove",
            "base-pause",
            "base-resume",
            "schedule",
        ):
            result = await stranger.slash(channel, f"router {command}", base=str(base.id))
            assert "There is no base" in said(answer(result)), command
        for command in ("child-edit", "child-remove"):
            result = await stranger.slash(channel, f"router {command}", child=str(few.id), **_rules(command))
            assert "no such child playlist" in said(answer(result)), command
        assert not await stranger.autocomplete(channel, "router run", "base", "Every")
        assert not await stranger.autocomplete(channel, "router child-edit", "child", "")
        for head in ("run", "look", "pause", "resume", "collapse", "remove-base", "children"):
            forged = await room.forge(channel, f"router:{head}:{base.id}{':0' if head == 'children' else ''}")
            pressed = await stranger.click(channel.last_message, custom_id=custom_ids(channel.last_message)[0])
            assert "does not exist any more" in said(answer(pressed)), (head, forged.id)
        assert await room.runtime.bases.base(room.guild.id, base.id) == base


async def test_hostile_names_and_rules_are_shown_harmlessly(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        hostile = "@everyone [x](https://evil.example) ```\u202e"
        base = await based(room, name=hostile)
        await child(room, base, hostile[:30], 'title contains "@everyone ```"')
        results = [
            await room.member.slash(room.channel, "router base-list"),
            await room.member.slash(room.channel, "router base-list", base=str(base.id)),
            await room.member.slash(room.channel, "router child-list"),
            await room.moderator.slash(room.channel, "router preview"),
            await room.moderator.slash(room.channel, "router run"),
            await room.member.slash(room.channel, "router history", base=str(base.id)),
            await room.admin.slash(
                room.channel,
                "router child-add",
                base=str(base.id),
                name="x",
                playlist=empty(room, "x"),
                rules="genre ``` @everyone https://evil \u202e ((",
            ),
        ]
        for result in results:
            text = said(answer(result))
            assert "https://evil" not in text.partition("```")[0]
            assert "\u202e" not in text
            assert text.count("```") in (0, 2)
            assert "@everyone" not in _outside_code(text)


@pytest.mark.parametrize("command", ["base-add", "schedule", "child-add", "child-edit", "child-remove", "base-remove"])
async def test_a_moderator_cannot_change_bases_or_children(tmp_path: Path, command: str) -> None:
    async with open_room(tmp_path) as room:
        base = await based(room)
        await child(room, base, "Few", "position <= 4")
        options = {
            "base-add": {"name": "x", "playlist": spotify("1")},
            "child-add": {"base": "Everything", "name": "x", "playlist": spotify("1"), "rules": "everything"},
            "child-edit": {"child": "Few", "rules": "everything"},
            "child-remove": {"child": "Few"},
        }.get(command, {"base": "Everything"})
        refused = await room.moderator.slash(room.channel, f"router {command}", **options)
        assert refused.ephemeral
        assert "admins" in said(answer(refused))


def _rules(command: str) -> dict[str, str]:
    return {"rules": "everything"} if command == "child-edit" else {}


def _outside_code(text: str) -> str:
    return re.sub(r"```.*?```|(?<!\\)`[^`]*`", "", text, flags=re.DOTALL)


async def test_the_cache_shows_its_numbers_and_forgets_one_a_kind_or_all(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        cache = room.runtime.cache

        async def load(keys: list[str]) -> dict[str, str]:
            return dict.fromkeys(keys, "known")

        for _ in range(2):
            await cache.fill(Kind.TRACK, ["one", "two"], load, batch=50)
        shown = said(answer(await room.member.slash(room.channel, "router cache")))
        assert "50% known" in shown
        assert "(2 hits, 2 misses)" in shown
        assert "kept 24 hours" in shown
        for person, options, who in (
            (room.moderator, {"key": "one"}, "admins"),
            (room.admin, {"forget": "track"}, "owner"),
            (room.admin, {"forget": "everything"}, "owner"),
        ):
            refused = await person.slash(room.channel, "router cache", **options)
            assert who in said(answer(refused))
        one = await room.admin.slash(room.channel, "router cache", forget="track", key="one")
        assert "Forgot 1 entry" in said(answer(one))
        owner = room.guild.add_member(room.env.create_user("oda"))
        room.env.bot.owner_id, room.env.bot.owner_ids = owner.id, set()
        asked = answer(await owner.slash(room.channel, "router cache", forget="track"))
        assert "Forget tracks?" in said(asked)
        assert (await cache.statistics())[Kind.TRACK].entries == 1
        await owner.click(asked, custom_id="router:forget:1")
        assert "Forgot 1 entry" in said(asked)
        every = answer(await owner.slash(room.channel, "router cache", forget="everything"))
        await room.restart()
        room.env.bot.owner_id, room.env.bot.owner_ids = owner.id, set()
        await owner.click(every, custom_id="router:forget:0")
        assert "Forgot 0 entries" in said(every)
