"""A track's title and people, read once and compared with many candidates."""

from dataclasses import dataclass
from functools import lru_cache

from bot.engine.matching.text import ARTICLES, Text, cut
from bot.engine.matching.versions import Said, said
from bot.model.music import Track


@dataclass(slots=True)
class Reading:
    """What a well-kept title (Spotify's, YouTube Music's) means."""

    track: Track
    variants: list[list[str]]  # the title's words, fullest first: with its subtitles, without, only the first part
    joined: list[str]
    plain: str  # the shortest variant, with gaps
    tags: dict[str, tuple[str, ...]]
    same: bool  # the title names a master or a cut: "2011 Remaster", "Radio Edit"
    asides: list[list[str]]  # subtitles in brackets
    guests: frozenset[str]  # words of the names after "feat.", and each guest list in one
    names: list[list[str]]  # the words of each artist's name
    artist_words: frozenset[str]
    keys: frozenset[str]  # the same without gaps
    lent: bool  # the title names the artists as guests or remixers: somebody else, not listed, leads


def read(track: Track) -> Reading:
    """Read a track whose title is kept by its service: the song's name first, versions in brackets or after a dash."""
    text = cut(track.title)
    parts = _Parts()
    for number, group in enumerate(text.groups):
        words = [word for word, at in zip(text.words, text.where, strict=True) if at == number]
        if not words:
            continue
        if group.aside:
            parts.bracket(words)
        elif group.lead in "-|" and parts.main:
            parts.suffix(words)
        elif parts.in_suffix:
            parts.suffix_words = parts.suffix_words + words
        else:
            parts.name(words)
    parts.close()
    if not parts.main:  # a title that is all bracket or all version words: then they are its name
        parts.main = parts.full = parts.first = text.words
        parts.tags = {}
    names = [cut(name).words for name in track.artists]
    keys = frozenset("".join(name) for name in names)
    variants: list[list[str]] = []
    work = _without_composer(text, parts.main)
    for words in (parts.full, parts.main, parts.first, _without_article(parts.main), work):
        if words and words not in variants and not (variants and "".join(words) in keys):
            variants.append(words)  # "Artist | Mission 10" must not be found by the artist's name alone
    lent = _lent(names, frozenset(parts.guests), parts.tags)
    artist_words = frozenset(word for name in names for word in name)
    return Reading(
        track=track,
        variants=variants,
        joined=["".join(words) for words in variants],
        plain=min((" ".join(words) for words in variants), key=len, default=""),
        tags=parts.tags,
        same=parts.same,
        asides=parts.asides,
        guests=_guest_keys([word for word in parts.guests if not (lent and word in artist_words)]),
        names=names,
        artist_words=artist_words,
        keys=keys,
        lent=lent,
    )


def _without_article(words: list[str]) -> list[str]:
    """The title without its leading article, when enough is left to know it by."""
    return words[1:] if len(words) > 2 and words[0] in ARTICLES else []


# A number in a catalogue names one work beyond doubt, which "Piano Concerto No. 1" does not.
_CATALOGUES = frozenset("op bwv hwv rv kv k hob woo twv".split())


def _without_composer(text: Text, words: list[str]) -> list[str]:
    """The title of a classical work without its composer, whom other releases leave out: "Brahms: Trio, Op. 8"."""
    before = text.where.count(0)
    if len(text.groups) < 2 or text.groups[1].lead != ":" or not 0 < before <= 2:
        return []
    work = words[before:]
    return [] if _CATALOGUES.isdisjoint(work) else work


def _guest_keys(words: list[str]) -> frozenset[str]:
    """The guests' words, and all of them in one, for names that are spelled with other gaps."""
    return frozenset([*words, "".join(words)] if words else [])


def _lent(names: list[list[str]], guests: frozenset[str], tags: dict[str, tuple[str, ...]]) -> bool:
    remixers = set(tags.get("remix", ()))
    return bool(names) and all(guests.issuperset(name) or remixers.issuperset(name) for name in names)


class _Parts:
    """A title while it is taken apart, group by group."""

    def __init__(self) -> None:
        self.main: list[str] = []
        self.first: list[str] = []
        self.full: list[str] = []
        self.asides: list[list[str]] = []
        self.tags: dict[str, tuple[str, ...]] = {}
        self.guests: list[str] = []
        self.same = False
        self.suffix_words: list[str] = []
        self.in_suffix = False

    def name(self, words: list[str]) -> None:
        """Words of the song's own name, up to a "feat." without brackets."""
        self.close()
        end = next((at for at, word in enumerate(words) if at and word in ("feat", "ft", "featuring")), len(words))
        self._take(said(words[end:], apart=True))
        self.main += words[:end]
        self.full += words[:end]
        if len(self.first) + end == len(self.main):
            self.first = list(self.main)

    def bracket(self, words: list[str]) -> None:
        self.close()
        meant = said(words, apart=True)
        self._take(meant)
        if meant.rest and not meant.context:
            self.asides.append(meant.rest)
            self.full += meant.rest

    def suffix(self, words: list[str]) -> None:
        self.close()
        self.suffix_words = words
        self.in_suffix = True

    def close(self) -> None:
        """Read the words after a dash, now that they are complete: a version, or a part of the name."""
        if self.in_suffix:
            meant = said(self.suffix_words, apart=True)
            self._take(meant)
            if not meant.context:
                self.main = self.main + meant.rest
                self.full = self.full + meant.rest
            self.in_suffix = False

    def _take(self, meant: Said) -> None:
        self.tags.update(meant.tags)
        self.same = self.same or meant.same
        self.guests += meant.guests


@lru_cache(maxsize=16384)
def album_words(album: str | None) -> tuple[str, ...]:
    """The words of an album's own name, without what stands in brackets or after a dash."""
    if not album:
        return ()
    text = cut(album)
    return tuple(word for word, at in zip(text.words, text.where, strict=True) if at == 0)


_ALBUM_TAGS = frozenset({"live", "karaoke", "tribute", "instrumental", "8-bit", "cover", "acoustic", "nightcore"})
_LIVE_BEFORE = frozenset("at in from on version sessions session".split())  # "Live Your Life" is a name


@lru_cache(maxsize=16384)
def album_tags(album: str | None) -> frozenset[str]:
    """What an album's name says of all its tracks: "Live at Wembley", "Pop Karaoke"."""
    if not album:
        return frozenset()
    words = cut(album).words
    tags = _ALBUM_TAGS.intersection(said(words, apart=True).tags)
    if "live" in words and words.index("live") + 1 < len(words):
        following = words[words.index("live") + 1]
        if following not in _LIVE_BEFORE and not following.isdigit():
            tags -= {"live"}
    return tags
