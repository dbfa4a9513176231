"""What a server chose, as cards: the short one of /setup and the whole one of /settings."""

import discord

from bot.model.guild import GuildSettings
from cogs._ui import colours, foreign, words


def setup_card(settings: GuildSettings, *, changed: bool = False) -> discord.Embed:
    """What must be chosen first, and what it does."""
    card = _card("Setup", changed)
    _say_basics(card, settings)
    card.set_footer(text="Next: /connect links a music account, /mapping add chooses two playlists.")
    return card


def settings_card(settings: GuildSettings, *, changed: bool = False) -> discord.Embed:
    """Everything that can be chosen, and what it does."""
    card = _card("Settings", changed)
    _say_basics(card, settings)
    card.add_field(name="Log kept", value=kept(settings.retention_days))
    card.add_field(name="Boards refresh", value=f"every {words.count(settings.refresh_seconds, 'second')}")
    card.add_field(name="Daily digest", value=digest(settings.digest_hour))
    card.set_footer(text="What people did stays in the log for 30 days, however long the rest is kept.")
    return card


def kept(days: int) -> str:
    return f"today and {words.count(days, 'day')} before" if days else "today only"


def digest(hour: int | None) -> str:
    return "off" if hour is None else f"at {hour:02}:00, in the log channel"


def _card(title: str, changed: bool) -> discord.Embed:
    return discord.Embed(
        title="Saved" if changed else title,
        description="" if changed else "Choose below; each choice is saved at once.",
        colour=colours.GOOD if changed else colours.WORKING,
    )


def _say_basics(card: discord.Embed, settings: GuildSettings) -> None:
    channel = f"<#{settings.log_channel_id}>" if settings.log_channel_id else "none: nothing is posted"
    card.add_field(name="Log channel", value=channel)
    card.add_field(name="Posted from", value="warnings" if settings.log_level == "warn" else f"{settings.log_level}s")
    card.add_field(name="Timezone", value=foreign.plain(settings.timezone))
    card.add_field(name="Moderators", value=_role(settings.moderator_role_id, "Manage Messages"))
    card.add_field(name="Admins", value=_role(settings.admin_role_id, "Manage Server"))


def _role(role_id: int | None, permission: str) -> str:
    return f"<@&{role_id}> and {permission}" if role_id else permission
