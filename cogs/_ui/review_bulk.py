"""Accepting many candidates with one press: how sure they must be, what that would accept, and the confirmation."""

from typing import Any, Self

import discord

from bot.engine.review import MOST_AT_ONCE
from bot.model.errors import UserMistake
from bot.model.review import ReviewFilter
from cogs._ui import foreign, review_cards, review_flow
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.forms import Form
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

LEAST = 0.5  # below this, the best candidate is another song in practice
USUAL = "0.80"
SHOWN = 10  # a page of the preview


class Bulk(Pressed, template=r"review:bulk:(?P<key>[0-9]{1,18})"):
    """Asks how sure the candidates must be; ``key`` is the list's filter."""

    level = Level.MODERATOR
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Accept all above …", custom_id=f"review:bulk:{key}")

    async def act(self, interaction: Interaction) -> None:
        await review_flow.filter_of(interaction, self.key)  # a list of another server is refused before the form
        await interaction.response.send_modal(MinimumForm(self.key))


class MinimumForm(Form):
    level = Level.MODERATOR
    answer = Answer.PRIVATE

    def __init__(self, filter_id: int) -> None:
        super().__init__(title="Accept all good candidates", custom_id=f"review:bulk:{filter_id}")
        self._filter_id = filter_id
        about = "0.50 to 1.00. Candidates that another one rivals are left out; you see all before anything happens."
        self.minimum = self.line("minimum", "The least score of a candidate", about, default=USUAL, most=5)

    async def act(self, interaction: Interaction) -> None:
        filter_ = await review_flow.filter_of(interaction, self._filter_id)
        await preview(interaction, filter_, _minimum(self.minimum.value))


class Page(Pressed, template=r"review:preview:(?P<filter>[0-9]{1,18}):(?P<key>[0-9]{1,9})"):
    """Shows the preview of the list ``filter_id`` from place ``key`` on."""

    level = Level.MODERATOR

    def __init__(self, key: int, *, filter_id: int, face: discord.ui.Item[Any]) -> None:
        super().__init__(key, face=face)
        self.filter_id = filter_id

    @classmethod
    def of(cls, label: str, filter_id: int, offset: int) -> "Page":
        custom_id = f"review:preview:{filter_id}:{offset}"
        face: discord.ui.Button[Any] = discord.ui.Button(label=label, custom_id=custom_id)
        return cls(offset, filter_id=filter_id, face=face)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["key"]), filter_id=int(match["filter"]), face=item)

    async def act(self, interaction: Interaction) -> None:
        await _show(interaction, await review_flow.filter_of(interaction, self.filter_id), self.filter_id, self.key)


class Accept(Pressed, template=r"review:accept:(?P<key>[0-9]{1,18})"):
    """Accepts what the preview of the filter ``key`` showed."""

    level = Level.MODERATOR

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Accept them", style=discord.ButtonStyle.success, custom_id=f"review:accept:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        filter_ = await review_flow.filter_of(interaction, self.key)
        accepted = await runtime_of(interaction).reviews.accept_all(guild_of(interaction), filter_, interaction.user.id)
        card = review_cards.accepted_card(accepted, review_flow.name_of(interaction))
        view = panel(Accept(self.key)) if accepted.left else None
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=view)


async def preview(interaction: Interaction, filter_: ReviewFilter, minimum: float) -> None:
    """What would be accepted of the list as it is now; what comes later is not decided with it."""
    sure = await runtime_of(interaction).reviews.sure(guild_of(interaction), filter_, minimum)
    await _show(interaction, sure, await review_flow.keep(interaction, sure), 0)


async def _show(interaction: Interaction, filter_: ReviewFilter, filter_id: int, offset: int) -> None:
    rows, guild_id = runtime_of(interaction).storage.review_list, guild_of(interaction)
    total = await rows.count(guild_id, filter_)
    offset = offset if offset < total else 0
    shown = await rows.part(guild_id, filter_, offset, SHOWN)
    card = review_cards.preview_card(
        shown, minimum=filter_.minimum or 0.0, offset=offset, total=total, most=MOST_AT_ONCE
    )
    buttons: list[Pressed] = [Accept(filter_id)] if total else []
    if offset:
        buttons.append(Page.of("Previous", filter_id, max(0, offset - SHOWN)))
    if offset + len(shown) < total:
        buttons.append(Page.of("Next", filter_id, offset + SHOWN))
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=panel(*buttons) if buttons else None)


def _minimum(text: str) -> float:
    """``0.8``, ``0,80`` or ``80%``. Raises UserMistake."""
    written = text.strip().replace(",", ".").removesuffix("%").strip()
    try:
        number = float(written)
    except ValueError:
        number = -1.0
    number = number / 100 if 1 < number <= 100 else number
    if not LEAST <= number <= 1:
        raise UserMistake(
            "A score is a number from 0.50 to 1.00, such as 0.80. Nothing was accepted; press the button again."
        )
    return number
