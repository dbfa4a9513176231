"""The faces of buttons that messages of a routing run carry; what they do stands in ``_buttons``."""

from collections.abc import Sequence

import discord

from cogs._ui import foreign
from cogs._ui.doors import panel
from cogs._ui.routing_cards import BaseRow

FORCED_AT_ONCE = 5  # buttons in a row


def of_run(rows: Sequence[BaseRow]) -> discord.ui.View | None:
    """For each child that a guard stopped the button of the one plan that was shown; likewise for shrunken bases."""
    stopped = [child for row in rows for child in row.children if child.stopped and not child.open_items]
    faces: list[discord.ui.Item[discord.ui.View]] = [
        discord.ui.Button(
            label=foreign.label(f"Let “{child.child.name}” pass", foreign.BUTTON),
            style=discord.ButtonStyle.danger,
            custom_id=f"router:force:{child.outcome.started.run.id}",
        )
        for child in stopped[:FORCED_AT_ONCE]
        if child.outcome is not None and child.outcome.started is not None
    ]
    faces += [
        discord.ui.Button(
            label=foreign.label(f"“{row.base.name}” did lose them", foreign.BUTTON),
            style=discord.ButtonStyle.danger,
            custom_id=f"router:collapse:{row.base.id}",
        )
        for row in rows[:FORCED_AT_ONCE]
        if row.collapsed
    ]
    return panel(*faces) if faces else None
