"""The buttons of linked accounts: confirm, reject, disconnect, forget me; each acts for its own person only."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.engine.accounts import Departed
from bot.model.account import Account, AccountStatus
from cogs._ui import account_cards, errors, foreign
from cogs._ui.doors import Answer, Pressed, panel
from cogs._ui.reach import Interaction, runtime_of

BUTTON_ROWS = 4  # of five: the last one is for Forget me


class Confirm(Pressed, template=r"account:confirm:(?P<key>[0-9]{1,19})"):
    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Yes, it is mine", style=discord.ButtonStyle.success, custom_id=f"account:confirm:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        account = await runtime_of(interaction).accounts.confirm(self.key, interaction.user.id)
        await _show(interaction, account_cards.connected_card(account))


class Reject(Pressed, template=r"account:reject:(?P<key>[0-9]{1,19})"):
    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="No, reject it", style=discord.ButtonStyle.danger, custom_id=f"account:reject:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        await runtime_of(interaction).accounts.reject(self.key, interaction.user.id)
        card = account_cards.notice_card(
            "Account rejected", "Its login was deleted and nothing was read from it. `/connect` links another one."
        )
        await _show(interaction, card)


class Disconnect(Pressed, template=r"account:disconnect:(?P<key>[0-9]{1,19})"):
    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Disconnect", style=discord.ButtonStyle.secondary, custom_id=f"account:disconnect:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        departed = await runtime_of(interaction).accounts.disconnect(self.key, interaction.user.id)
        await _show(interaction, _departed_card("Account disconnected", departed))


class ForgetMe(Pressed, template=r"account:forget:(?P<key>[0-9]{1,19})"):
    """Asks first: forgetting cannot be taken back. The key is the person's Discord id."""

    answer = Answer.PRIVATE

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Forget me", style=discord.ButtonStyle.danger, custom_id=f"account:forget:{key}", row=4
        )

    async def act(self, interaction: Interaction) -> None:
        _own(interaction, self.key)
        card = account_cards.notice_card(
            "Forget everything about you?",
            "All your accounts are unlinked, their logins revoked and deleted, mappings that use them pause, and your "
            "name leaves the log. Playlists stay as they are. This cannot be taken back.",
            good=False,
        )
        await interaction.edit_original_response(embed=card, view=panel(ForgetMeNow(self.key)))


class ForgetMeNow(Pressed, template=r"account:forget-now:(?P<key>[0-9]{1,19})"):
    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Yes, forget me", style=discord.ButtonStyle.danger, custom_id=f"account:forget-now:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        _own(interaction, self.key)
        runtime = runtime_of(interaction)
        await runtime.log.flush()  # lines with the name that are not stored yet would be stored after it was taken out
        departed = await runtime.accounts.forget(interaction.user.id)
        await _show(interaction, _departed_card("You are forgotten", departed))


ACCOUNT_BUTTONS: tuple[type[Pressed], ...] = (Confirm, Reject, Disconnect, ForgetMe, ForgetMeNow)


def confirmation(account_id: int) -> discord.ui.View:
    return panel(Confirm(account_id), Reject(account_id))


def for_accounts(accounts: Sequence[Account], person: int) -> discord.ui.View:
    """A row for each account, as many as fit, and Forget me below."""
    view = panel()
    present = [account for account in accounts if account.status is not AccountStatus.DISCONNECTED]
    for place, account in enumerate(present[:BUTTON_ROWS]):
        pending = account.status is AccountStatus.PENDING
        kinds: tuple[type[Pressed], ...] = (Confirm, Reject) if pending else (Disconnect,)
        for kind in kinds:
            button = kind(account.id)
            assert isinstance(button.item, discord.ui.Button)
            name = f"{button.item.label}: {account.service.label} {foreign.visible(account.display_name)}"
            button.item.label = foreign.label(name, foreign.BUTTON)
            button.row = place
            view.add_item(button)
    view.add_item(ForgetMe(person))
    return view


def _own(interaction: Interaction, person: int) -> None:
    if interaction.user.id != person:
        raise errors.STALE


async def _show(interaction: Interaction, card: discord.Embed) -> None:
    await interaction.edit_original_response(embeds=foreign.fit([card]), view=None)


def _departed_card(title: str, departed: Departed) -> discord.Embed:
    sentence = "The login was deleted here. Playlists stay as they are."
    if departed.bases:
        names = ", ".join(f"“{foreign.plain(base.name, 60)}”" for base in departed.bases[:10])
        sentence += f" Base playlists that feed nothing for now: {names}."
    if departed.paused:
        names = ", ".join(f"“{foreign.plain(mapping.name, 60)}”" for mapping in departed.paused[:10])
        sentence += f" Paused until another account takes over: {names}."
    return account_cards.notice_card(title, sentence)
