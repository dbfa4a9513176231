"""A known title looked for inside any other title, and what the words around it mean."""

from dataclasses import dataclass, field

from rapidfuzz import fuzz

from bot.engine.matching import weights
from bot.engine.matching.reading import Reading, album_words
from bot.engine.matching.text import ARTICLES, PART_WORDS, Text, cut, fold, latin, reads_as
from bot.engine.matching.versions import QUALIFIED, Said, said

_TITLE, _ARTIST = 1, 2
_GUEST_WORDS = frozenset({"feat", "ft", "featuring", "mit"})
_BETWEEN_NAMES = frozenset("x y e et und con com with w vs presents pres by de of performs performing i".split())
_PARTING = _GUEST_WORDS | _BETWEEN_NAMES
_CREDITING = _PARTING | {"prod", "produced"}
_SLASHES = frozenset("/\\")


@dataclass(slots=True)
class Sighting:
    """What a title was found to say about a track."""

    title: float = 0.0
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gates: list[str] = field(default_factory=list)
    named: bool = False  # the track's artist is named
    leads: bool = False  # … as the first performer
    guests_only: bool = False  # … only after "feat."
    bracketed: bool = False  # … only in brackets, as covers name whose song it is: "Song (Artist)"
    whole: bool = True  # … with no other words in the name: "Queen", not "Queen Latifah"
    stranger: bool = False  # somebody else stands where the performer's name belongs
    same: bool = False  # a cut or a master is named: "Single Version"
    upload: bool = False  # words of an upload are there: "Official Video"
    guests: list[str] = field(default_factory=list)
    guest_in_title: bool = False  # … one whom the track's title names, as a performer
    releases_guest: bool = False  # … in brackets, as releases are titled
    dashed_guest: bool = False  # … as "- with Somebody": a second release of the song
    others: list[str] = field(default_factory=list)  # words of performers beside the artist
    asides: list[str] = field(default_factory=list)  # unexplained words in brackets


def sight(reading: Reading, title: str, uploader: str = "") -> Sighting:
    """Find the track in a title: the best place where its words stand as a name of their own.

    The words around that place are explained one group after the other: performers, versions, words of the upload. What
    stays unexplained beside the title makes it another title. ``uploader``: people add their channel's name to titles.
    """
    text = cut(title)
    flat = "".join(text.words)
    best: Sighting | None = None
    for number, start, end in _places(reading, text, flat):
        found = _Around(reading, text, number, start, end, uploader).explain()
        if best is None or (len(found.gates), -found.title) < (len(best.gates), -best.title):
            best = found
        if not best.gates:
            break
    return best or _similar(reading, text, flat)


def unlike(reading: Reading, title: str) -> float | None:
    """How alike a title is that cannot hold the track's, seen without reading it; None where it must be read.

    Most of a list of answers are other songs, and this is what makes a list quick.
    """
    wanted = reading.plain
    folded = fold(title)
    if not wanted.isascii() or not folded.isascii():
        return None
    if fuzz.partial_ratio(wanted, folded, score_cutoff=weights.HOPELESS_RATIO) > 0.0:
        return None
    return min(weights.NEAR, fuzz.ratio(wanted, folded) / 100)


def _places(reading: Reading, text: Text, flat: str) -> list[tuple[int, int, int]]:
    """Where the title's words stand, as whole words: (variant, first word, word after the last)."""
    starts: dict[int, int] = {}
    places: list[tuple[int, int, int]] = []
    for number, joined in enumerate(reading.joined):
        at = flat.find(joined)
        while at >= 0:
            if not starts:
                position = 0
                for index, word in enumerate(text.words):
                    starts[position] = index
                    position += len(word)
                starts[position] = len(text.words)
            begin, end = starts.get(at), starts.get(at + len(joined))
            if begin is not None and end is not None and not _inside_name(reading, text.words, begin, end):
                places.append((number, begin, end))
            at = flat.find(joined, at + 1)
    return places


def _inside_name(reading: Reading, words: list[str], start: int, end: int) -> bool:
    """Whether the words found are only a part of an artist's name: "Baby" in "Lil Baby"."""
    for name in reading.names:
        for begin in range(max(0, end - len(name)), start + 1):
            if end - start < len(name) and words[begin : begin + len(name)] == name:
                return True
    return False


def _label_artists(reading: Reading, text: Text, labels: bytearray) -> None:
    """Mark the words that are an artist's whole name, wherever they stand outside the title."""
    words = text.words
    for name in reading.names:
        size = len(name)
        if not size:
            continue
        first = name[0]
        for at in range(len(words) - size + 1):
            if words[at] == first and not any(labels[at : at + size]) and words[at : at + size] == name:
                labels[at : at + size] = bytes((_ARTIST,)) * size
    if _ARTIST not in labels:
        _label_joined(reading, text, labels)


def _label_joined(reading: Reading, text: Text, labels: bytearray) -> None:
    """The same for names spelled with other gaps: "LaToya" and "La Toya"."""
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
                labels[at:end] = bytes((_ARTIST,)) * (end - at)


class _Around:
    """One place of the title in the text, and the reading of everything around it."""

    def __init__(self, reading: Reading, text: Text, number: int, start: int, end: int, uploader: str) -> None:
        self.reading = reading
        self.text = text
        self.start, self.end = start, end
        self.full = number == 0
        self._uploader = uploader
        value = weights.EXACT if end - start == len(reading.variants[number]) else weights.JOINED
        self.found = Sighting(title=value if self.full else value * weights.BRACKET_APART)
        self.labels = bytearray(len(text.words))
        self.labels[start:end] = bytes((_TITLE,)) * (end - start)

    def explain(self) -> Sighting:
        labels, where = self.labels, self.text.where
        total = len(labels)
        if total == self.end - self.start:
            return self.found
        _label_artists(self.reading, self.text, labels)
        _note_performers(self.found, self.text, labels)
        guests = self.reading.guests
        self.found.guest_in_title = bool(guests) and not guests.isdisjoint(self._outside_title())
        at = 0
        while at < total:
            if labels[at]:
                at += 1
                continue
            stop = at + 1
            while stop < total and not labels[stop] and where[stop] == where[at]:
                stop += 1
            self._stretch(at, stop)
            at = stop
        return self.found

    def _stretch(self, at: int, stop: int) -> None:
        """Words of one group that are neither title nor artist: what they say, and what they leave unexplained."""
        labels, where = self.labels, self.text.where
        group = where[at]
        touches = (at > 0 and labels[at - 1] == _TITLE and where[at - 1] == group) or (
            stop < len(labels) and labels[stop] == _TITLE and where[stop] == group
        )
        words = self.text.words[at:stop]
        meant = said(words, apart=not touches)
        for tag, whose in meant.tags.items():
            if not whose and tag in QUALIFIED:
                whose = self._artists_in(group)
            if tag == "session" and not (self.text.groups[group].aside or self.text.groups[group].lead == "-"):
                continue  # "| 3:00 AM Sessions" is an album's or a series' name
            self.found.tags[tag] = whose or self.found.tags.get(tag, ())
        self.found.guests += meant.guests
        if meant.guests:
            aside = self.text.groups[group].aside
            self.found.releases_guest = self.found.releases_guest or (aside and not meant.upload)
            self.found.dashed_guest = self.found.dashed_guest or (words[0] == "with" and not aside)
        self.found.same = self.found.same or meant.same
        self.found.upload = self.found.upload or meant.upload
        rest = meant.rest
        if not rest or rest in self.reading.asides or rest in self.reading.variants:
            return
        if self.reading.artist_words.issuperset(rest):
            return
        if touches:
            if _ARTIST in (labels[at - 1] if at else 0, labels[stop] if stop < len(labels) else 0):
                rest = [word for word in rest if word not in _BETWEEN_NAMES]  # "Title by Artist"
            if rest:
                self._extension(rest)
        elif self.text.groups[group].aside:
            self._aside(meant, len(words))
        else:
            self._apart(meant, at, stop, group)

    def _outside_title(self) -> list[str]:
        return [word for word, label in zip(self.text.words, self.labels, strict=True) if label != _TITLE]

    @property
    def uploader(self) -> frozenset[str]:
        return frozenset(cut(self._uploader).words)

    def _artists_in(self, group: int) -> tuple[str, ...]:
        """The artist's words in a group: a remixer's name is often the artist's own."""
        text, labels = self.text, self.labels
        return tuple(
            word
            for word, at, label in zip(text.words, text.where, labels, strict=True)
            if at == group and label == _ARTIST
        )

    def _extension(self, rest: list[str]) -> None:
        """Words that touch the title: a longer title, unless they only repeat it in another script."""
        glued = "".join(rest)
        if self.reading.joined[-1].isascii() != glued.isascii() and not any(word.isdigit() for word in rest):
            self.found.title *= weights.BRACKET_APART
            return
        if all(word.isdigit() or word in PART_WORDS for word in rest):
            self.found.gates.append("part")
        elif len(rest) == 1 and rest[0] in ARTICLES:
            self.found.title *= weights.BRACKET_APART  # "La Suburban" is "Suburban", as "The End" is "End"
        elif not self.uploader.issuperset(rest):
            self._other_title()

    def _other_title(self) -> None:
        self.found.title *= weights.EXTENDED
        self.found.gates.append("title")

    def _aside(self, meant: Said, size: int) -> None:
        rest = meant.rest
        if meant.context or meant.same:
            return
        if size == len(rest) and all(word.isdigit() or word in PART_WORDS for word in rest):
            self.found.gates.append("part")
            return
        if meant.guests or meant.tags:
            self.found.asides += rest
        known = {*self.reading.variants[0], *album_words(self.reading.track.album)}
        if not known.issuperset(rest):
            self.found.title *= weights.BRACKET_APART
            if self.reading.asides and not self.full:
                self.found.gates.append("subtitle")

    def _apart(self, meant: Said, at: int, stop: int, group: int) -> None:
        """Words in a group of their own, before or after the title's."""
        groups = self.text.groups
        if self._holds_artist(group) or self._goes_on_after_artist(at, group):
            self._beside_artist(meant.rest, at, stop)
        elif stop <= self.start:
            self._before(meant.rest, at, stop)
        elif groups[group].lead in "/\\":
            self.found.tags["medley"] = ()
        elif (groups[group].quoted or groups[group].lead == "#") and all(word.isdigit() for word in meant.rest):
            self.found.gates.append("part")  # Symphony "9", Untitled #2
        elif not meant.context:
            self.found.title *= weights.SUFFIXED
            if not self.found.named:
                self.found.others += meant.rest

    def _holds_artist(self, group: int) -> bool:
        """Whether the artist stands in this group, or in one that a slash joins to it: "Artist / Friend / Other"."""
        groups, labels = self.text.groups, self.labels
        first = last = group
        while first > 0 and groups[first].lead in _SLASHES:
            first -= 1
        while last + 1 < len(groups) and groups[last + 1].lead in _SLASHES:
            last += 1
        return any(label == _ARTIST and first <= at <= last for label, at in zip(labels, self.text.where, strict=True))

    def _goes_on_after_artist(self, at: int, group: int) -> bool:
        """After a closing quote or bracket, the artist's group goes on: ``Tito "El Bambino" El Patrón - …``."""
        lead = self.text.groups[group]
        return at > 0 and self.labels[at - 1] == _ARTIST and not lead.quoted and lead.lead not in "-|/\\:"

    def _beside_artist(self, rest: list[str], at: int, stop: int) -> None:
        """Words in the artist's group: other performers when something parts them, else perhaps a longer name."""
        names = [word for word in rest if word not in _BETWEEN_NAMES and not (at == 0 and word.isdigit())]
        parted = (
            not _PARTING.isdisjoint(self.text.words[at:stop])
            or self.text.groups[self.text.where[at]].lead in _SLASHES
            or any(at <= join <= stop for join in self.text.joins)
        )
        self.found.others += names
        if names and not parted and all(word.isascii() for word in names):
            self.found.whole = False

    def _before(self, rest: list[str], at: int, stop: int) -> None:
        """Words before the title, with a gap: the name of another performer, or of another song."""
        ascii_rest = "".join(rest).isascii()
        titled = "".join(self.text.words[self.start : self.end]).isascii()
        translated = all(word.isascii() != titled for word in self.text.words[at : self.start])
        if tuple(rest) == album_words(self.reading.track.album) or translated:
            return  # "맛 (Hot Sauce)": the title in its own script, then in ours
        if _ARTIST in self.labels[:at]:
            self._other_title()  # "Artist - Other Song | This Title": the song named first is the song
        elif ascii_rest == all(name.isascii() for name in self.reading.artist_words):
            self.found.stranger = True  # in another script it may be the artist's own name
            self.found.others += rest


def _note_performers(found: Sighting, text: Text, labels: bytearray) -> None:
    """Note whether the artist is named, first or beside others, only as a guest, or only in brackets."""
    places = [at for at, label in enumerate(labels) if label == _ARTIST]
    if not places:
        return
    found.named = True
    performing = [at for at in places if not text.groups[text.where[at]].aside or _after_guest_word(text, at)]
    found.bracketed = not performing
    at = (performing or places)[0]
    group = text.where[at]
    before = {text.words[i] for i in range(at) if text.where[i] == group and not labels[i]}
    before = {word for word in before if not word.isdigit()}
    found.leads = not (before - _BETWEEN_NAMES)
    found.guests_only = not before.isdisjoint(_GUEST_WORDS)


def _after_guest_word(text: Text, at: int) -> bool:
    """Whether "feat.", "with" or "prod." stands before a word in its group."""
    group = text.where[at]
    return any(text.words[i] in _CREDITING for i in range(at) if text.where[i] == group)


def _similar(reading: Reading, text: Text, flat: str) -> Sighting:
    """The words do not stand there: perhaps in other letters, perhaps only something like them."""
    wanted = reading.joined[-1]
    ascii_only = flat.isascii() and wanted.isascii()
    if ascii_only and fuzz.partial_ratio(wanted, flat) < weights.NEAR_RATIO:
        return Sighting(title=min(weights.NEAR, fuzz.ratio(wanted, flat) / 100), gates=["title"])
    labels = bytearray(len(text.words))
    _label_artists(reading, text, labels)
    stretches = _stretches(text, labels)
    best, chosen = 0.0, -1
    for joined in reading.joined:
        for number, words in enumerate(stretches):
            value = _alike(joined, "".join(words))
            if value > best:
                best, chosen = value, number
    found = Sighting(title=best)
    _note_performers(found, text, labels)
    for number, words in enumerate(stretches):
        if number != chosen:
            meant = said(words, apart=True)
            found.tags.update(meant.tags)
            found.guests += meant.guests
    if best * 100 < weights.NEAR_RATIO:
        found.gates.append("title")
    elif best < weights.READING:
        found.gates.append("spelling" if _same_numbers(reading, stretches[chosen]) else "part")
    return found


def _same_numbers(reading: Reading, words: list[str]) -> bool:
    """Whether two similar titles count alike: "Gymnopédie No. 1" is spelled almost as No. 3 is."""
    numbers = [word for word in words if word.isdigit()]
    return any(numbers == [word for word in variant if word.isdigit()] for variant in reading.variants)


def _stretches(text: Text, labels: bytearray) -> list[list[str]]:
    """The groups of a title without the artists' names, as possible titles."""
    result: dict[int, list[str]] = {}
    for word, label, group in zip(text.words, labels, text.where, strict=True):
        if not label:
            result.setdefault(group, []).append(word)
    return list(result.values())


def _alike(wanted: str, offered: str) -> float:
    if wanted.isascii() and offered.isascii():
        return min(weights.NEAR, fuzz.ratio(wanted, offered) / 100)
    a, b = latin(wanted), latin(offered)
    if a and a == b:
        return weights.LATIN
    if reads_as(wanted, offered) or reads_as(offered, wanted):
        return weights.READING
    if wanted.isascii() != offered.isascii() and len(a) >= 4 and fuzz.ratio(a, b) >= weights.LATIN_RATIO:
        return weights.READING
    return min(weights.NEAR, max(fuzz.ratio(wanted, offered), fuzz.ratio(a, b) * 0.9) / 100)
