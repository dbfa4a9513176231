"""How a door reaches the runtime behind it, and who is asking."""

from typing import Any

import discord
from discord.ext import commands

from bot.model.errors import UserMistake
from bot.model.guild import GuildSettings
from bot.runtime import Runtime
from cogs._ui.levels import Level, NotAllowed, level_of


class Client(commands.Bot):
    """discord.py's client as the cogs see it: with the runtime that it serves."""

    runtime: Runtime


Interaction = discord.Interaction[Client]


def runtime_of(interaction: discord.Interaction[Any]) -> Runtime:
    client: Client = interaction.client
    return client.runtime


def guild_of(interaction: discord.Interaction[Any]) -> int:
    """The server's id. Raises UserMistake in a direct message."""
    if interaction.guild_id is None:
        raise UserMistake("That belongs to a server, so nothing was done here. Use it in a channel of the server.")
    return interaction.guild_id


async def level(interaction: discord.Interaction[Any]) -> Level:
    """The level of the person who pressed or typed, read anew: in a direct message only the owner is above member."""
    client: Client = interaction.client
    owner = await client.is_owner(interaction.user)
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return Level.SUPER_ADMIN if owner else Level.MEMBER
    settings = await client.runtime.storage.guilds.get(interaction.guild_id)
    roles = {role.id for role in interaction.user.roles}
    return level_of(interaction.user.guild_permissions, roles, settings, owner=owner)


async def require(interaction: discord.Interaction[Any], needed: Level) -> None:
    """Raises NotAllowed when the person's level is below ``needed``."""
    if needed > Level.MEMBER and _level_without_roles(interaction) < needed and await level(interaction) < needed:
        raise NotAllowed(needed)


def _level_without_roles(interaction: discord.Interaction[Any]) -> Level:
    """At least what Discord's own permissions give: known without a look into the database, which may be busy."""
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return Level.MEMBER
    nothing_chosen = GuildSettings(guild_id=interaction.guild_id)
    return level_of(interaction.user.guild_permissions, (), nothing_chosen, owner=False)
