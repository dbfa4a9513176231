"""The commands /queue status, pause, resume and clear-failed."""

from discord import app_commands
from discord.ext import commands

from bot.model.errors import UserMistake
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.queue import EVERY_GUILD, QueuePause
from cogs._ui import completion, foreign, queue_card
from cogs._ui.doors import Answer, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of, require
from cogs.queue import _board, _clearing

_SERVICES = [app_commands.Choice(name=service.label, value=service.value) for service in Service]


class Queue(commands.GroupCog, group_name="queue", group_description="What waits to be written, and who is next."):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(_board.Refresh, _board.PauseAll, _board.ResumeAll, _clearing.ClearFailed)

    @app_commands.command(
        description="What waits, works and is delayed, who is next and when it is through.",
        extras={"example": "/queue status"},
    )
    @door()
    async def status(self, interaction: Interaction) -> None:
        await _board.show(interaction, guild_of(interaction))

    @app_commands.command(
        description="Send nothing more: of this server, of a service, or of a mapping. Nothing is lost.",
        extras={"example": "/queue pause service:YouTube reason:quota for the party"},
    )
    @app_commands.describe(
        service="Only what goes to this service",
        mapping="Only this mapping, by name or id",
        reason="Why, for the others",
        everywhere="In every server of this bot (its owner only)",
    )
    @app_commands.choices(service=_SERVICES)
    @door(Level.ADMIN)
    async def pause(
        self,
        interaction: Interaction,
        service: str | None = None,
        mapping: str | None = None,
        reason: app_commands.Range[str, 0, 200] = "",
        everywhere: bool = False,
    ) -> None:
        guild_id, queue = guild_of(interaction), self.bot.runtime.queue
        found = await self._scope(interaction, mapping, everywhere=everywhere)
        paused = await queue.pause(
            EVERY_GUILD if everywhere else guild_id,
            interaction.user.id,
            service=Service(service) if service else None,
            mapping=found,
            reason=reason,
        )
        status = await queue.status(guild_id)
        card = queue_card.paused_card(paused, status.resting(paused.pause, guild_id))
        await interaction.edit_original_response(embeds=foreign.fit([card]))

    @app_commands.command(
        description="Let go on what was paused: the whole queue, a service, or a mapping.",
        extras={"example": "/queue resume service:YouTube"},
    )
    @app_commands.describe(
        service="The service that was paused",
        mapping="The mapping that was paused, by name or id",
        everywhere="What was paused in every server (the owner of this bot only)",
    )
    @app_commands.choices(service=_SERVICES)
    @door(Level.ADMIN)
    async def resume(
        self,
        interaction: Interaction,
        service: str | None = None,
        mapping: str | None = None,
        everywhere: bool = False,
    ) -> None:
        runtime = self.bot.runtime
        found = await self._scope(interaction, mapping, everywhere=everywhere)
        asked = QueuePause(
            guild_id=EVERY_GUILD if everywhere else guild_of(interaction),
            service=Service(service) if service else None,
            mapping_id=found.id if found else None,
            mapping_name=found.name if found else "",
        )
        resumed = await runtime.queue.resume(asked.guild_id, interaction.user.id, service=asked.service, mapping=found)
        await interaction.edit_original_response(embeds=foreign.fit([queue_card.resumed_card(asked, resumed)]))

    @app_commands.command(
        name="clear-failed",
        description="Put failed changes aside, after showing how many; they can still be retried.",
        extras={"example": "/queue clear-failed mapping:Trip"},
    )
    @app_commands.describe(mapping="Only this mapping, by name or id")
    @door(Level.ADMIN, answer=Answer.PRIVATE)
    async def clear_failed(self, interaction: Interaction, mapping: str | None = None) -> None:
        runtime, guild_id = self.bot.runtime, guild_of(interaction)
        found = await runtime.mappings.find(guild_id, mapping) if mapping else None
        await _clearing.ask(interaction, await runtime.queue.failed(guild_id, found), found)

    @pause.autocomplete("mapping")
    @resume.autocomplete("mapping")
    @clear_failed.autocomplete("mapping")
    async def _mappings(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.mappings(interaction, current)

    async def _scope(self, interaction: Interaction, mapping: str | None, *, everywhere: bool) -> Mapping | None:
        """The mapping that is meant. Raises NotAllowed for everywhere, UserMistake for what does not fit together."""
        if everywhere:
            await require(interaction, Level.SUPER_ADMIN)
            if mapping:
                raise UserMistake("A mapping belongs to one server. Nothing was changed. Leave out everywhere.")
        return await self.bot.runtime.mappings.find(guild_of(interaction), mapping) if mapping else None
