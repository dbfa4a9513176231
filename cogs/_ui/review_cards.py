"""The embeds of what could not be matched: a track, why it waits, and the candidates to choose from."""

import discord

from bot.model.matching import Candidate
from bot.model.music import Service, Track
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState
from cogs._ui import colours, foreign, moments, review_words

CANDIDATES_SHOWN = 10
ALWAYS_SHOWN = 5
MAY_BE_RIGHT = 0.5  # a score below is another song in practice

_STATES = {
    BlacklistState.RESOLVED: "Decided: a counterpart is known.",
    BlacklistState.DISMISSED: "Dismissed: it is passed over and no longer shown here.",
}


def review_card(row: BlacklistRow, *, mapping_name: str = "", place: str = "") -> discord.Embed:
    """One track with its candidates, best first: length, channel, score, link and what speaks against it."""
    source = Track(service=row.service, external_id=row.track_id, title=row.title, artists=row.artists)
    wanted = row.service.other
    card = discord.Embed(
        title=f"{foreign.plain(row.title, 150)}",
        description="\n".join(_about(row, source, wanted, mapping_name)),
        colour=colours.CAUTION if row.reason is BlacklistReason.LOW_CONFIDENCE else colours.QUIET,
    )
    lines = [f"**{number}.** {candidate_line(each)}" for number, each in enumerate(_shown(row), 1)]
    # Two fields of 1,024 characters hold what one would cut short.
    if lines:
        half = (len(lines) + 1) // 2 if len(lines) > 4 else len(lines)
        card.add_field(name=f"Candidates on {wanted.label}", value=foreign.bullets(lines[:half], 1024), inline=False)
        if lines[half:]:
            card.add_field(name="\u200b", value=foreign.bullets(lines[half:], 1024), inline=False)
    if place:
        card.set_footer(text=place)
    return card


def candidate_line(candidate: Candidate) -> str:
    """``[Title](link) — channel · 3:45 (+2 s) · 0.93`` and what speaks against it."""
    track, score = candidate.track, candidate.score
    gap = f" ({score.length_gap:+.0f} s)" if score.length_gap is not None else ""
    who = foreign.plain(track.channel or track.byline or "unknown channel", 35)
    title = foreign.link(track.title, track.url, 50)
    return (
        f"{title} — {who} · {moments.length(track.duration)}{gap} · {score.total:.2f}\n　{review_words.doubts(score)}"
    )


def options(row: BlacklistRow) -> list[discord.SelectOption]:
    """The candidates as choices; the value is the track's id on the destination."""
    shown: dict[str, discord.SelectOption] = {}
    for number, candidate in enumerate(_shown(row), 1):
        track = candidate.track
        about = (
            f"{track.channel or track.byline or '?'} · {moments.length(track.duration)} · {candidate.score.total:.2f}"
        )
        shown.setdefault(
            track.external_id,
            discord.SelectOption(
                label=foreign.label(f"{number}. {track.title}"),
                value=track.external_id,
                description=foreign.label(about),
            ),
        )
    return [option for value, option in shown.items() if 0 < len(value) <= foreign.CHOICE]


def decided_card(row: BlacklistRow, sentence: str) -> discord.Embed:
    """What a review card becomes after a decision."""
    return discord.Embed(title=foreign.plain(row.title, 150), description=sentence, colour=colours.GOOD)


def nothing_open_card() -> discord.Embed:
    return discord.Embed(
        title="Nothing to review",
        description="Every track has a counterpart or a decision. What cannot be matched later appears here.",
        colour=colours.GOOD,
    )


def _shown(row: BlacklistRow) -> tuple[Candidate, ...]:
    """The best ones: the first few whatever they score, then only such as may be right."""
    return tuple(
        candidate
        for place, candidate in enumerate(row.candidates[:CANDIDATES_SHOWN])
        if place < ALWAYS_SHOWN or candidate.score.total >= MAY_BE_RIGHT
    )


def _about(row: BlacklistRow, source: Track, wanted: Service, mapping_name: str) -> list[str]:
    by = f" by {foreign.plain(', '.join(row.artists), 100)}" if row.artists else ""
    lines = [f"{foreign.link(row.title, source.url, 100)}{by} on {row.service.label}"]
    if mapping_name:
        lines.append(f"Mapping “{foreign.plain(mapping_name, 80)}”")
    why = review_words.why(row, 100)
    lines.append(f"On {wanted.label}: {why}")
    if row.state in _STATES:
        lines.append(_STATES[row.state])
    elif row.next_look_at is not None:
        lines.append(f"Looked for again {moments.relative(row.next_look_at)}; passed over {row.skip_count}× so far.")
    return lines
