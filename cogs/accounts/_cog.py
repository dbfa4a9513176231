"""The commands /connect and /accounts, and the news that comes back from the consent pages."""

import logging
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.model.account import AccountStatus
from bot.model.events import AccountLinked, AccountNeedsLogin, Event
from bot.model.music import Service
from cogs._ui import account_cards, foreign
from cogs._ui.doors import Answer, door
from cogs._ui.reach import Client, Interaction, guild_of
from cogs.accounts._buttons import ACCOUNT_BUTTONS, confirmation, for_accounts

log = logging.getLogger(__name__)


class Accounts(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*ACCOUNT_BUTTONS)

    @app_commands.command(
        description="Link your Spotify or YouTube account.",
        extras={"example": "/connect service:Spotify"},
    )
    @app_commands.describe(service="Which one")
    @app_commands.choices(service=[app_commands.Choice(name=each.label, value=each.value) for each in Service])
    @door(answer=Answer.PRIVATE)
    async def connect(self, interaction: Interaction, service: str) -> None:
        runtime, wanted = self.bot.runtime, Service(service)
        state = await runtime.oauth.begin(wanted, interaction.user.id, guild_of(interaction), interaction.token)
        address = f"{runtime.settings.public_url}/oauth/{wanted.value}/start?state={state}"
        card = account_cards.notice_card(
            f"Link your {wanted.label} account",
            f"The button opens {wanted.label}'s own consent page. It is for you alone and works once, for ten minutes. "
            "Afterwards you confirm the account here.",
        )
        link = discord.ui.View()
        link.add_item(discord.ui.Button(label=f"Open {wanted.label}", url=address))
        await interaction.edit_original_response(embed=card, view=link)

    @app_commands.command(
        description="Your linked music accounts: status, confirm, disconnect, forget me.",
        extras={"example": "/accounts"},
    )
    @door(answer=Answer.PRIVATE)
    async def accounts(self, interaction: Interaction) -> None:
        runtime, person = self.bot.runtime, interaction.user.id
        linked = await runtime.accounts.of_user(person)
        lacking = {account.id: runtime.tokens.lacking(account) for account in linked}
        card = account_cards.accounts_card(linked, runtime.clock.now(), lacking=lacking)
        view = for_accounts(linked, person) if linked else None
        await interaction.edit_original_response(embeds=foreign.fit([card]), view=view)

    @commands.Cog.listener()
    async def on_account_linked(self, fact: AccountLinked) -> None:
        """Ask its person whether the account is theirs: privately where they asked, else by direct message.

        Where neither reaches them, `/accounts` shows the same buttons.
        """
        account = await self.bot.runtime.storage.accounts.get(fact.account_id)
        if account is None:
            return
        message: dict[str, Any] = {"embed": account_cards.linked_card(account)}
        if account.status is AccountStatus.PENDING:
            message["view"] = confirmation(account.id)
        if not await self._follow_up(fact.state_id, message):
            await self._direct_message(fact.discord_user_id, message)

    @commands.Cog.listener()
    async def on_account_needs_login(self, fact: AccountNeedsLogin) -> None:
        card = account_cards.notice_card(
            f"Your {fact.service.label} account needs a new login",
            f"**{foreign.plain(fact.display_name, 100)}** can no longer be used: {foreign.plain(fact.reason, 300)}\n"
            "What it should do waits and nothing is lost. Use `/connect` in the server to go on.",
            good=False,
        )
        await self._direct_message(fact.discord_user_id, {"embed": card})

    async def _follow_up(self, state_id: int, message: dict[str, Any]) -> bool:
        state = await self.bot.runtime.storage.oauth.get(state_id)
        if state is None or not state.interaction_token or self.bot.application_id is None:
            return False
        hook = discord.Webhook.partial(self.bot.application_id, state.interaction_token, client=self.bot)
        hook.type = discord.WebhookType.application  # only those may send privately and carry buttons
        try:
            await hook.send(ephemeral=True, **message)
        except discord.HTTPException as failure:
            _not_reached("the private follow-up", failure)
            return False
        return True

    async def _direct_message(self, person: int, message: dict[str, Any]) -> None:
        try:
            user = self.bot.get_user(person) or await self.bot.fetch_user(person)
            await user.send(**message)
        except discord.HTTPException as failure:
            _not_reached("the direct message", failure)


def _not_reached(way: str, failure: discord.HTTPException) -> None:
    log.info(Event.TASK_FAILED, extra={"task": way, "error": f"{failure}; /accounts shows it"})
