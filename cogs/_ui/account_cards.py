"""The embeds of linked music accounts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

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


def accounts_card(accounts: Sequence[Account], now: datetime) -> discord.Embed:
    """All accounts of one person: status, what Crossfade may do, and when the consent ends."""
    card = discord.Embed(title="Your music accounts", colour=colours.WORKING)
    if not accounts:
        card.description = "None is linked yet. `/connect` links a Spotify or a YouTube account."
        card.colour = discord.Colour(colours.QUIET)
    for account in accounts[: foreign.FIELDS]:
        card.add_field(name=_name(account), value="\n".join(_about(account, now)), inline=False)
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


def _about(account: Account, now: datetime) -> list[str]:
    lines = [f"**{words.ACCOUNT_STATUSES[account.status].capitalize()}**"]
    if account.status is AccountStatus.NEEDS_LOGIN:
        lines[0] += ": its work waits until you link it again with `/connect`."
    if account.status is AccountStatus.DISCONNECTED:
        return lines
    granted = [_SCOPES.get(scope, foreign.plain(scope, 60)) for scope in account.scopes]
    lines.append("May: " + (foreign.bullets([", ".join(granted)], 400) or "nothing") if granted else "May: nothing yet")
    lines.append(f"Consent given {moments.relative(account.granted_at)}")
    if account.token_dies_at is not None:
        soon = account.token_dies_at - now < EXPIRES_SOON
        advice = "; use `/connect` before then" if soon else ""
        lines[-1] += f", ends {moments.relative(account.token_dies_at)}{advice}"
    return lines
