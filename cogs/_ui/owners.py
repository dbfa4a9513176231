"""Whether those whose accounts mappings and bases use are still in the server; without members intent we must ask."""

import logging

import discord

from bot.model.events import Event
from bot.model.mapping import Mapping
from bot.model.router import BasePlaylist
from cogs._ui.reach import Client

log = logging.getLogger(__name__)

LEFT = "The owner of its {service} account left this server; another member can map the playlists with their own."


async def pause_if_left(client: Client, mapping: Mapping, *, present: int = 0) -> Mapping:
    """The mapping, paused with the reason when an owner left; ``present``: a person who is known to be there."""
    guild = client.get_guild(mapping.guild_id)
    if guild is None or not mapping.enabled:
        return mapping
    # A child's left side is its base, which pauses by itself.
    for playlist in (mapping.right,) if mapping.hidden else mapping.playlists:
        account = await client.runtime.storage.accounts.get(playlist.account_id)
        if account is None or account.discord_user_id == present or await _is_member(guild, account.discord_user_id):
            continue
        reason = LEFT.format(service=playlist.service.label)
        if mapping.hidden:
            return await client.runtime.bases.stop_child(mapping, reason)
        return await client.runtime.mappings.pause(mapping.guild_id, mapping.id, 0, reason)
    return mapping


async def pause_base_if_left(client: Client, base: BasePlaylist, *, present: int = 0) -> BasePlaylist:
    """The base, paused with the reason when its owner left; ``present`` as above."""
    guild = client.get_guild(base.guild_id)
    if guild is None or not base.enabled:
        return base
    account = await client.runtime.storage.accounts.get(base.playlist.account_id)
    if account is None or account.discord_user_id == present or await _is_member(guild, account.discord_user_id):
        return base
    reason = LEFT.format(service=base.playlist.service.label)
    return await client.runtime.bases.pause(base.guild_id, base.id, 0, reason)


async def _is_member(guild: discord.Guild, person: int) -> bool:
    """Only a clear "unknown member" counts as gone."""
    try:
        await guild.fetch_member(person)
    except discord.NotFound:
        return False
    except discord.HTTPException as failure:
        extra = {"task": "looking for the owners of accounts", "error": str(failure), "guild_id": guild.id}
        log.info(Event.TASK_FAILED, extra=extra)
    return True
