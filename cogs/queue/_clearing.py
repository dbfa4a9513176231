"""Putting failed changes aside: the count first, then a button that clears just those."""

from datetime import datetime
from typing import Any

import discord

from bot.engine.queue import Failed
from bot.model.mapping import Mapping
from cogs._ui import errors, foreign, queue_card
from cogs._ui.doors import Pressed, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

_SUBJECT = "queue"  # of the saved filters that hold what a button would clear


async def ask(interaction: Interaction, failed: Failed, mapping: Mapping | None) -> None:
    """Show the count, and where there is something, the button."""
    card = queue_card.failed_card(failed, mapping)
    if not failed.items:
        await interaction.edit_original_response(embeds=foreign.fit([card]))
        return
    what = {"mapping_id": mapping.id if mapping else 0, "until": failed.until.isoformat()}
    filters = runtime_of(interaction).storage.filters
    key = await filters.keep(guild_of(interaction), _SUBJECT, what, interaction.user.id)
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(ClearFailed(key)))


class ClearFailed(Pressed, template=r"queue:clear:(?P<key>[0-9]{1,19})"):
    """Clears what had failed when the count was shown; what failed later is not among it."""

    level = Level.ADMIN

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Clear them", style=discord.ButtonStyle.danger, custom_id=f"queue:clear:{key}")

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        kept = await runtime.storage.filters.get(self.key, guild_id, _SUBJECT)
        if kept is None:
            raise errors.STALE
        mapping_id, until = kept.filter["mapping_id"], datetime.fromisoformat(kept.filter["until"])
        mapping = await runtime.storage.mappings.get(mapping_id, guild_id) if mapping_id else None
        if mapping_id and mapping is None:
            raise errors.STALE
        items = await runtime.queue.clear_failed(guild_id, interaction.user.id, until, mapping)
        card = queue_card.cleared_card(items, mapping)
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=None)
