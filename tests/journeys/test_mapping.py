"""Making and keeping mappings from Discord."""

from pathlib import Path
from typing import Any

import pytest

from bot.model.mapping import Direction, Removals
from bot.model.music import Service
from tests.journeys.room import Room, answer, open_room, said


async def _add(room: Room, person: Any, **options: Any) -> Any:
    return await person.slash(room.channel, "mapping add", **options)


async def _both_linked(room: Room) -> None:
    await room.link(room.admin, Service.SPOTIFY)
    await room.link(room.admin, Service.YOUTUBE)
    await room.env.settle()


async def test_an_admin_maps_two_playlists_picked_from_the_autocomplete(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _both_linked(room)
        left = await room.admin.autocomplete(room.channel, "mapping add", "left", "road")
        right = await room.admin.autocomplete(room.channel, "mapping add", "right", "My YouTube trip", name="Trip")
        assert any(choice["name"].startswith("Spotify · Road trip") for choice in left)
        created = next(choice for choice in right if "Create “My YouTube trip” on YouTube" in choice["name"])
        picked = next(choice for choice in left if choice["name"].startswith("Spotify · Road trip"))
        made = await _add(room, room.admin, name="Trip", left=picked["value"], right=created["value"], policy="exact")
        assert not made.ephemeral
        text = said(answer(made))
        assert "Added “Trip”" in text
        assert "My YouTube trip" in text
        assert "exact: only certain matches" in text
        (mapping,) = await room.runtime.mappings.of_guild(room.guild.id)
        assert mapping.left.external_id == room.sandbox.world.known.road_trip
        created_there = room.sandbox.world.playlist(mapping.right.external_id)
        assert created_there is not None


async def test_liked_songs_are_picked_as_a_source_and_nowhere_else(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _both_linked(room)
        offered = await room.admin.autocomplete(room.channel, "mapping add", "left", "liked")
        picked = next(choice for choice in offered if choice["name"] == "Spotify · Liked Songs (read only)")
        for side, direction in (("right", "left_to_right"), ("left", "right_to_left"), ("left", "two_way")):
            others = await room.admin.autocomplete(room.channel, "mapping add", side, "liked", direction=direction)
            assert not [choice for choice in others if "Liked Songs" in choice["name"]]
        there = await room.admin.autocomplete(room.channel, "mapping add", "right", "lik", direction="right_to_left")
        assert picked["value"] in [choice["value"] for choice in there]
        for command, offers in (("base-add", 1), ("child-add", 0)):
            routed = await room.admin.autocomplete(room.channel, f"router {command}", "playlist", "liked")
            assert [choice["value"] for choice in routed].count(picked["value"]) == offers
        youtube = f"https://www.youtube.com/playlist?list={room.sandbox.world.known.empty_youtube}"
        both = await _add(room, room.admin, name="Both", left=picked["value"], right=youtube, direction="two_way")
        assert "can only be read" in said(answer(both))
        into = await _add(room, room.admin, name="Into", left=youtube, right="liked")
        assert "can only be read" in said(answer(into))
        assert not await room.runtime.mappings.of_guild(room.guild.id)
        made = await _add(room, room.admin, name="Likes", left=picked["value"], right=youtube)
        assert "Liked Songs" in said(answer(made))
        assert "https://open.spotify.com/collection/tracks" in said(answer(made))
        edited = await room.admin.slash(room.channel, "mapping edit", mapping="Likes", direction="right_to_left")
        assert "can only be read" in said(answer(edited))


async def test_the_autocomplete_offers_only_the_persons_own_playlists(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _both_linked(room)
        room.sandbox.world.default_account = "bob"
        await room.link(room.member, Service.SPOTIFY)
        await room.env.settle()
        offered = await room.member.autocomplete(room.channel, "mapping add", "left", "")
        names = " ".join(choice["name"] for choice in offered)
        assert "Gym" in names or "gym" in names
        assert "Road trip" not in names


async def test_a_mapping_is_shown_edited_paused_resumed_and_removed(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        (choice,) = await room.member.autocomplete(room.channel, "mapping show", "mapping", "tri")
        assert choice == {"name": "Trip", "value": str(mapping.id)} | {
            k: v for k, v in choice.items() if k not in ("name", "value")
        }
        shown = await room.member.slash(room.channel, "mapping show", mapping=choice["value"])
        assert "Mapping “Trip”" in said(answer(shown))
        edited = await room.admin.slash(
            room.channel, "mapping edit", mapping="Trip", direction="two_way", removals="mirror", schedule="daily 18:00"
        )
        assert "both ways" in said(answer(edited))
        changed = await room.runtime.mappings.find(room.guild.id, "Trip")
        assert (changed.direction, changed.removals) == (Direction.TWO_WAY, Removals.MIRROR)
        assert changed.schedule == "daily 18:00"
        paused = await room.admin.slash(room.channel, "mapping pause", mapping="Trip", reason="holidays")
        assert "paused: holidays" in said(answer(paused))
        listed = await room.member.slash(room.channel, "mapping list")
        assert "paused: holidays" in said(answer(listed))
        resumed = await room.admin.slash(room.channel, "mapping resume", mapping="Trip")
        assert "Resumed “Trip”" in said(answer(resumed))
        removed = await room.admin.slash(room.channel, "mapping remove", mapping="Trip")
        assert "Both playlists stay as they are" in said(answer(removed))
        assert not await room.runtime.mappings.of_guild(room.guild.id)


async def test_a_mapping_gets_a_second_source_is_shown_with_it_and_loses_it_again(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(3)
        world = room.sandbox.world
        tracks = [track.id for track in world.tracks if world.right_videos(track.id)][2:5]
        second = world.create_spotify_playlist("alice", "Second [source]", tracks)
        for account in await room.runtime.accounts.of_user(room.admin.id):
            await room.runtime.accounts.refresh_playlists(account.id)
        name = {"mapping": "Trip"}
        offered = await room.admin.autocomplete(room.channel, "mapping source-add", "source", "Second", **name)
        assert [choice["name"] for choice in offered] == ["Spotify · Second [source] (3 tracks)"]
        added = await room.admin.slash(room.channel, "mapping source-add", source=offered[0]["value"], **name)
        assert "Source added to “Trip”" in said(answer(added))
        shown = said(answer(await room.member.slash(room.channel, "mapping show", **name)))
        assert "Sources, in this order" in shown
        assert second in shown
        assert "+ Second" in said(answer(await room.member.slash(room.channel, "mapping list")))
        await room.admin.slash(room.channel, "sync", **name)
        await room.work(mapping.id)
        assert len(world.youtube_items(mapping.right.external_id)) == 5
        again = await room.admin.slash(room.channel, "mapping source-add", source=offered[0]["value"], **name)
        assert "already" in said(answer(again))
        both = await room.admin.slash(room.channel, "mapping edit", direction="two_way", **name)
        assert "/mapping source-remove" in said(answer(both))
        listed = await room.admin.autocomplete(room.channel, "mapping source-remove", "source", "sec", **name)
        assert [choice["value"] for choice in listed] == [offered[0]["value"]]
        nothing = await room.admin.autocomplete(room.channel, "mapping source-remove", "source", "", mapping="none")
        assert nothing == []
        removed = await room.admin.slash(room.channel, "mapping source-remove", source=listed[0]["value"], **name)
        assert "Source removed from “Trip”" in said(answer(removed))
        assert "Sources, in this order" not in said(answer(removed))
        missing = await room.admin.slash(room.channel, "mapping source-remove", source=listed[0]["value"], **name)
        assert "no source" in said(answer(missing))
        assert [line.message for line in await room.lines() if "source Second" in line.message]


@pytest.mark.parametrize("command", ["add", "edit", "pause", "resume", "remove", "source-add", "source-remove"])
async def test_a_moderator_cannot_change_mappings(tmp_path: Path, command: str) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        options: dict[str, Any] = {"mapping": "Trip"}
        if command == "add":
            options = {"name": "x", "left": mapping.left.url, "right": mapping.right.url}
        if command.startswith("source"):
            options["source"] = mapping.left.url
        refused = await room.moderator.slash(room.channel, f"mapping {command}", **options)
        assert refused.ephemeral
        assert "admins" in said(answer(refused))
        (kept,) = await room.runtime.mappings.of_guild(room.guild.id)
        assert kept.enabled


async def test_each_mistake_has_its_own_sentence_and_changes_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        world = room.sandbox.world
        spotify = f"https://open.spotify.com/playlist/{world.known.road_trip}"
        youtube = f"https://www.youtube.com/playlist?list={world.known.empty_youtube}"
        unlinked = await _add(room, room.admin, name="a", left=spotify, right=youtube)
        await _both_linked(room)
        wrongs = {
            "not linked": unlinked,
            "no playlist": await _add(room, room.admin, name="b", left="https://example.org/playlist/1", right=youtube),
            "unknown": await _add(
                room,
                room.admin,
                name="c",
                left="https://open.spotify.com/playlist/0000000000000000000000",
                right=youtube,
            ),
            "somebody's": await _add(
                room,
                room.admin,
                name="d",
                left=f"https://open.spotify.com/playlist/{world.known.followed}",
                right=youtube,
            ),
            "itself": await _add(room, room.admin, name="e", left=spotify, right=spotify),
            "schedule": await _add(room, room.admin, name="f", left=spotify, right=youtube, schedule="every blue moon"),
        }
        sentences = {kind: said(answer(wrong)) for kind, wrong in wrongs.items()}
        for kind, sentence in sentences.items():
            assert len(sentence) > 30, kind
            assert "went wrong inside" not in sentence, kind
            assert answer(wrongs[kind]).ephemeral, kind
        assert len(set(sentences.values())) == len(sentences)
        assert "does not exist" in sentences["unknown"]
        assert "somebody else's" in sentences["somebody's"]
        assert not await room.runtime.mappings.of_guild(room.guild.id)


async def test_a_hostile_name_is_shown_harmlessly_everywhere(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        name = "@everyone [x](https://evil.example) ```\u202e"
        await room.mapping(1, name=name)
        listed = await room.member.slash(room.channel, "mapping list")
        shown = await room.member.slash(room.channel, "mapping show", mapping=name)
        missing = await room.member.slash(room.channel, "mapping show", mapping="@everyone https://evil.example")
        for result in (listed, shown, missing):
            text = said(answer(result))
            assert "@everyone" not in text
            assert "https://evil" not in text
            assert "\u202e" not in text
        sent = [_message_of(request.json) for request in room.env.http_requests]
        messages = [message for message in sent if message.get("content") or message.get("embeds")]
        assert len(messages) >= 3
        assert all(message["allowed_mentions"] == {"parse": []} for message in messages)


def _message_of(body: Any) -> dict[str, Any]:
    """The message in a request's body: itself, or what an interaction is answered with."""
    message = body.get("data") or body if isinstance(body, dict) else {}
    return message if isinstance(message, dict) else {}


async def test_mappings_of_another_server_do_not_exist_here(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(1)
        elsewhere = room.env.create_guild("Strangers")
        channel = elsewhere.create_text_channel("general")
        owner = elsewhere.add_member(room.env.create_user("olga"), roles=[])
        stranger = elsewhere.add_member(elsewhere.owner)
        shown = await owner.slash(channel, "mapping show", mapping=str(mapping.id))
        assert "Trip" not in said(answer(shown)).replace("“Trip”", "")
        assert not await owner.autocomplete(channel, "mapping show", "mapping", "")
        listed = await owner.slash(channel, "mapping list")
        assert "There is none yet" in said(answer(listed))
        removed = await stranger.slash(channel, "mapping remove", mapping=str(mapping.id))
        assert answer(removed) is not None
        assert len(await room.runtime.mappings.of_guild(room.guild.id)) == 1
