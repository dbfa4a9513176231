"""The log feed in the server's log channel."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.logs.feed import FedLine, FeedMessage
from bot.model.events import Event
from bot.model.logline import Level, LogLine
from tests.journeys.room import Room, answer, custom_ids, open_room, said


async def _listening(room: Room, **settings: Any) -> None:
    present = await room.runtime.storage.guilds.get(room.guild.id)
    await room.runtime.storage.guilds.save(replace(present, log_channel_id=room.log_channel.id, **settings))


def _line(room: Room, message: str, **fields: Any) -> LogLine:
    return LogLine(
        at=room.clock.now(), level=Level.WARN, event="item.error", message=message, guild_id=room.guild.id, **fields
    )


def _message(room: Room, *lines: LogLine, number: int = 1, dropped: int = 0) -> FeedMessage:
    return FeedMessage(
        guild_id=room.guild.id,
        number=number,
        lines=tuple(FedLine(line=line, count=index + 1) for index, line in enumerate(lines)),
        dropped=dropped,
    )


def _sink(room: Room) -> Any:
    return room.env.bot.get_cog("LogFeed")


async def test_what_is_logged_for_a_server_appears_in_its_channel_with_buttons_that_outlive_a_restart(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        mapping = await room.mapping(6, lost=2)
        await room.runtime.sync.start(mapping.id, room.admin.id)
        await room.work(mapping.id)
        rows = await room.runtime.storage.blacklist.open_of_mapping(mapping.id)
        item = rows[-1].item_id
        assert item
        await room.until(lambda: any(f"item:details:{item}" in custom_ids(post) for post in room.log_channel.history()))
        posts = room.log_channel.history()
        buttons = [each for post in posts for each in custom_ids(post)]
        assert {f"item:retry:{item}", f"item:review:{item}", f"item:details:{item}"} <= set(buttons)
        await room.restart()
        post = next(post for post in posts if f"item:details:{item}" in custom_ids(post))
        details = await room.member.click(post, custom_id=f"item:details:{item}")
        assert details.ephemeral
        assert f"Item {item}" in said(answer(details))
        refused = await room.member.click(post, custom_id=f"item:retry:{item}")
        assert "moderators" in said(answer(refused))
        retried = await room.moderator.click(post, custom_id=f"item:retry:{item}")
        assert "in the queue again" in said(answer(retried))


async def test_repeated_lines_carry_their_count_and_left_out_lines_are_counted(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        message = _message(room, _line(room, "first"), _line(room, "second"), dropped=1234)
        await _sink(room).send(room.guild.id, message)
        text = said(room.last(room.log_channel))
        assert "second **×2**" in text
        assert "1,234 more lines were left out" in text


async def test_ten_lines_of_ten_items_keep_within_the_buttons_of_a_message(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        lines = [_line(room, f"line {number}", sync_item_id=number) for number in range(1, 11)]
        await _sink(room).send(room.guild.id, _message(room, *lines))
        buttons = custom_ids(room.last(room.log_channel))
        assert {f"item:details:{number}" for number in range(1, 11)} <= set(buttons)
        assert len(buttons) <= 25
        await _sink(room).send(room.guild.id, _message(room, *lines[:3], number=2))
        assert len(custom_ids(room.last(room.log_channel))) == 9


async def test_a_hostile_line_mentions_nobody(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        hostile = "@everyone <@1> [x](https://evil.example) ```" + "w" * 900
        await _sink(room).send(room.guild.id, _message(room, *[_line(room, hostile)] * 10))
        post = room.last(room.log_channel)
        assert not post.mention_everyone
        assert "@everyone" not in said(post)
        assert "https://evil" not in said(post)


async def test_a_channel_that_is_gone_ends_the_feed_of_that_server_only(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        room.env.inject_error("POST", "/channels/*/messages", status=404, code=10003, message="Unknown Channel")
        await _sink(room).send(room.guild.id, _message(room, _line(room, "lost")))
        assert (await room.runtime.storage.guilds.get(room.guild.id)).log_channel_id is None
        assert any("the log channel is gone" in line.message for line in await room.lines())


async def test_a_closed_channel_is_tried_again_with_the_same_message(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _listening(room)
        room.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, message="Missing Permissions")
        logging.getLogger("bot.test").warning(Event.SERVICE_BACK, extra={"service": "X", "guild_id": room.guild.id})
        await room.until(room.log_channel.history)
        assert (await room.runtime.storage.guilds.get(room.guild.id)).log_channel_id == room.log_channel.id
        posts = [request for request in room.env.http_requests if request.path.endswith("/messages")]
        nonces = [request.json["nonce"] for request in posts if request.method == "POST" and "nonce" in request.json]
        assert nonces[0] == nonces[1]
        assert "X answers again" in said(room.log_channel.history()[0])


async def test_without_a_log_channel_nothing_is_posted(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await _sink(room).send(room.guild.id, _message(room, _line(room, "quiet")))
        await _sink(room).send(None, _message(room, _line(room, "owner's")))
        assert not room.log_channel.history()
