"""The log feed in the server's log channel: cards of incidents, their buttons, summaries, and Discord's refusals."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.logs.messages import Card
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.incident import Example, Incident
from bot.model.logline import Level
from bot.model.quota import Bucket
from tests.journeys.room import Room, answer, custom_ids, open_room, said

log = logging.getLogger("bot.test")


async def _listening(room: Room, **settings: Any) -> None:
    await room.runtime.storage.guilds.update(room.guild.id, log_channel_id=room.log_channel.id, **settings)


def _service(room: Room, *, back: bool = False, name: str = "YouTube") -> None:
    event = Event.SERVICE_BACK if back else Event.SERVICE_FAILING
    log.log(logging.INFO if back else logging.WARNING, event, extra={"service": name, "guild_id": room.guild.id})


def _failed(room: Room, mapping_id: int, title: str = "Song", item_id: int | None = None) -> None:
    extra = {"title": title, "error": "playlistItems.insert: the service answered 500", "item_id": item_id}
    log.error(Event.ITEM_ERROR, extra={**extra, "guild_id": room.guild.id, "mapping_id": mapping_id})


def _incident(room: Room, message: str = "x", **fields: Any) -> Incident:
    now = room.clock.now()
    given = {"level": Level.WARN, "event": "library", "first_seen_at": now, "last_seen_at": now} | fields
    return Incident(id=1, guild_id=room.guild.id, key=message, message=message, **given)


async def _shown(room: Room, incident: Incident, number: int = 1) -> None:
    await _sink(room).show(Card(guild_id=room.guild.id, number=number, incident=incident))


def _sink(room: Room) -> Any:
    return room.env.bot.get_cog("LogFeed")


def _posts(room: Room) -> list[Any]:
    return list(room.log_channel.history())


def _requests(room: Room, method: str) -> list[Any]:
    found = [request for request in room.env.http_requests if "/messages" in request.path and request.method == method]
    return [request for request in found if str(room.log_channel.id) in request.path]


async def _card(room: Room, words: str) -> Any:
    """The post that says ``words``, once it does."""
    await room.until(lambda: any(words in said(post) for post in _posts(room)))
    return next(post for post in _posts(room) if words in said(post))


async def test_tracks_that_were_not_found_are_one_card_with_reasons_for_people_and_a_summary_of_the_run(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(9, lost=4)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        card = await _card(room, "4 tracks were not found")
        assert "karaoke version" in said(card)  # in words, not in the matcher's numbers
        assert "rejected" not in said(card)
        assert "/review" in said(card)
        assert custom_ids(card) == [f"incident:{action}:1" for action in ("ack", "retry", "details", "silence")]
        summary = await _card(room, "5 added")
        assert "**Trip**: 5 added, 4 skipped" in said(summary)
        assert len(_posts(room)) == 2


async def test_a_run_that_changes_nothing_says_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        await room.runtime.feed.turn()
        await _listening(room)
        await room.runtime.sync.preview(mapping.id, room.admin.id)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        _service(room)
        await _card(room, "YouTube does not answer")
        assert len(_posts(room)) == 1


async def test_a_card_about_a_few_items_carries_their_buttons_which_outlive_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(6, lost=2)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        rows = await room.runtime.storage.blacklist.open_of_mapping(mapping.id)
        items = [row.item_id for row in rows]
        card = await _card(room, "2 tracks were not found")
        wanted = {f"item:{action}:{item}" for item in items for action in ("retry", "review", "details")}
        assert wanted <= set(custom_ids(card))
        await room.restart()
        details = await room.member.click(card, custom_id=f"item:details:{items[0]}")
        assert details.ephemeral
        assert f"Item {items[0]}" in said(answer(details))
        refused = await room.member.click(card, custom_id=f"item:retry:{items[0]}")
        assert "moderators" in said(answer(refused))
        retried = await room.moderator.click(card, custom_id=f"item:retry:{items[0]}")
        assert "in the queue again" in said(answer(retried))


async def test_a_restart_edits_the_same_card_and_the_end_closes_it(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        card = await _card(room, "YouTube does not answer")
    async with open_room(tmp_path) as room:
        # Another simulated Discord: the message of before is not there, but it is the one that is asked for.
        await _listening(room)
        open_ones = await room.runtime.storage.incidents.open()
        assert [one.message_id for one in open_ones] == [card.id]
        await room.runtime.storage.incidents.keep([replace(open_ones[0], guild_id=room.guild.id)])
        _service(room)
        await room.until(lambda: _posts(room))
        assert [request.path.rpartition("/")[2] for request in _patches(room)] == [str(card.id)]
        assert "**YouTube" not in said(_posts(room)[0])
        assert "2" in said(_posts(room)[0])


def _patches(room: Room) -> list[Any]:
    return [request for request in room.env.http_requests if request.method == "PATCH" and "/messages/" in request.path]


async def test_a_restarted_bot_goes_on_editing_and_closes_the_card(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        card = await _card(room, "YouTube does not answer")
        await room.restart()
        _service(room)
        await room.until(lambda: "Times" in said(_posts(room)[0]))
        _service(room, back=True)
        await room.until(lambda: "It answers again" in said(_posts(room)[0]))
        assert [post.id for post in _posts(room)] == [card.id]
        assert custom_ids(_posts(room)[0]) == ["incident:details:1"]
        room.clock.advance(60)
        await room.runtime.feed.turn()
        assert not await room.runtime.storage.incidents.open()
        late = await room.moderator.click(_posts(room)[0], custom_id="incident:details:1")
        assert "does not answer" in said(answer(late))


async def test_two_moderators_acknowledge_at_once_and_one_is_told_who_was_faster(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        card = await _card(room, "YouTube does not answer")
        refused = await room.member.click(card, custom_id="incident:ack:1")
        assert "moderators" in said(answer(refused))
        # The simulated Discord takes one press at a time; behind the doors both come at once.
        people = (room.moderator, room.admin)
        presses = [room.runtime.incidents.acknowledge(room.guild.id, 1, one.id, one.name) for one in people]
        done = await asyncio.gather(*presses, return_exceptions=True)
        (late,) = [person for person, result in zip(people, done, strict=True) if isinstance(result, UserMistake)]
        (incident,) = await room.runtime.storage.incidents.open()
        seen_before = await room.forge(room.channel, "incident:ack:1")
        told = await late.click(seen_before, custom_id="incident:ack:1")
        assert f"{incident.acknowledged_name} has acknowledged this already" in said(answer(told))
        (first,) = [person for person in people if person is not late]
        await first.click(seen_before, custom_id="incident:ack:1")
        assert f"Acknowledged by {first.name}" in said(room.last())
        await room.until(lambda: f"Acknowledged by {first.name}" in said(_posts(room)[0]))
        assert custom_ids(_posts(room)[0]) == ["incident:details:1", "incident:silence:1"]
        assert sum(line.event == Event.INCIDENT_ACKNOWLEDGED for line in await room.lines()) == 1
        edits = len(_requests(room, "PATCH"))
        for _ in range(30):
            _service(room)
            room.clock.advance(60)
            await room.runtime.feed.turn()
        assert len(_requests(room, "PATCH")) - edits <= 1  # the acknowledgement itself, and no count
        _service(room, back=True)
        await room.until(lambda: "Over since" in said(_posts(room)[0]))
        assert "31" in said(_posts(room)[0])


async def test_a_silenced_incident_is_not_shown_until_then_and_one_card_says_what_came(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        card = await _card(room, "YouTube does not answer")
        refused = await room.member.select(card, ["8"], custom_id="incident:silence:1")
        assert "moderators" in said(answer(refused))
        await room.moderator.select(card, ["8"], custom_id="incident:silence:1")
        assert "Silenced by max" in said(_posts(room)[0])
        await room.restart()
        for _ in range(3):
            _service(room)
            room.clock.advance(timedelta(hours=1))
            await room.runtime.feed.turn()
        assert len(_posts(room)) == 1
        assert "3 more" not in said(_posts(room)[0])
        room.clock.advance(timedelta(hours=6))
        await room.runtime.feed.tend()
        await _card(room, "3 more came while it was silenced")
        assert len(_posts(room)) == 2
        hours = [line.details["hours"] for line in await room.lines() if line.event == Event.INCIDENT_SILENCED]
        assert hours == [8]


async def test_details_are_private_lines_with_the_buttons_of_their_items(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(6, lost=5)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        card = await _card(room, "5 tracks were not found")
        assert not [each for each in custom_ids(card) if each.startswith("item:")]
        refused = await room.member.click(card, custom_id="incident:details:1")
        assert "moderators" in said(answer(refused))
        details = await room.moderator.click(card, custom_id="incident:details:1")
        assert details.ephemeral
        rows = await room.runtime.storage.blacklist.open_of_mapping(mapping.id)
        assert {f"item:retry:{row.item_id}" for row in rows} <= set(custom_ids(answer(details)))
        assert "**5.**" in said(answer(details))
        assert "rejected" not in said(answer(details))


async def test_retry_queues_the_items_of_the_incident_and_a_run_without_it_ends_it(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(5, lost=4)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        card = await _card(room, "4 tracks were not found")
        refused = await room.member.click(card, custom_id="incident:retry:1")
        assert "moderators" in said(answer(refused))
        retried = await room.moderator.click(card, custom_id="incident:retry:1")
        assert "4 items are in the queue again" in said(answer(retried))
        again = await room.moderator.click(card, custom_id="incident:retry:1")
        assert "in the queue already" in said(answer(again))
        events = [line.event for line in await room.lines()]
        assert (events.count(Event.ITEM_RETRIED), events.count(Event.INCIDENT_RETRIED)) == (4, 1)


async def test_buttons_of_another_server_and_of_what_is_gone_change_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        foreign = replace(_incident(room), id=0, guild_id=room.guild.id + 1)
        (kept,) = await room.runtime.storage.incidents.keep([foreign])
        ids = [f"incident:{action}:{kept.id}" for action in ("ack", "retry", "details")]
        post = await room.forge(room.channel, *ids, "incident:ack:999")
        for custom_id in (*ids, "incident:ack:999"):
            pressed = await room.moderator.click(post, custom_id=custom_id)
            assert "does not exist any more" in said(answer(pressed))
        assert (await room.runtime.storage.incidents.open())[0].acknowledged_by is None


async def test_many_changes_that_failed_list_a_few_and_count_the_rest(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(2)
        for number in range(1, 301):
            _failed(room, mapping.id, f"Song {number}", number)
        card = await _card(room, "300 changes failed")
        assert "… and 295 more" in said(card)
        assert "The service gave no clear answer" in said(card)
        assert len(_posts(room)) == 1


async def test_left_out_lines_are_counted(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        await _shown(room, _incident(room, left_out=1234))
        assert "1,234 lines of other kinds were left out here" in said(room.last(room.log_channel))


async def test_a_hostile_line_mentions_nobody(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        hostile = "@everyone <@1> [x](https://evil.example) ```" + "w" * 900
        examples = tuple(Example(message=hostile, title=hostile, item_id=n) for n in range(1, 6))
        events = [
            "library",
            "item.error",
            "service.failing",
            "account.needs_login",
            "mapping.paused",
            "analysis.stopped",
        ]
        facts = dict.fromkeys(("service", "account", "reason", "error", "mapping", "detail", "task"), hostile[:300])
        for number, event in enumerate(events, 1):
            incident = _incident(
                room,
                hostile,
                event=event,
                facts=facts,
                examples=examples,
                acknowledged_name=hostile,
                acknowledged_at=room.clock.now(),
                silenced_name=hostile,
                silenced_until=room.clock.now(),
            )
            await _shown(room, incident, number)
            post = room.last(room.log_channel)
            assert not post.mention_everyone
            assert "@everyone" not in said(post)
            assert "](https://evil" not in said(post)


async def test_a_channel_that_is_gone_ends_the_feed_of_that_server_only(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        room.env.inject_error("POST", "/channels/*/messages", status=404, code=10003, message="Unknown Channel")
        await _shown(room, _incident(room))
        assert (await room.runtime.storage.guilds.get(room.guild.id)).log_channel_id is None
        assert any("the log channel is gone" in line.message for line in await room.lines())


async def test_a_deleted_card_is_posted_anew_when_something_is_to_be_said(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        card = await _card(room, "YouTube does not answer")
        room.env.inject_error("PATCH", "/channels/*/messages/*", status=404, code=10008, message="Unknown Message")
        _service(room)
        await room.until(lambda: len(_posts(room)) == 2)
        (incident,) = await room.runtime.storage.incidents.open()
        assert incident.message_id != card.id
        assert (await room.runtime.storage.guilds.get(room.guild.id)).log_channel_id == room.log_channel.id


async def test_a_closed_channel_is_tried_again_with_the_same_message_and_told_once(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        for _ in range(3):
            room.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, message="Missing Permissions")
        _service(room)
        await _card(room, "YouTube does not answer")
        assert (await room.runtime.storage.guilds.get(room.guild.id)).log_channel_id == room.log_channel.id
        posts = [request.json for request in _requests(room, "POST")]
        assert len({each["nonce"] for each in posts if "nonce" in each}) == 1
        assert len(posts) == 4
        told = [line for line in await room.lines() if line.details.get("service") == "The log feed"]
        assert [line.event for line in told] == [Event.SERVICE_BACK, Event.SERVICE_FAILING]


async def test_a_card_in_a_channel_that_is_closed_to_us_does_not_keep_the_new_channel_silent(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        await _card(room, "YouTube does not answer")
        await room.runtime.storage.guilds.update(room.guild.id, log_channel_id=room.channel.id)
        old = f"/channels/{room.log_channel.id}/messages/*"
        for _ in range(3):
            room.env.inject_error("PATCH", old, status=403, code=50001, message="Missing Access")
        _service(room)
        await room.until(lambda: room.channel.history())
        assert "YouTube does not answer" in said(room.last())
        (incident,) = await room.runtime.storage.incidents.open()
        assert incident.guild_id == room.guild.id
        assert len(_posts(room)) == 1


async def test_a_message_that_discord_calls_malformed_is_left_out_and_the_next_one_comes(tmp_path: Path) -> None:
    async with open_room(tmp_path, bugs=True) as room:
        await _listening(room)
        room.env.inject_error("POST", "/channels/*/messages", status=400, code=50035, message="Invalid Form Body")
        _service(room)
        await room.until(lambda: _requests(room, "POST"))
        _service(room, name="Spotify")
        await _card(room, "Spotify does not answer")
        assert len(_requests(room, "POST")) == 2
        assert [line.details["where"] for line in await room.lines() if line.event == "bug"] == ["the log feed"]


async def test_an_edit_that_discord_does_not_take_comes_again(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        _service(room)
        await _card(room, "YouTube does not answer")
        for _ in range(5):  # as often as discord.py itself repeats a request
            room.env.inject_error("PATCH", "/channels/*/messages/*", status=500, message="Internal Server Error")
        _service(room, back=True)
        await room.until(lambda: "It answers again" in said(_posts(room)[0]))
        assert len(_posts(room)) == 1


async def test_without_a_log_channel_nothing_is_posted(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _shown(room, _incident(room))
        _service(room)
        await room.runtime.feed.turn()
        assert not _posts(room)


async def test_the_digest_comes_at_its_hour_once_a_day_whatever_restarts(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(9, lost=4)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        await room.runtime.storage.mappings.update(mapping.id, enabled=False, pause_reason="Its owner left.")
        await room.runtime.storage.accounts.needs_login(mapping.left.account_id)
        await room.runtime.feed.turn()  # what was said so far is said to nobody
        hour = room.clock.now().hour + 1
        await _listening(room, digest_hour=hour)
        await room.runtime.scheduler.run_now("digest")
        room.clock.advance(timedelta(hours=1))
        for _ in range(3):
            await room.runtime.scheduler.run_now("digest")
        card = await _card(room, "5 added, 0 removed")
        text = said(card)
        assert "Friday, 20 November 2026" in text
        assert "4 tracks, see `/review`" in text
        assert "**Trip** is paused: Its owner left." in text
        assert "needs a new login" in text
        used = (await room.runtime.quota.state(Bucket.YOUTUBE_UNITS)).used
        assert f"YouTube units: {used} of 10,000 used; 0 the day before" in text
        await room.restart()
        await room.runtime.scheduler.run_now("digest")
        await room.runtime.feed.turn()
        assert len(_posts(room)) == 1
        room.clock.advance(timedelta(days=1))
        await room.runtime.scheduler.run_now("digest")
        await _card(room, "Nothing was to be synced")
        assert len(_posts(room)) == 2


async def test_a_digest_that_discord_does_not_take_comes_again_with_its_nonce(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room, digest_hour=room.clock.now().hour)
        room.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, message="Missing Permissions")
        await room.runtime.scheduler.run_now("digest")
        await room.until(lambda: _posts(room))
        nonces = [request.json["nonce"] for request in _requests(room, "POST")]
        assert len(nonces) == 2
        assert len(set(nonces)) == 1
        assert len(nonces[0]) <= 25
