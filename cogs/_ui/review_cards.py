"""The embeds of what could not be matched: a track, why it waits, and the candidates to choose from."""

from collections.abc import Sequence

import discord

from bot.engine.review import Accepted
from bot.model.matching import Candidate
from bot.model.music import Service, Track
from bot.model.review import BlacklistReason, BlacklistRow, BlacklistState, unambiguous
from cogs._ui import colours, foreign, moments, review_words, words

CANDIDATES_SHOWN = 5

_STATES = {
    BlacklistState.RESOLVED: "Decided: a counterpart is known.",
    BlacklistState.DISMISSED: "Dismissed: it is passed over and no longer shown here.",
}


def review_card(
    row: BlacklistRow, *, mapping_name: str = "", source: Track | None = None, place: str = ""
) -> discord.Embed:
    """One track with its candidates, best first: length, channel, score, link and what speaks against it.

    ``source``: the track sought, where the catalogue knows more of it than the row.
    """
    sought = source or Track(service=row.service, external_id=row.track_id, title=row.title, artists=row.artists)
    wanted = row.service.other
    card = discord.Embed(
        title=foreign.plain(row.title, 150),
        description="\n".join(_about(row, sought, wanted, mapping_name)),
        colour=colours.CAUTION if row.reason is BlacklistReason.LOW_CONFIDENCE else colours.QUIET,
    )
    lines = [f"**{number}.** {candidate_line(each)}" for number, each in enumerate(_shown(row), 1)]
    # Two fields of 1,024 characters hold what one would cut short.
    if lines:
        half = (len(lines) + 1) // 2 if len(lines) > 3 else len(lines)
        card.add_field(name=f"Candidates on {wanted.label}", value=foreign.bullets(lines[:half], 1024), inline=False)
        if lines[half:]:
            card.add_field(name="\u200b", value=foreign.bullets(lines[half:], 1024), inline=False)
    if place:
        card.set_footer(text=place)
    return card


def candidate_line(candidate: Candidate, *, doubts: bool = True) -> str:
    """``[Title](link) — channel · 3:45 (+2 s) · 0.93`` and what speaks against it."""
    track, score = candidate.track, candidate.score
    gap = f" ({score.length_gap:+.0f} s)".replace("-", "−") if score.length_gap is not None else ""
    who = foreign.plain(track.channel or track.byline or "unknown channel", 35)
    title = foreign.link(track.title, track.url, 50)
    line = f"{title} — {who} · {moments.length(track.duration)}{gap} · {score.total:.2f}"
    return f"{line}\n　{review_words.doubts(score)}" if doubts else line


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


def happened_card(sentence: str) -> discord.Embed:
    """What was done to a card that still waits for its decision."""
    return discord.Embed(description=sentence, colour=colours.WORKING)


def nothing_open_card(*, filtered: bool = False) -> discord.Embed:
    if filtered:
        return discord.Embed(
            title="Nothing to review here",
            description="No open track fits this filter. `/review` without options shows all that wait.",
            colour=colours.GOOD,
        )
    return discord.Embed(
        title="Nothing to review",
        description="Every track has a counterpart or a decision. What cannot be matched later appears here.",
        colour=colours.GOOD,
    )


def preview_card(rows: Sequence[BlacklistRow], *, minimum: float, offset: int, total: int, most: int) -> discord.Embed:
    """What one press would accept, a page of it: each track with the candidate that nothing rivals."""
    if not total:
        return discord.Embed(
            title="Nothing to accept",
            description=f"No open track has a candidate of {minimum:.2f} or more that stands alone. "
            "Lower the score, or decide one by one.",
            colour=colours.QUIET,
        )
    card = discord.Embed(
        title=f"Accept {total:,} candidate{'s' if total > 1 else ''}?",
        description=foreign.bullets([_preview_line(row) for row in rows], foreign.DESCRIPTION),
        colour=colours.CAUTION,
    )
    capped = f" The first {most:,} are accepted; press again for the rest." if total > most else ""
    card.add_field(
        name="What this means",
        value=f"Each is the best candidate, scores {minimum:.2f} or more, and no other comes near it. The choices are "
        f"remembered for this server and added to all its mappings.{capped}",
        inline=False,
    )
    card.set_footer(text=f"{offset + 1:,} to {offset + len(rows):,} of {total:,}; nothing is accepted yet")
    return card


def accepted_card(accepted: Accepted, name: str) -> discord.Embed:
    """What one press over many cards did."""
    lines = [f"{words.count(accepted.chosen, 'candidate')} accepted by {name}; they are being added."]
    if accepted.settled:
        lines.append(f"{words.count(accepted.settled, 'track')} had been decided by somebody else meanwhile.")
    if accepted.left:
        lines.append(f"{words.count(accepted.left, 'track')} of this list {'are' if accepted.left > 1 else 'is'} left.")
    return discord.Embed(title="Accepted", description="\n".join(lines), colour=colours.GOOD)


def _preview_line(row: BlacklistRow) -> str:
    certain = unambiguous(row.candidates)
    chosen = f"\n　→ {candidate_line(certain, doubts=False)}" if certain is not None else ""
    by = f" by {foreign.plain(', '.join(row.artists), 40)}" if row.artists else ""
    return f"**{foreign.plain(row.title, 60)}**{by}{chosen}"


def _shown(row: BlacklistRow) -> tuple[Candidate, ...]:
    return row.candidates[:CANDIDATES_SHOWN]


def _about(row: BlacklistRow, source: Track, wanted: Service, mapping_name: str) -> list[str]:
    by = f" by {foreign.plain(', '.join(source.artists or row.artists), 100)}" if source.artists or row.artists else ""
    length = f" · {moments.length(source.duration)}" if source.duration is not None else ""
    lines = [f"Sought: {foreign.link(row.title, source.url, 100)}{by}{length} on {row.service.label}"]
    if mapping_name:
        lines.append(f"Mapping “{foreign.plain(mapping_name, 80)}”")
    lines.append(f"Not added to {wanted.label}: {review_words.why(row, 100)}")
    if row.state in _STATES:
        lines.append(_STATES[row.state])
    elif row.next_look_at is not None:
        times = f"; passed over {row.skip_count:,}× so far" if row.skip_count else ""
        lines.append(f"Looked for again {moments.relative(row.next_look_at)}{times}.")
    return lines
