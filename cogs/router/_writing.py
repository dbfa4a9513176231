"""Writing a child's rule: a form for long ones, and the way back into it where the rule could not be read."""

from typing import Any

import discord

from bot.engine.bases import NewChild
from bot.engine.routing import RulesTextMistake
from cogs._ui import errors
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.forms import Form
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of
from cogs.router import _pages

LONGEST = 4000  # signs that a line of a form takes
_SUBJECT = "router.rules"  # of the saved filters that hold what was written
_EXAMPLE = "year 1990..1999 and genre in (metal, rock) and not explicit"

Draft = dict[str, Any]  # v, rules, and either child (its id, name) or base, name, playlist of a new one


class RulesForm(Form):
    level = Level.ADMIN
    answer = Answer.PUBLIC

    def __init__(self, draft: Draft) -> None:
        super().__init__(title=f"The rule of {draft['name'] or 'the child'}", custom_id="router:rules")
        self._draft = draft
        self._rules = self.line(
            "rules", "Which tracks it holds", f"Such as: {_EXAMPLE}", default=draft["rules"], most=LONGEST, long=True
        )

    async def act(self, interaction: Interaction) -> None:
        await save(interaction, self._draft | {"rules": self._rules.value})


async def save(interaction: Interaction, draft: Draft) -> None:
    """Make or change the child and show it; a rule that cannot be read is kept, with a button to go on writing."""
    runtime, guild_id, actor_id = runtime_of(interaction), guild_of(interaction), interaction.user.id
    try:
        if draft.get("child"):
            name = draft["rename"] or None
            rules = draft["rules"] or None
            child = await runtime.bases.edit_child(guild_id, draft["child"], actor_id, name=name, rules=rules)
            title = "Changed"
        else:
            new = NewChild(
                guild_id=guild_id,
                actor_id=actor_id,
                base_id=draft["base"],
                name=draft["name"],
                playlist=draft["playlist"],
                rules=draft["rules"],
            )
            child, title = await runtime.bases.add_child(new), "Added"
    except RulesTextMistake as mistake:
        key = await runtime.storage.filters.keep(guild_id, _SUBJECT, draft, actor_id)
        await errors.answer(interaction, mistake, view=panel(GoOn(key)))
        return
    await _pages.show_child(interaction, child, title=title)


class GoOn(Pressed, template=r"router:rules:(?P<key>[0-9]{1,19})"):
    """Opens the form with what was written."""

    level = Level.ADMIN
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Go on writing", style=discord.ButtonStyle.primary, custom_id=f"router:rules:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        kept = await runtime_of(interaction).storage.filters.get(self.key, guild_of(interaction), _SUBJECT)
        if kept is None:
            raise errors.STALE
        await interaction.response.send_modal(RulesForm(kept.filter))


BUTTONS: tuple[type[Pressed], ...] = (GoOn,)
