"""One candidate held against one track: the parts of its score, the gates that it fails, and the sentence why."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from bot.engine.matching import weights
from bot.engine.matching.names import channel_key, credited, is_topic, owns, resembles
from bot.engine.matching.reading import Reading, album_tags
from bot.engine.matching.sighting import Sighting, sight, unlike
from bot.engine.matching.text import cut, fold, squeeze
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
    plain: bool = True  # the title names no master or cut


def measure(reading: Reading, messy: Track, *, held: bool = False) -> Parts:
    """Compare a track read by its service's title with one whose title may be anything (a video's, say).

    The length gap is ``messy`` minus the track of ``reading``, in seconds. ``held``: somebody has the messy one in a
    playlist, so that the question is which recording it holds, and no longer whether it is a good copy.
    """
    clean = reading.track
    gap = None if clean.duration is None or messy.duration is None else messy.duration - clean.duration
    if _identical(clean, messy):
        return Parts(1.0, 1.0, gap, [], certain=True, extras=1.0)
    found = _itself(reading) if clean.title == messy.title and clean.artists == messy.artists else None
    if found is None:
        alike = unlike(reading, messy.title)
        if alike is not None:
            return Parts(alike, 0.0, gap, ["title"])
        found = sight(reading, messy.title, messy.channel or "")
    gates = list(dict.fromkeys(found.gates))
    if "title" in gates:
        return Parts(found.title, 0.0, gap, gates)
    artist, own = _artist(reading, messy, found, gates)
    _versions(reading, messy, found, gates, own=own)
    guest = _guests(reading, messy, found, gates, own=own)
    _length(clean, messy, found, gap, gates, own=own, dressed=held and found.upload)
    album, extras = _extras(reading, messy, found, own=own)
    if reading.guests:
        extras += weights.GUEST_NAMED if guest else -weights.GUEST_NAMED
    return Parts(found.title, artist, gap, gates, album, extras, plain=not found.same)


def _itself(reading: Reading) -> Sighting:
    """What the same title by the same artists says: all that the track's own says, whatever its words are."""
    return Sighting(title=weights.EXACT, tags=dict(reading.tags), same=reading.same, guest_in_title=True)


def _identical(one: Track, other: Track) -> bool:
    if one.service is other.service and one.external_id == other.external_id and one.external_id:
        return True
    return bool(one.isrc and other.isrc) and fold(one.isrc or "") == fold(other.isrc or "")


def _artist(reading: Reading, messy: Track, found: Sighting, gates: list[str]) -> tuple[float, bool]:
    """How sure it is that the same people perform, and whether the upload is the artist's own."""
    artists = reading.track.artists
    offered = messy.artists
    if not artists:
        return _by_channel_alone(reading.track, messy, gates)
    if offered:
        for position, name in enumerate(reading.names):
            if credited("".join(name), offered):
                return (weights.NAMED if position == 0 else weights.LEADING), True
        if messy.kind is CandidateKind.SONG:
            return _other_credit(artists, offered, gates), False
    uploaders = [*offered, *([messy.channel] if messy.channel else [])]
    if any(_is_own(artist, uploader, found) for artist in artists for uploader in uploaders):
        if found.stranger and not found.named:
            gates.append("performer")
        return weights.NAMED, True
    return _by_title(reading, messy, found, uploaders, gates), False


def _is_own(artist: str, channel: str, found: Sighting) -> bool:
    """Whether a channel belongs to the artist: by its name, as a "– Topic" of several artists, or by name and title."""
    if owns(artist, channel):
        return True
    if is_topic(channel):
        return credited(squeeze(artist), (channel.removesuffix("- Topic").rstrip(),))
    return found.named and found.whole and found.leads and resembles(artist, channel)


def _by_channel_alone(clean: Track, messy: Track, gates: list[str]) -> tuple[float, bool]:
    if clean.channel and messy.channel and owns(clean.channel, messy.channel):
        return weights.NAMED, True
    gates.append("performer")
    return weights.UNKNOWN, False


def _other_credit(artists: tuple[str, ...], offered: tuple[str, ...], gates: list[str]) -> float:
    """Nobody in common. Names in scripts that cannot be compared are an open question, all others a closed one."""
    if all(not fold(a).isascii() for a in artists) != all(not fold(c).isascii() for c in offered):
        gates.append("performer")
        return weights.UNKNOWN
    gates.append("artist")
    best = max(fuzz.ratio(fold(a), fold(c)) for a in artists for c in offered) / 100
    return min(weights.UNKNOWN, best)


def _by_title(reading: Reading, messy: Track, found: Sighting, uploaders: list[str], gates: list[str]) -> float:
    """Somebody else uploaded it: the title must name the artist as one of its performers."""
    if not found.named:
        gates.append("artist" if uploaders else "performer")
        return 0.0 if uploaders else weights.UNKNOWN
    if reading.lent:
        return weights.BESIDE  # the title itself says that somebody else leads
    if messy.channel and is_topic(messy.channel):
        gates.append("artist")  # an audio release of somebody else
        return weights.GUEST
    if found.bracketed or not found.whole or _uploader_performs(found, uploaders):
        gates.append("performer")
        return weights.GUEST
    if found.leads and not found.stranger:
        return weights.LEADING
    if (found.stranger or found.guests_only) and not _among(found.others, uploaders):
        gates.append("performer")
        return weights.GUEST
    return weights.BESIDE


def _among(names: list[str], uploaders: list[str]) -> bool:
    """Whether one of the performers named is the uploader."""
    return any(word in squeeze(uploader) for uploader in uploaders for word in names if len(word) > 2)


def _uploader_performs(found: Sighting, uploaders: list[str]) -> bool:
    """Whether the uploader names himself in brackets behind the artist: "Song - Artist (Uploader feat. Friend)"."""
    aside = "".join(found.asides)
    return any(len(key) > 3 and key in aside for key in map(channel_key, uploaders))


def _versions(reading: Reading, messy: Track, found: Sighting, gates: list[str], *, own: bool) -> None:
    """The symmetric gate: what one side says about the recording and the other does not."""
    ours, theirs = dict(reading.tags), dict(found.tags)
    if not own:
        for name in (*messy.artists, messy.channel or ""):
            theirs.update(dict.fromkeys(_uploader_tags(name), ()))
    if len(reading.track.artists) > 1:
        theirs.pop("duet", None)
        ours.pop("duet", None)
    ours_album, theirs_album = album_tags(reading.track.album), album_tags(messy.album)
    for tag in sorted(ours.keys() ^ theirs.keys()):
        if tag == "unnamed":
            if not (own and found.upload and tag in theirs):  # "(Orange Version) (Official Video)": of the pictures
                gates.append("version-unclear")
        elif tag not in (theirs_album if tag in ours else ours_album):
            gates.append(f"version:{tag}")
    for tag in sorted(ours.keys() & theirs.keys() & QUALIFIED):
        alike = _same_owner(ours[tag], theirs[tag])
        if alike < weights.OWNER_SAME:
            gates.append(f"version:{tag}" if alike == 0 else "version-unclear")
    _album_versions(ours, theirs, ours_album, theirs_album, gates, known=bool(reading.track.album and messy.album))


def _same_owner(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How alike two names of remixers are, by shared words; half when one side names nobody."""
    if "".join(one) == "".join(other):
        return 1.0
    if not one or not other:
        return weights.OWNER_SAME / 2
    return len(set(one) & set(other)) / len(set(one) | set(other))


_TELLING_NAMES = frozenset(
    {"karaoke", "cover", "tribute", "8-bit", "sped up", "slowed", "nightcore", "kids", "type beat"}
)


@lru_cache(maxsize=32768)
def _uploader_tags(name: str) -> frozenset[str]:
    """What a channel's or an artist's name says of all it uploads: "8-Bit Universe", "Sped Up Nightcore"."""
    return _TELLING_NAMES.intersection(said(cut(name).words, apart=True).tags)


def _album_versions(
    ours: dict[str, tuple[str, ...]], theirs: dict[str, tuple[str, ...]],
    ours_album: frozenset[str], theirs_album: frozenset[str], gates: list[str], *, known: bool,
) -> None:  # fmt: skip
    """A track of a karaoke album is karaoke though its title does not say so; of a live album, it may be live."""
    for tag in sorted(theirs_album - ours_album - ours.keys() - theirs.keys()):
        gates.append("album" if tag in _ALBUM_MAY else f"version:{tag}")
    if known and not gates:
        gates.extend(
            "album" for tag in sorted(ours_album - theirs_album - ours.keys() - theirs.keys()) if tag == "live"
        )


_ALBUM_MAY = frozenset({"live", "acoustic"})


def _guests(reading: Reading, messy: Track, found: Sighting, gates: list[str], *, own: bool) -> bool:
    """A song "feat. A" is not the song "feat. B". Returns whether both sides name a guest of the track's title.

    A guest that only one side names is common on both services. Three times it is an open question: a release titled
    "(feat. C)" on a label's channel, or "- with C" anywhere, may be a second release with that guest; and a bare upload
    that leaves out the guest of the track's title may be the release without.
    """
    expected = reading.guests
    named = [*found.guests, "".join(found.guests)] if found.guests else []
    if not expected and not named:
        return False
    credited_words = {word for credit in messy.artists for word in cut(credit).words}
    if not expected.isdisjoint(named) or not expected.isdisjoint(credited_words) or found.guest_in_title:
        return True
    known = reading.artist_words.intersection(named)
    comparable = "".join(found.guests).isascii() == "".join(expected).isascii()
    second = bool(expected) or (found.releases_guest and not own) or found.dashed_guest
    another = bool(named) and comparable and not known and second
    without = bool(expected) and not named and messy.kind is CandidateKind.VIDEO and not found.upload
    if another or without:
        gates.append("guest")
    return False


def _length(
    clean: Track, messy: Track, found: Sighting, gap: float | None, gates: list[str], *, own: bool, dressed: bool
) -> None:
    if gap is None or clean.duration is None:
        return
    song = messy.kind is CandidateKind.SONG
    upload = weights.DRESSED_GAP if dressed else weights.UPLOAD_GAP
    sure = max(weights.SURE_GAP, clean.duration * weights.SURE_SHARE) if song or own else upload
    if abs(gap) <= sure:
        return
    scenes = weights.DRESSED_GAP_LONG if dressed else weights.VIDEO_GAP_LONG
    if not song and own and weights.VIDEO_GAP_SHORT <= gap <= scenes:
        return
    reach = max(weights.OPEN_GAP, clean.duration * weights.OPEN_SHARE)
    if abs(gap) <= reach or (not song and own and 0 < gap <= weights.OPEN_VIDEO_GAP):
        gates.append("length-near")
    else:
        gates.append("cut" if found.same else "length")


def _extras(reading: Reading, messy: Track, found: Sighting, *, own: bool) -> tuple[float | None, float]:
    """Album likeness, and the tie-break: audio releases, the artist's own channel, the album, explicit as sought."""
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
    if found.same != reading.same:
        points -= 0.2  # another master or cut than the one named
    return album, points


def judge(parts: Parts, policy: MatchPolicy, *, gap: float | None, available: bool = True) -> Score:
    """Turn what was measured into a verdict under a policy, with its sentence. ``gap``: candidate minus track."""
    if parts.gates == ["title"]:
        return _other_title(parts, gap)
    gates = tuple(parts.gates) if available else (*parts.gates, "unavailable")
    extras = min(1.0, max(0.0, parts.extras / weights.EXTRAS_MOST))
    total = weights.CERTAIN if parts.certain else (
        weights.TITLE * parts.title + weights.ARTIST * parts.artist
        + weights.LENGTH * _closeness(gap, gates) + weights.EXTRAS * extras
    )  # fmt: skip
    verdict = verdict_of(total, gates, gap, policy)
    return Score(
        total=round(total, 4),  # so that equal scores are equal, and the tie-breaks decide
        title=parts.title,
        artist=parts.artist,
        album=parts.album,
        length_gap=gap,
        gates=gates,
        verdict=verdict,
        reason=_sentence(parts, gates, gap, verdict, total),
    )


def _other_title(parts: Parts, gap: float | None) -> Score:
    return Score(
        total=weights.TITLE * parts.title,
        title=parts.title,
        artist=0.0,
        length_gap=gap,
        gates=("title",),
        verdict=Verdict.REJECT,
        reason=f"title {parts.title:.2f}, another title: rejected",
    )


_LENGTH_GATES = frozenset({"length", "length-near", "cut"})


def _closeness(gap: float | None, gates: Sequence[str]) -> float:
    """The length's part of the score: full up to a second, which is only rounding.

    A length that passed its gate (a video with scenes around the song) says no less than one that is not known.
    """
    if gap is None:
        return weights.LENGTH_UNKNOWN
    least = weights.LENGTH_UNKNOWN if _LENGTH_GATES.isdisjoint(gates) else 0.0
    return max(least, 1.0 - max(0.0, abs(gap) - 1.0) / weights.LENGTH_ZERO)


def verdict_of(total: float, gates: Sequence[str], gap: float | None, policy: MatchPolicy) -> Verdict:
    """What a policy makes of a score's parts. A total of 1.0 is certain: only the same id or ISRC gives it."""
    for gate in gates:
        if gate in weights.CLOSING or gate.startswith("version:"):
            return Verdict.REJECT
    compared = gap is not None or total == weights.CERTAIN
    enough = total >= weights.ACCEPT_TOTAL[policy] and (compared or policy is not MatchPolicy.EXACT)
    answered = weights.LIKELY if policy is MatchPolicy.BEST_EFFORT else frozenset[str]()
    if enough and answered.issuperset(gates):
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
    "version-unclear": "unclear which version",
    "album": "from a live or acoustic album on one side",
    "length": "another length",
    "cut": "another cut",
    "recordings": "recorded more than once",
    "length-near": "length differs",
    "unavailable": "not available",
}
_ENDS = {Verdict.ACCEPT: "accepted", Verdict.REVIEW: "to be reviewed", Verdict.REJECT: "rejected"}


def _sentence(parts: Parts, gates: tuple[str, ...], gap: float | None, verdict: Verdict, total: float) -> str:
    """``title 0.98, artist 1.00, +2 s, live version: rejected``."""
    words = [f"title {parts.title:.2f}"]
    if "title" not in gates:
        words.append(f"artist {parts.artist:.2f}")
    words.append(f"{gap:+.0f} s" if gap is not None else "length unknown")
    for gate in gates:
        words.append(f"{gate[8:]} version" if gate.startswith("version:") else _WORDS[gate])
    if parts.certain:
        words.append("the same recording by its id")
    elif not gates and verdict is not Verdict.ACCEPT:
        words.append(f"{total:.2f} in all is not enough")
    return f"{', '.join(words)}: {_ENDS[verdict]}"
