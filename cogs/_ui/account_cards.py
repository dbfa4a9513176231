"""The embeds of linked music accounts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import discord

from bot.model.account import Account, AccountStatus
from bot.model.music import Service
from cogs._ui import colours, foreign, moments, words

EXPIRES_SOON = timedelta(days=14)

_SCOPES = {
    "playlist-read-private": "read private playlists",
    "playlist-read-collaborative": "read shared playlists",
    "playlist-modify-public": "change public playlists",
    "playlist-modify-private": "change private playlists",
    "user-library-read": "read liked songs",
    "user-read-private": "see your name",
    "https://www.googleapis.com/auth/youtube": "manage your YouTube playlists",
}


def accounts_card(
    accounts: Sequence[Account], now: datetime, *, lacking: Mapping[int, tuple[str, ...]] = MappingProxyType({})
) -> discord.Embed:
    """All accounts of one person: status, what Crossfade may do, and when the consent ends.

    ``lacking``: for an account's id the scopes that were asked for and not given.
    """
    card = discord.Embed(title="Your music accounts", colour=colours.WORKING)
    if not accounts:
        card.description = "None is linked yet. `/connect` links a Spotify or a YouTube account."
        card.colour = discord.Colour(colours.QUIET)
    for account in accounts[: foreign.FIELDS]:
        card.add_field(
            name=_name(account), value="\n".join(_about(account, now, lacking.get(account.id, ()))), inline=False
        )
    return card


def confirm_card(service: Service, display_name: str) -> discord.Embed:
    """The question after the consent page: is this account yours?"""
    return discord.Embed(
        title=f"Is this your {service.label} account?",
        description=(
            f"**{foreign.plain(display_name, 100)}** came back from {service.label}'s consent page.\n"
            "Crossfade uses it only after you confirm. If you do not know it, reject it: its login is deleted."
        ),
        colour=colours.CAUTION,
    )


def linked_card(account: Account) -> discord.Embed:
    """The news from the consent page: a question for a new account, a word for one that was linked before."""
    if account.status is AccountStatus.PENDING:
        return confirm_card(account.service, account.display_name)
    if account.status is AccountStatus.CONNECTED:
        return connected_card(account)
    return notice_card(
        f"{account.service.label} gave too little",
        f"**{foreign.plain(account.display_name, 100)}** came back without everything that was asked for, so it cannot "
        "be used. Use `/connect` again and leave every permission ticked.",
        good=False,
    )


def connected_card(account: Account) -> discord.Embed:
    return discord.Embed(
        title=f"{account.service.label} is connected",
        description=(
            f"**{foreign.plain(account.display_name, 100)}** is linked. Its playlists now show up in `/mapping add`."
        ),
        colour=colours.GOOD,
    )


def notice_card(title: str, sentence: str, *, good: bool = True) -> discord.Embed:
    return discord.Embed(title=title, description=sentence, colour=colours.GOOD if good else colours.CAUTION)


def _name(account: Account) -> str:
    return f"{account.service.label}: {foreign.plain(account.display_name, 80)}"


def _about(account: Account, now: datetime, lacking: Sequence[str]) -> list[str]:
    lines = [f"**{words.ACCOUNT_STATUSES[account.status].capitalize()}**"]
    if account.status is AccountStatus.NEEDS_LOGIN:
        lines[0] += ": its work waits until you link it again with `/connect`."
    if account.status is AccountStatus.DISCONNECTED:
        return lines
    lines.append(f"May: {_scopes(account.scopes) or 'nothing yet'}")
    if lacking:
        lines.append(f"Lacks: {_scopes(lacking)}. Use `/connect` and allow everything that is asked for.")
    lines.append(f"Consent given {moments.relative(account.granted_at)}")
    if account.token_dies_at is not None:
        soon = account.token_dies_at - now < EXPIRES_SOON
        advice = "; use `/connect` before then" if soon else ""
        lines[-1] += f", ends {moments.relative(account.token_dies_at)}{advice}"
        if account.service is Service.YOUTUBE:
            lines.append("The Google project of this bot is in testing; that is why its consents last only seven days.")
    return lines


def _scopes(scopes: Sequence[str]) -> str:
    return ", ".join(_SCOPES.get(scope, foreign.plain(scope, 60)) for scope in scopes[:10])
