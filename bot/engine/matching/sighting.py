"""A known title looked for inside any other title, and what the words around it mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from bot.engine.matching import weights
from bot.engine.matching.reading import Reading
from bot.engine.matching.text import PART_WORDS, Group, Text, cut, latin, reads_as
from bot.engine.matching.versions import Said, said

_FREE, _TITLE, _ARTIST = 0, 1, 2
_GUEST_WORDS = frozenset({"feat", "ft", "featuring", "with", "mit", "con"})
_BETWEEN_NAMES = frozenset("x y e et und con com with vs presents pres by de of performs".split())


@dataclass(slots=True)
class Sighting:
    """What a title was found to say about a track."""

    title: float = 0.0
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gates: list[str] = field(default_factory=list)
    leads: bool = False  # the track's artist is the first performer named
    named: bool = False  # the track's artist is named at all
    alone: bool = True  # no other words stand in the artist's name: "Queen", not "Queen Latifah"
    guests: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # performers named beside the artist
    stranger: bool = False  # somebody else stands where the performer's name belongs
    official: bool = False


def sight(reading: Reading, title: str) -> Sighting:
    """Find the track in a title: the best place where its words stand as a name of their own.

    The words around that place are explained one group after the other: performers, versions, words of the upload. What
    stays unexplained beside the title makes it another title.
    """
    text = cut(title)
    flat = "".join(text.words)
    best: Sighting | None = None
    for value, start, end in _places(reading, text, flat):
        found = _explain(reading, text, flat, start, end, value)
        if best is None or (len(found.gates), -found.title) < (len(best.gates), -best.title):
            best = found
        if not best.gates:
            break
    return best or _similar(reading, text, flat)


def _places(reading: Reading, text: Text, flat: str) -> list[tuple[float, int, int]]:
    """Where the title's words stand as whole words: (value, first word, word after the last), fullest variant first."""
    starts: dict[int, int] = {}
    position = 0
    places: list[tuple[float, int, int]] = []
    for number, joined in enumerate(reading.joined):
        at = flat.find(joined)
        while at >= 0:
            if not starts:
                for index, word in enumerate(text.words):
                    starts[position] = index
                    position += len(word)
                starts[position] = len(text.words)
            begin, end = starts.get(at), starts.get(at + len(joined))
            if begin is not None and end is not None:
                value = weights.EXACT if end - begin == len(reading.variants[number]) else weights.JOINED
                places.append((value if number == 0 else value * weights.BRACKET_APART, begin, end))
            at = flat.find(joined, at + 1)
    return places


def _names(reading: Reading, text: Text, labels: bytearray) -> None:
    """Mark the words that are the artists' names, as a whole, wherever they stand outside the title."""
    words = text.words
    for name in reading.names:
        size = len(name)
        if not size:
            continue
        for at in range(len(words) - size + 1):
            if words[at] == name[0] and words[at : at + size] == name and not any(labels[at : at + size]):
                labels[at : at + size] = bytes([_ARTIST]) * size
    if _ARTIST not in labels:
        _joined_names(reading, text, labels)


def _joined_names(reading: Reading, text: Text, labels: bytearray) -> None:
    """The same for names that are spelled with other gaps: "LaToya", "La Toya"."""
    words = text.words
    for key in reading.keys:
        for at, word in enumerate(words):
            if labels[at] or not key.startswith(word):
                continue
            end, built = at + 1, word
            while len(built) < len(key) and end < len(words) and not labels[end]:
                built += words[end]
                end += 1
            if built == key:
                labels[at:end] = bytes([_ARTIST]) * (end - at)


def _explain(reading: Reading, text: Text, flat: str, start: int, end: int, value: float) -> Sighting:
    words, where, groups = text.words, text.where, text.groups
    found = Sighting(title=value)
    labels = bytearray(len(words))
    labels[start:end] = bytes([_TITLE]) * (end - start)
    if len(words) > end - start:
        _names(reading, text, labels)
    _performers(found, text, labels, start)
    at = 0
    total = len(words)
    while at < total:
        if labels[at]:
            at += 1
            continue
        stop = at + 1
        while stop < total and not labels[stop] and where[stop] == where[at]:
            stop += 1
        beside_title = (at > 0 and labels[at - 1] == _TITLE and where[at - 1] == where[at]) or (
            stop < total and labels[stop] == _TITLE and where[stop] == where[at]
        )
        group = groups[where[at]]
        meant = said(words[at:stop], aside=group.aside or not beside_title)
        for tag, whose in meant.tags.items():
            found.tags[tag] = whose or found.tags.get(tag, ())
        found.guests += meant.guests
        if meant.rest:
            _unexplained(
                reading, text, labels, found, meant, (at, stop), (start, end), group, beside_title=beside_title
            )
        at = stop
    return found


def _performers(found: Sighting, text: Text, labels: bytearray, start: int) -> None:
    """Note whether the artist is named, and whether first."""
    at = labels.find(_ARTIST)
    if at < 0:
        return
    found.named = True
    where = text.where
    before = [text.words[i] for i in range(at) if where[i] == where[at] and not labels[i]]
    found.leads = not before or not (set(before) - _BETWEEN_NAMES)
    if before and (set(before) & _GUEST_WORDS):
        found.leads = False


def _unexplained(
    reading: Reading, text: Text, labels: bytearray, found: Sighting, meant: Said,
    span: tuple[int, int], title: tuple[int, int], group: Group, *, beside_title: bool,
) -> None:  # fmt: skip
    """Judge words that are neither title, artist, version nor upload talk, by where they stand."""
    rest = meant.rest
    artist_words = {word for name in reading.names for word in name}
    if all(word in artist_words for word in rest):
        return
    known = rest in reading.asides or all(word in reading.guests for word in rest)
    if beside_title:
        _extension(reading, found, rest, known=known)
    elif group.aside:
        _aside(reading, found, meant, known=known)
    elif any(labels[i] == _ARTIST and text.where[i] == text.where[span[0]] for i in range(len(labels))):
        _beside_artist(text, found, rest, span)
    elif span[1] <= title[0]:
        _before_title(reading, labels, found, rest, span[0])
    elif group.lead in "/\\" and not known:
        found.tags["medley"] = ()
    elif not known and not meant.context:
        found.title *= 0.99
        if not found.named:
            found.others += rest


def _extension(reading: Reading, found: Sighting, rest: list[str], *, known: bool) -> None:
    """Words that go on where the title ends: then it is a longer title, unless they repeat it in another script."""
    if known:
        return
    title = reading.joined[-1]
    glued = "".join(rest)
    if title.isascii() != glued.isascii() and not any(word.isdigit() for word in rest):
        found.title *= weights.BRACKET_APART
        if (
            not title.isascii()
            and len(glued) >= 4
            and fuzz.ratio(latin(title), glued) < 40
            and not reads_as(title, glued)
        ):
            found.gates.append("subtitle")
        return
    if any(word.isdigit() for word in rest) and all(word.isdigit() or word in PART_WORDS for word in rest):
        found.gates.append("part")
        return
    found.title *= 0.8
    found.gates.append("title")


def _aside(reading: Reading, found: Sighting, meant: Said, *, known: bool) -> None:
    rest = meant.rest
    if known or meant.context or meant.same:
        return
    if all(word.isdigit() or word in PART_WORDS for word in rest) and any(len(w) < 4 for w in rest if w.isdigit()):
        found.gates.append("part")
        return
    title_words = set(reading.variants[0])
    if all(word in title_words or word in reading.album for word in rest):
        return
    found.title *= weights.BRACKET_APART
    if reading.asides:
        found.gates.append("subtitle")


def _beside_artist(text: Text, found: Sighting, rest: list[str], span: tuple[int, int]) -> None:
    """Words in the artist's group: other performers when something parts them, else perhaps another name."""
    names = [word for word in rest if word not in _BETWEEN_NAMES]
    parted = len(names) < len(rest) or any(span[0] <= at <= span[1] for at in text.joins)
    found.others += names
    if not parted and all(word.isascii() for word in names) and names:
        found.alone = False


def _before_title(reading: Reading, labels: bytearray, found: Sighting, rest: list[str], at: int) -> None:
    if rest == reading.album:
        return
    if _ARTIST in labels[:at]:
        found.gates.append("title")  # "Artist - Other Song | This Title": the song named first is the song
        found.title *= 0.8
    else:
        found.stranger = True
        found.others += rest


def _similar(reading: Reading, text: Text, flat: str) -> Sighting:
    """No place found: other scripts, then likeness. Gates are left to the caller's threshold on the title's value."""
    stretches = _stretches(reading, text)
    best = 0.0
    chosen: Sequence[str] = ()
    for joined in reading.joined:
        for words in stretches:
            other = "".join(words)
            value = _alike(joined, other)
            if value > best:
                best, chosen = value, words
    found = Sighting(title=best)
    if best > 0:
        labels = bytearray(len(text.words))
        _names(reading, text, labels)
        _performers(found, text, labels, len(text.words))
        for words in stretches:
            if words is not chosen:
                meant = said(words, aside=True)
                found.tags.update(meant.tags)
                found.guests += meant.guests
    if best < weights.READING:
        found.gates.append("title" if best * 100 < weights.NEAR_RATIO else "spelling")
    return found


def _stretches(reading: Reading, text: Text) -> list[list[str]]:
    """The title's groups without the artists' names and the words of the upload, as possible titles."""
    labels = bytearray(len(text.words))
    _names(reading, text, labels)
    result: list[list[str]] = []
    for number in range(len(text.groups)):
        words = [
            word for word, label, g in zip(text.words, labels, text.where, strict=True) if g == number and not label
        ]
        if words:
            result.append(words)
    return result


def _alike(wanted: str, offered: str) -> float:
    if wanted.isascii() and offered.isascii():
        return min(weights.NEAR, fuzz.ratio(wanted, offered) / 100)
    a, b = latin(wanted), latin(offered)
    if a and a == b:
        return weights.LATIN
    if reads_as(wanted, offered) or reads_as(offered, wanted):
        return weights.READING
    if wanted.isascii() != offered.isascii() and len(a) >= 4 and fuzz.ratio(a, b) >= 88:
        return weights.READING
    return min(weights.NEAR, max(fuzz.ratio(wanted, offered), fuzz.ratio(a, b) * 0.9) / 100)
