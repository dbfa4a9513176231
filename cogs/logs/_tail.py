"""Messages that follow the log: edited when new lines come, for ten minutes at most, one for each person."""

import logging
from datetime import timedelta

import discord
from discord.ext import tasks

from bot.model.errors import CrossfadeError
from bot.model.events import Event
from bot.model.log_filter import LogFilter
from bot.runtime import Runtime
from cogs._ui import foreign
from cogs._ui.reach import Interaction
from cogs.logs._views import PAGE, card, following_panel, keep, latest

log = logging.getLogger(__name__)

PACE_SECONDS = 3.0  # between two looks; a message is edited at most as often
LONGEST = timedelta(minutes=10)  # Discord lets a private answer be edited for fifteen


class Tails:
    """At most one message of each person follows: a newer one ends the older."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tails: dict[int, Tail] = {}

    async def begin(self, interaction: Interaction, wanted: LogFilter) -> None:
        """Let the interaction's answer follow from now on."""
        person = interaction.user.id
        earlier = self._tails.pop(person, None)
        if earlier is not None:
            earlier.stop()
            await earlier.rest()
        tail = Tail(self._runtime, interaction, wanted)
        self._tails[person] = tail
        await tail.begin()

    def end(self, person_id: int) -> None:
        """Whoever pressed Stop shows the page as it is then."""
        tail = self._tails.pop(person_id, None)
        if tail is not None:
            tail.stop()

    def close(self) -> None:
        for person_id in tuple(self._tails):
            self.end(person_id)


class Tail:
    """One message and its filter."""

    def __init__(self, runtime: Runtime, interaction: Interaction, wanted: LogFilter) -> None:
        self._runtime = runtime
        self._interaction = interaction
        self._wanted = wanted
        self._newest = 0
        self._until = runtime.clock.now() + LONGEST
        self._loop = tasks.loop(seconds=PACE_SECONDS)(self._look)

    async def begin(self) -> None:
        await self._show()
        self._loop.start()

    def stop(self) -> None:
        self._loop.cancel()

    async def rest(self) -> None:
        """The message stays as it is, with its pages and the button to follow again."""
        embed, view = await latest(self._interaction, self._wanted)
        await self._edit(embed, view)

    async def _look(self) -> None:
        try:
            if self._runtime.clock.now() >= self._until:
                await self.rest()
                self.stop()
            elif await self._has_new_lines():
                await self._show()
        except (discord.HTTPException, CrossfadeError) as failure:
            # The message was deleted, or its time is over: there is nobody left to follow.
            extra = {"task": "following the log", "error": str(failure), "guild_id": self._interaction.guild_id}
            log.info(Event.TASK_FAILED, extra=extra)
            self.stop()

    async def _has_new_lines(self) -> bool:
        """What was looked through without a fitting line is not looked through again."""
        page = await self._runtime.storage.logs.page(self._wanted, after_id=self._newest, limit=1)
        if not page.lines and page.stopped_id is not None:
            self._newest = page.stopped_id
        return bool(page.lines)

    async def _show(self) -> None:
        page = await self._runtime.storage.logs.page(self._wanted, limit=PAGE)
        if page.lines:
            self._newest = page.lines[0].id
        embed = await card(self._interaction, self._wanted, page, following=True)
        embed.set_footer(
            text=f"Follows for {int(LONGEST.total_seconds() // 60)} minutes; new lines appear by themselves"
        )
        await self._edit(embed, following_panel(await keep(self._interaction, self._wanted), page))

    async def _edit(self, embed: discord.Embed, view: discord.ui.View) -> None:
        await self._interaction.edit_original_response(embeds=foreign.fit([embed]), view=view)
