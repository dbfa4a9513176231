"""Who may do what: four levels, read from Discord's permissions and the roles that the server configured."""

from collections.abc import Collection
from enum import IntEnum

import discord

from bot.model.errors import UserMistake
from bot.model.guild import GuildSettings


class Level(IntEnum):
    MEMBER = 0
    MODERATOR = 1  # the configured role, or Manage Messages: sync, retry, review
    ADMIN = 2  # the configured role, or Manage Server: mappings, schedules, queue control, settings
    SUPER_ADMIN = 3  # the application's owner

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").lower()


_WHO = {
    Level.MODERATOR: "moderators (the configured moderator role, or the permission Manage Messages)",
    Level.ADMIN: "admins (the configured admin role, or the permission Manage Server)",
    Level.SUPER_ADMIN: "the owner of this bot",
}


def level_of(
    permissions: discord.Permissions, role_ids: Collection[int], settings: GuildSettings, *, owner: bool
) -> Level:
    """The highest level that a person has in the server of ``settings``."""
    if owner:
        return Level.SUPER_ADMIN
    if permissions.administrator or permissions.manage_guild or settings.admin_role_id in role_ids:
        return Level.ADMIN
    if permissions.manage_messages or settings.moderator_role_id in role_ids:
        return Level.MODERATOR
    return Level.MEMBER


class NotAllowed(UserMistake):
    """The person's level is below what the command or button needs."""

    code = "not_allowed"

    def __init__(self, needed: Level) -> None:
        super().__init__(
            f"That is for {_WHO.get(needed, 'members of this server')}. Nothing was changed. "
            "Ask one of them, or have your role configured with `/setup`."
        )
