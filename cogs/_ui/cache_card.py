"""The embed of /router cache: hits, misses, size and age of what services told, by kind."""

from collections.abc import Mapping

import discord

from bot.services.cache import Kind, KindStatistics
from cogs._ui import colours, foreign, moments, words

NAMES = {
    Kind.TRACK: "tracks",
    Kind.ARTIST: "artists",
    Kind.ALBUM: "albums",
    Kind.TAGS: "genres from outside",
    Kind.PLAYLISTS: "lists of playlists",
}


def cache_card(found: Mapping[Kind, KindStatistics], *, place: str, working: bool) -> discord.Embed:
    """A field for each kind. ``working`` False: the store does not answer, and work goes on without it."""
    total = sum(one.bytes for one in found.values())
    where = "in Redis" if place == "redis" else "beside the database"
    state = f"It lies {where} and holds {_size(total)}; hits and misses count since the start of the program."
    if not working:
        state = f"⚠️ It lies {where} and does not answer now. Work goes on: the services are asked each time."
    card = discord.Embed(
        title="What services told", description=state, colour=colours.WORKING if working else colours.CAUTION
    )
    for kind, one in found.items():
        card.add_field(name=NAMES[kind].capitalize(), value=_told(kind, one))
    return card.set_footer(
        text="What is older than its time is asked for anew by itself; /router cache forget: drops it."
    )


def ask_card(kind: Kind | None) -> discord.Embed:
    what = NAMES[kind] if kind is not None else "everything"
    return discord.Embed(
        title=f"Forget {what}?",
        description=(
            "It is shared by every server of this bot. Nothing is lost: the next runs ask the services again, which "
            "takes calls and time."
        ),
        colour=colours.CAUTION,
    )


def forgotten_card(entries: int, what: str) -> discord.Embed:
    """``what``: words of a kind, or a key that a person gave."""
    return discord.Embed(
        title=f"Forgot {words.count(entries, 'entry', 'entries')}",
        description=f"Of {foreign.plain(what, 100)}; the next run that needs it asks its service again.",
        colour=colours.GOOD if entries else colours.QUIET,
    )


def _told(kind: Kind, one: KindStatistics) -> str:
    asked = "not asked for yet" if one.hit_rate is None else f"**{one.hit_rate:.0%} known**"
    lines = [f"{asked} ({one.hits:,} hits, {one.misses:,} misses)" if one.hit_rate is not None else asked]
    lines.append(f"{words.count(one.entries, 'entry', 'entries')}, {_size(one.bytes)}")
    if one.oldest is not None:
        lines.append(f"oldest {moments.relative(one.oldest)}")
    lines.append(f"kept {_lasts(kind)}")
    return "\n".join(lines)


def _lasts(kind: Kind) -> str:
    seconds = kind.lasts.total_seconds()
    if seconds >= 2 * 24 * 3600:
        return words.count(round(seconds / (24 * 3600)), "day")
    return words.count(round(seconds / 3600), "hour") if seconds >= 3600 else words.count(round(seconds / 60), "minute")


def _size(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1_000:,.1f} kB"
