"""A track's title and people, read once and compared with many candidates."""

from dataclasses import dataclass, field
from functools import lru_cache

from bot.engine.matching.names import split
from bot.engine.matching.text import cut, latin
from bot.engine.matching.versions import Said, said
from bot.model.music import Track


@dataclass(slots=True)
class Reading:
    """What a well-kept title (Spotify's, YouTube Music's) means."""

    track: Track
    variants: list[list[str]]  # the title's words, fullest first: with its subtitles, without, only the first part
    joined: list[str]
    tags: dict[str, tuple[str, ...]]
    asides: list[list[str]]
    guests: list[str]  # words of the names after "feat."
    names: list[list[str]]  # the words of each artist's name
    keys: frozenset[str] = field(default_factory=frozenset)  # squeezed names of artists
    album: list[str] = field(default_factory=list)
    album_tags: frozenset[str] = frozenset()
    same: bool = False

    @property
    def latin(self) -> list[str]:
        return [latin(key) for key in self.joined]


def read(track: Track) -> Reading:
    """Read a track whose title is kept by its service: the song's name first, versions in brackets or after a dash."""
    text = cut(track.title)
    main: list[str] = []
    first: list[str] = []
    full: list[str] = []
    asides: list[list[str]] = []
    tags: dict[str, tuple[str, ...]] = {}
    guests: list[str] = []
    same = False
    for number, group in enumerate(text.groups):
        words = [w for w, g in zip(text.words, text.where, strict=True) if g == number]
        if not words:
            continue
        apart = group.aside or (group.lead in "-|" and bool(main))
        if not apart:
            own, found = _without_tail(words) if main or len(text.groups) >= 1 else (words, Said())
            main += own
            full += own
            first = first or own
        else:
            found = said(words, aside=True)
            if found.rest and not found.context:
                if group.aside:
                    asides.append(found.rest)
                else:
                    main += found.rest
                full += found.rest
        tags.update(found.tags)
        guests += found.guests
        same = same or found.same
    if not main:  # a title that is all bracket or all version words: then they are its name
        main, full, first, tags = text.words, text.words, text.words, {}
    variants: list[list[str]] = []
    for words in (full, main, first):
        if words and words not in variants:
            variants.append(words)
    album = cut(track.album) if track.album else None
    return Reading(
        track=track,
        variants=variants,
        joined=["".join(words) for words in variants],
        tags=tags,
        asides=asides,
        guests=guests,
        names=[cut(name).words for name in track.artists],
        keys=frozenset(key for name in track.artists for key in split(name)),
        album=[w for w, g in zip(album.words, album.where, strict=True) if g == 0] if album else [],
        album_tags=album_tags(track.album),
        same=same,
    )


def _without_tail(words: list[str]) -> tuple[list[str], Said]:
    """Cut guests off the main title: ``Plain Jane feat. Nicki Minaj``; all other words are the song's name."""
    for at, word in enumerate(words):
        if at and word in ("feat", "ft", "featuring"):
            return words[:at], said(words[at:], aside=True)
    return words, Said()


_ALBUM_TAGS = frozenset({"live", "karaoke", "tribute", "instrumental", "8-bit", "cover", "acoustic", "nightcore"})


@lru_cache(maxsize=16384)
def album_tags(album: str | None) -> frozenset[str]:
    """What an album's name says of all its tracks: "Live at Wembley", "Pop Karaoke"."""
    if not album:
        return frozenset()
    words = cut(album).words
    tags = set(said(words, aside=True).tags) & _ALBUM_TAGS
    if "live" in tags and words.count("live") and not _live_phrase(words):
        tags.discard("live")  # "Live Your Life" is a name
    return frozenset(tags)


def _live_phrase(words: list[str]) -> bool:
    at = words.index("live")
    return at == len(words) - 1 or words[at + 1] in ("at", "in", "from", "on", "version", "sessions") or at > 0
