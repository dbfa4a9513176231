"""The sentences that people read when something did not work: what happened, what it means, what to do."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from bot.engine.routing import RulesTextMistake
from bot.model.errors import (
    Bug,
    CrossfadeError,
    Forbidden,
    LoginNeeded,
    NotFound,
    QuotaSpent,
    Refused,
    RetryLater,
    ServicePaused,
    UnknownOutcome,
    UserMistake,
)
from bot.model.events import Event
from bot.model.music import Service
from bot.model.quota import Bucket
from cogs._ui import foreign, moments

log = logging.getLogger(__name__)

STALE = UserMistake(
    "That button belongs to something that is no longer there, so nothing was changed. "
    "Use the command again for the present state."
)

_BUCKETS = {
    Bucket.YOUTUBE_UNITS.value: "YouTube's units for today are",
    Bucket.YOUTUBE_SEARCH.value: "YouTube's searches for today are",
    Bucket.SPOTIFY_CALLS.value: "Spotify's calls for the last 24 hours are",
}


def sentence(error: BaseException) -> str:
    """What to tell a person about ``error``, as markdown of at most 1,500 characters. Secrets never come through."""
    for kind, words in _SENTENCES:
        if isinstance(error, kind):
            return words(error)
    return "Something went wrong inside Crossfade. What was under way is kept and goes on by itself."


def expected(error: BaseException) -> bool:
    """Whether ``error`` is part of ordinary life, so that nobody has to look into it."""
    return isinstance(error, CrossfadeError | app_commands.AppCommandError) and not isinstance(
        error, Bug | app_commands.CommandInvokeError
    )


async def answer(
    interaction: discord.Interaction[Any], error: BaseException, *, view: discord.ui.View | None = None
) -> None:
    """The one error door: tell the person privately; log what nobody expected, with a reference that they can quote.

    ``view``: the way on from there.
    """
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    text = sentence(cause)
    if not expected(cause):
        reference = secrets.token_hex(4)
        where = _where(interaction)
        log.error(
            Event.BUG,
            extra={
                "error": f"{type(cause).__name__}, reference {reference}",
                "where": where,
                "guild_id": interaction.guild_id,
                "actor_id": interaction.user.id,
            },
            exc_info=cause,
        )
        text += f" Tell the owner of this bot the reference `{reference}`; the log holds the reason under it."
    await _tell(interaction, text, discord.utils.MISSING if view is None else view)


async def _tell(interaction: discord.Interaction[Any], text: str, view: discord.ui.View) -> None:
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, view=view, ephemeral=True)
        elif await _thinks_in_public(interaction):
            # The first follow-up would take the place of "thinking…" and show one person's mistake to all.
            await interaction.edit_original_response(content="Nothing was done; the reason was told privately.")
            await interaction.followup.send(text, view=view, ephemeral=True)
            await interaction.delete_original_response()
        else:
            await interaction.followup.send(text, view=view, ephemeral=True)
    except discord.HTTPException as failure:
        # The interaction is gone, so there is nobody left to answer; the log is the only reader.
        log.warning(
            Event.TASK_FAILED,
            extra={"task": "answering in Discord", "error": str(failure), "guild_id": interaction.guild_id},
        )


async def _thinks_in_public(interaction: discord.Interaction[Any]) -> bool:
    """Whether the answer still stands as a public "thinking…"."""
    if interaction.response.type is not discord.InteractionResponseType.deferred_channel_message:
        return False
    try:
        message = await interaction.original_response()
    except discord.NotFound:
        return False  # the door took its answer back before it failed
    return message.flags.loading and not message.flags.ephemeral


def _where(interaction: discord.Interaction[Any]) -> str:
    if interaction.command is not None:
        return f"/{interaction.command.qualified_name}"
    data: Any = interaction.data or {}
    return f"the button {data.get('custom_id', '?')}"


def _service(name: str) -> str:
    try:
        return Service(name).label
    except ValueError:
        return "The service"


def _bad_rules(error: RulesTextMistake) -> str:
    """The sentence, and the place under it in a fixed font."""
    return (
        f"The rule cannot be read, so nothing was changed. {foreign.harmless(str(error), 500)}\n"
        f"{foreign.block(error.pointer)}"
    )


def _retry_later(error: RetryLater) -> str:
    when = f"again {moments.relative(error.at)}" if error.at else "again in a minute"
    return f"The music service did not answer as it should. Nothing was changed. Try it {when}."


def _login_needed(_: LoginNeeded) -> str:
    return (
        "The login of the music account that this needs is no longer valid. Its work waits and nothing is lost. "
        "The account's owner links it again with `/connect`."
    )


def _quota_spent(error: QuotaSpent) -> str:
    return (
        f"{_BUCKETS.get(error.bucket, 'The calls of the service are')} used up. What is queued waits and goes on by "
        f"itself {moments.relative(error.until)}. `/quota` shows where they went."
    )


def _service_paused(error: ServicePaused) -> str:
    return (
        f"{_service(error.service)} asked for a pause, so nothing is sent to it. What is queued goes on by itself "
        f"{moments.relative(error.until)}; there is nothing to do."
    )


def _unknown_outcome(_: UnknownOutcome) -> str:
    return (
        "The music service did not say whether the change took place. Crossfade looks at the playlist before it does "
        "anything again, so nothing is done twice; there is nothing to do."
    )


def _not_found(_: NotFound) -> str:
    return (
        "The music service does not know that playlist or track (any more). Nothing was changed. "
        "Check that the link is right and that it was not deleted."
    )


def _forbidden(_: Forbidden) -> str:
    return (
        "The music service does not let the linked account do that. Nothing was changed. "
        "Use a playlist of a linked account, or link the account that owns it with `/connect`."
    )


def _refused(error: Refused) -> str:
    reason = f" Its reason: {foreign.plain(error.code, 80)}." if error.code != Refused.code else ""
    return f"The music service refuses this for good.{reason} Nothing was changed; choose something else."


def _check_failed(_: app_commands.AppCommandError) -> str:
    return "That cannot be used here. Nothing was changed. Use it in a server where Crossfade is a member."


def _changed_command(_: app_commands.AppCommandError) -> str:
    return (
        "This command changed since your Discord last loaded it, so nothing was done. "
        "Restart Discord (Ctrl+R) or wait a minute, then use it again."
    )


def _bad_option(error: app_commands.TransformerError) -> str:
    return (
        f"`{foreign.label(str(error.value), 60)}` does not fit this option. Nothing was changed. Choose from the list."
    )


def _discord_forbidden(_: discord.Forbidden) -> str:
    return (
        "Discord does not let Crossfade post here. Give it View Channel, Send Messages and Embed Links in this "
        "channel, then use the command again."
    )


def _discord_failed(_: discord.HTTPException) -> str:
    return "Discord did not take the answer. What was asked for may have been done; use the command again to see."


_SENTENCES: tuple[tuple[type[BaseException], Callable[[Any], str]], ...] = (
    (RulesTextMistake, _bad_rules),
    (UserMistake, lambda error: foreign.harmless(str(error))),
    (RetryLater, _retry_later),
    (LoginNeeded, _login_needed),
    (QuotaSpent, _quota_spent),
    (ServicePaused, _service_paused),
    (UnknownOutcome, _unknown_outcome),
    (NotFound, _not_found),
    (Forbidden, _forbidden),
    (Refused, _refused),
    (app_commands.CommandNotFound, _changed_command),
    (app_commands.CommandSignatureMismatch, _changed_command),
    (app_commands.TransformerError, _bad_option),
    (app_commands.CheckFailure, _check_failed),
    (discord.Forbidden, _discord_forbidden),
    (discord.HTTPException, _discord_failed),
)
