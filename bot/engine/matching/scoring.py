"""One candidate held against one track: the parts of its score, the gates that it fails, and the sentence why."""

from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.engine.matching import weights
from bot.engine.matching.names import credited, is_topic, owns
from bot.engine.matching.reading import Reading, album_tags
from bot.engine.matching.sighting import Sighting, sight
from bot.engine.matching.text import cut, fold
from bot.engine.matching.versions import QUALIFIED, said
from bot.model.matching import MatchPolicy, Score, Verdict
from bot.model.music import CandidateKind, Track


@dataclass(slots=True)
class Parts:
    """What was measured, before any policy."""

    title: float
    artist: float
    length_gap: float | None
    gates: list[str]
    album: float | None = None
    extras: float = 0.5
    certain: bool = False  # the same id or the same ISRC
    own: bool = False


def measure(reading: Reading, messy: Track) -> Parts:
    """Compare a track read by its service's title with one whose title may be anything (a video's, say).

    The length gap is ``messy`` minus the track of ``reading``, in seconds.
    """
    clean = reading.track
    gap = None if clean.duration is None or messy.duration is None else messy.duration - clean.duration
    if _identical(clean, messy):
        return Parts(1.0, 1.0, gap, [], certain=True, extras=1.0)
    if clean.title == messy.title and clean.artists == messy.artists and clean.artists:
        found = Sighting(title=weights.EXACT)
    else:
        found = sight(reading, messy.title)
    gates = list(dict.fromkeys(found.gates))
    if "title" in gates:
        return Parts(found.title, 0.0, gap, gates)
    artist, own = _artist(reading, messy, found, gates)
    _versions(reading, messy, found, gates, own=own)
    _guests(reading, found, gates)
    _length(clean, messy, gap, gates, own=own)
    album, extras = _extras(reading, messy, own=own)
    return Parts(found.title, artist, gap, gates, album, extras, own=own)


def _identical(one: Track, other: Track) -> bool:
    if one.service is other.service and one.external_id == other.external_id and one.external_id:
        return True
    return bool(one.isrc and other.isrc) and fold(one.isrc or "") == fold(other.isrc or "")


def _artist(reading: Reading, messy: Track, found: Sighting, gates: list[str]) -> tuple[float, bool]:
    """How sure it is that the same people perform, and whether the upload is the artist's own."""
    artists = reading.track.artists
    credits = messy.artists
    if not artists:
        return _by_channel_alone(reading.track, messy, gates)
    if credits:
        for position, artist in enumerate(artists):
            if any(credited(artist, credit) for credit in credits):
                return (weights.NAMED if position == 0 else weights.LEADING), True
        if messy.kind is CandidateKind.SONG:
            return _other_credit(artists, credits, gates), False
    uploaders = [*credits, *([messy.channel] if messy.channel else [])]
    if any(owns(artist, uploader) for artist in artists for uploader in uploaders):
        if found.stranger and not found.named:
            gates.append("performer")
        return weights.NAMED, True
    return _by_title(messy, found, uploaders, gates), False


def _by_channel_alone(clean: Track, messy: Track, gates: list[str]) -> tuple[float, bool]:
    if clean.channel and messy.channel and owns(clean.channel, messy.channel):
        return weights.NAMED, True
    gates.append("performer")
    return weights.UNKNOWN, False


def _other_credit(artists: tuple[str, ...], credits: tuple[str, ...], gates: list[str]) -> float:
    """Nobody in common. Names in scripts that cannot be compared are an open question, all others a closed one."""
    if all(not fold(a).isascii() for a in artists) != all(not fold(c).isascii() for c in credits):
        gates.append("performer")
        return weights.UNKNOWN
    gates.append("artist")
    best = max(fuzz.ratio(fold(a), fold(c)) for a in artists for c in credits) / 100
    return min(weights.UNKNOWN, best)


def _by_title(messy: Track, found: Sighting, uploaders: list[str], gates: list[str]) -> float:
    """Somebody else uploaded it: the title must name the artist as the performer."""
    if not found.named:
        gates.append("artist" if uploaders or found.others else "performer")
        return 0.0 if uploaders else weights.UNKNOWN
    if messy.channel and is_topic(messy.channel):
        gates.append("artist")  # an audio release of somebody else
        return weights.UNKNOWN
    if found.stranger or not found.alone:
        gates.append("performer")
        return weights.GUEST
    if found.leads:
        return weights.LEADING
    if any(word in fold(uploader) for uploader in uploaders for word in found.others if len(word) > 2):
        return weights.BESIDE
    gates.append("performer")
    return weights.GUEST


def _versions(reading: Reading, messy: Track, found: Sighting, gates: list[str], *, own: bool) -> None:
    """The symmetric gate: what one side says about the recording and the other does not."""
    ours, theirs = dict(reading.tags), dict(found.tags)
    if not own:
        for source in (messy.channel, *messy.artists):
            if source:
                theirs.update({t: () for t in said(cut(source).words, aside=True).tags if t in _TELLING_CHANNELS})
    if len(reading.track.artists) > 1:
        theirs.pop("duet", None)
        ours.pop("duet", None)
    ours_album, theirs_album = reading.album_tags, album_tags(messy.album)
    for tag in sorted(ours.keys() ^ theirs.keys()):
        if tag not in ours and tag in ours_album:
            continue
        if tag not in theirs and tag in theirs_album:
            continue
        gates.append(f"version:{tag}")
    for tag in sorted(ours.keys() & theirs.keys() & QUALIFIED):
        whose, other = set(ours[tag]), set(theirs[tag])
        if whose and other and not _overlap(whose, other):
            gates.append(f"version:{tag}")
        elif bool(whose) != bool(other):
            gates.append("version-owner")
    for tag in sorted(theirs_album - ours_album):
        if tag not in ours and tag not in theirs:
            gates.append("album-live" if tag in ("live", "acoustic") else f"version:{tag}")
    if messy.album and "live" in ours_album - theirs_album and "live" not in theirs and "live" not in ours:
        gates.append("album-live")


_TELLING_CHANNELS = frozenset(
    {"karaoke", "cover", "tribute", "8-bit", "sped up", "slowed", "nightcore", "kids", "type beat"}
)


def _overlap(one: set[str], other: set[str]) -> bool:
    return bool(one & other) or "".join(sorted(one)) == "".join(sorted(other))


def _guests(reading: Reading, found: Sighting, gates: list[str]) -> None:
    """A song "feat. A" is not the song "feat. B"; guests that only one side names are common on both services."""
    known = {word for name in reading.names for word in name} | set(reading.guests)
    if reading.guests and found.guests and not (known & set(found.guests)):
        gates.append("guest")


def _length(clean: Track, messy: Track, gap: float | None, gates: list[str], *, own: bool) -> None:
    if gap is None or clean.duration is None:
        return
    sure = max(weights.SURE_GAP, clean.duration * weights.SURE_SHARE)
    song = messy.kind is CandidateKind.SONG
    if abs(gap) <= sure:
        return
    if not song and own and weights.VIDEO_GAP_SHORT <= gap <= weights.VIDEO_GAP_LONG:
        return
    if not song and abs(gap) <= weights.UPLOAD_GAP:
        return
    reach = max(weights.OPEN_GAP, clean.duration * weights.OPEN_SHARE)
    if abs(gap) <= reach or (not song and own and 0 < gap <= weights.OPEN_VIDEO_GAP):
        gates.append("length-near")
    else:
        gates.append("length")


def _extras(reading: Reading, messy: Track, *, own: bool) -> tuple[float | None, float]:
    """Album likeness, and the tie-break: audio releases, the artist's own channel, the same album, explicit as sought."""
    clean = reading.track
    album = None
    points = 0.3 + (0.3 if messy.kind is CandidateKind.SONG or clean.kind is not CandidateKind.SONG else 0.0)
    if clean.album and messy.album:
        album = 1.0 if clean.album == messy.album else fuzz.ratio(fold(clean.album), fold(messy.album)) / 100
        points += 0.15 * album
    if clean.explicit is not None and messy.explicit is not None:
        points += 0.1 if clean.explicit == messy.explicit else -0.2
    if messy.from_isrc or clean.from_isrc:
        points += 0.1
    if own:
        points += 0.1
    return album, min(1.0, max(0.0, points))


def judge(parts: Parts, policy: MatchPolicy, *, gap: float | None, available: bool = True) -> Score:
    """Turn what was measured into a verdict under a policy, with its sentence. ``gap``: candidate minus track."""
    gates = tuple(parts.gates) if available else (*parts.gates, "unavailable")
    if gap is None:
        length = weights.LENGTH_UNKNOWN
    else:
        length = max(0.0, 1.0 - max(0.0, abs(gap) - 1.0) / weights.LENGTH_ZERO)
    total = (
        weights.TITLE * parts.title + weights.ARTIST * parts.artist
        + weights.LENGTH * length + weights.EXTRAS * parts.extras
    )  # fmt: skip
    if parts.certain:
        total = 1.0
    verdict = _verdict(total, gates, gap, policy, certain=parts.certain)
    return Score(
        total=total,
        title=parts.title,
        artist=parts.artist,
        album=parts.album,
        length_gap=gap,
        gates=gates,
        verdict=verdict,
        reason=_sentence(parts, gates, gap, verdict),
    )


def _verdict(total: float, gates: tuple[str, ...], gap: float | None, policy: MatchPolicy, *, certain: bool) -> Verdict:
    for gate in gates:
        if gate in weights.CLOSING or gate.startswith("version:"):
            return Verdict.REJECT
    if not gates and total >= weights.ACCEPT_TOTAL[policy]:
        if policy is not MatchPolicy.EXACT or certain or gap is not None:
            return Verdict.ACCEPT
    if (
        gates
        and policy is MatchPolicy.BEST_EFFORT
        and total >= weights.ACCEPT_TOTAL[policy]
        and weights.LIKELY.issuperset(gates)
    ):
        return Verdict.ACCEPT
    return Verdict.REVIEW if total >= weights.REVIEW_TOTAL else Verdict.REJECT


_WORDS = {
    "title": "another title",
    "spelling": "title spelled otherwise",
    "subtitle": "another subtitle",
    "part": "another part",
    "artist": "another artist",
    "performer": "artist unclear",
    "guest": "another guest",
    "version-owner": "unclear whose version",
    "album-live": "from a live or acoustic album on one side",
    "length": "another length",
    "length-near": "length differs",
    "unavailable": "not available",
}
_ENDS = {Verdict.ACCEPT: "accepted", Verdict.REVIEW: "to be reviewed", Verdict.REJECT: "rejected"}


def _sentence(parts: Parts, gates: tuple[str, ...], gap: float | None, verdict: Verdict) -> str:
    """``title 0.98, artist 1.00, +2 s, live version: rejected``."""
    said_ = [f"title {parts.title:.2f}"]
    if "title" not in gates:
        said_.append(f"artist {parts.artist:.2f}")
    said_.append(f"{gap:+.0f} s" if gap is not None else "length unknown")
    for gate in gates:
        said_.append(f"{gate[8:]} version" if gate.startswith("version:") else _WORDS[gate])
    if parts.certain:
        said_.append("the same recording by its id")
    return f"{', '.join(said_)}: {_ENDS[verdict]}"
