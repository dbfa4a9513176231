"""The videos of the simulated world: for each track the right ones and its look-alikes, made by rules from a seed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox import ids
from bot.sandbox.catalogue import Track


class Kind(StrEnum):
    """What an upload is. The first four hold the recording itself, all others must not be taken for it."""

    TOPIC = "topic"  # the label's audio on the artist's "- Topic" channel
    OFFICIAL_VIDEO = "official video"
    OFFICIAL_AUDIO = "official audio"
    LYRICS = "lyrics"
    LIVE = "live"
    STUDIO = "studio"  # the plain version of a track that is itself live or remixed
    COVER = "cover"
    REMIX = "remix"
    KARAOKE = "karaoke"
    SPED_UP = "sped up"
    SLOWED = "slowed"
    NIGHTCORE = "nightcore"
    EIGHT_D = "8D"
    LOOP = "1 hour"
    OTHER_ARTIST = "same title, other artist"
    ALBUM = "full album"
    REACTION = "reaction"
    SNIPPET = "snippet"
    LESSON = "lesson"


RIGHT = frozenset({Kind.TOPIC, Kind.OFFICIAL_VIDEO, Kind.OFFICIAL_AUDIO, Kind.LYRICS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One upload. ``number`` is the catalogue number of the track that it was made for."""

    id: str
    number: int
    kind: Kind
    title: str
    channel: str
    seconds: int
    views: int
    published: str  # RFC 3339
    description: str = ""

    @property
    def right(self) -> bool:
        """Whether it holds the very recording of its track."""
        return self.kind in RIGHT

    @property
    def channel_id(self) -> str:
        return ids.channel(self.channel)


_COVERISTS = (
    "Elin Sings", "Bedroom Sessions", "The Porch Tapes", "Marta Canta", "Canal de Covers Brasil", "Coverwerkstatt",
    "ギター弾いてみた", "노래하는 코끼리", "Кавер-мастерская", "Les Voisins Chantent", "Gitarowe Popołudnie",
    "Kapı Önü Akustik",
)  # fmt: skip
_LYRIC_CHANNELS = (
    "Lyric Harbour", "7clouds of Words", "Letras y Más", "Letra e Música", "Paroles Officielles", "Songtext Archiv",
    "歌詞チャンネル", "가사보는 밤", "Тексты песен", "Testi & Canzoni",
)  # fmt: skip
_KARAOKE_CHANNELS = ("Sing Along Karaoke", "Karaoke Club", "Zoom Bar Karaoke", "カラオケ歌っちゃ王道", "노래방 TV")
_EDIT_CHANNELS = ("late night edits", "drivers seat audio", "8D Corner", "Nightcore Reverie", "slowed & mellow")
_REMIXERS = ("DJ Halden", "Kito Vale", "Ronda 33", "Nachtbus", "Studio Maré", "Аэрон")

_REMASTER = re.compile(
    r"\s+[-–]\s+(?:\d{4}\s+)?(?:Digital )?Remaster(?:ed|izado)?(?:\s+\d{4})?$"
    r"|\s+\((?:\d{4}\s+)?Remaster(?:ed)?(?:\s+\d{4})?\)$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\s+-\s+(?P<word>.+)$")
_FEATURING = re.compile(r"\s*[\(\[](?:feat\.|with|ft\.)\s[^\)\]]*[\)\]]", re.IGNORECASE)
_LIVE = re.compile(r"\b(?:live|ao vivo|unplugged)\b", re.IGNORECASE)
_REMIXED = re.compile(r"\b(?:remix|mix|radio edit)\b", re.IGNORECASE)


def make(tracks: Sequence[Track], seed: int) -> list[Video]:
    """All uploads for all tracks; the same for the same seed. One track in 25 has look-alikes only."""
    return [video for track in tracks for video in _Uploads(track, seed, tracks).all()]


class _Uploads:
    """The uploads of one track. Each choice is drawn from seed, recording and a word for what is drawn."""

    def __init__(self, track: Track, seed: int, tracks: Sequence[Track]) -> None:
        self._track, self._seed, self._tracks = track, seed, tracks
        self._seconds = round(track.length_ms / 1000)
        self._artist = track.artists[0]
        self._credit = ", ".join(track.artists[:2]) if len(track.artists) > 1 else self._artist
        spoken = _REMASTER.sub("", track.title)
        self._title = _VERSION.sub(r" (\g<word>)", spoken)
        self._plain = _FEATURING.sub("", _VERSION.sub("", spoken))
        block, place = divmod(track.number, 25)
        self._lacks = place == int(ids.fraction(seed, "absent", block) * 25)  # the right one; exactly one in 25 does
        self._views = int(10 ** (5 + 4 * self._draw("views")))

    def all(self) -> Iterator[Video]:
        profile = self._draw("profile")
        if not self._lacks:
            if not 0.15 <= profile < 0.3:
                yield self._topic()
            if profile >= 0.15:
                yield from self._official()
                yield from self._lyrics()
        if self._lacks or not 0.07 <= profile < 0.12:  # these few have their Topic upload and nothing else
            yield from self._performances()
            yield from self._edits()
            yield from self._strangers()

    def _draw(self, *what: object) -> float:
        return ids.fraction(self._seed, self._track.number, *what)

    def _one_of(self, choices: Sequence[str], what: str) -> str:
        return choices[int(self._draw("one of", what) * len(choices))]

    def _whole(self, low: int, high: int, what: str) -> int:
        return low + int(self._draw("whole", what) * (high - low + 1))

    def _video(self, kind: Kind, title: str, channel: str, seconds: int, share: float, text: str = "") -> Video:
        month, day = self._whole(1, 9, f"{kind} month"), self._whole(1, 28, f"{kind} day")
        year = max(2006, int(self._track.released[:4])) + (0 if kind is Kind.TOPIC else self._whole(0, 2, kind))
        return Video(
            id=ids.video(self._seed, self._track.number, kind),
            number=self._track.number,
            kind=kind,
            title=title[:100],  # YouTube's own limit
            channel=channel,
            seconds=max(1, seconds),
            views=int(self._views * share * (0.5 + self._draw("share", kind))) + 12,
            published=f"{min(year, 2026)}-{month:02}-{day:02}T08:00:00Z",
            description=text,
        )

    def _topic(self) -> Video:
        text = "\n\n".join(
            (
                "Provided to YouTube by Sandbox Records",
                " · ".join((self._track.title, *self._track.artists)),
                self._track.album,
                f"Released on: {self._track.released}",
                "Auto-generated by YouTube.",
            )
        )
        title = _VERSION.sub(r" (\g<word>)", self._track.title)
        return self._video(Kind.TOPIC, title, f"{self._artist} - Topic", self._seconds, 0.3, text)

    def _named(self) -> str:
        """Artist and title as this uploader writes them."""
        way = self._draw("way")
        if self._track.romanised and way < 0.6:
            romanised = self._track.romanised
            return f"{self._artist} - {self._title} ({romanised.split(' - ', 1)[1]})" if way < 0.35 else romanised
        if way < 0.7:
            return f"{self._credit} - {self._title}"
        if way < 0.85:
            return f'{self._artist} "{self._title}"'
        return f"{self._title} - {self._artist}"

    def _official(self) -> Iterator[Video]:
        intro = self._whole(0, 2, "intro") if self._draw("with intro") < 0.45 else self._whole(5, 25, "intro")
        mark = self._one_of(
            ("(Official Video)", "(Official Music Video)", "[Official Video]", "MV", "(Official HD)"), "mark"
        )
        channel = self._one_of(
            (self._artist, self._artist.replace(" ", "") + "VEVO", f"{self._artist} Official"), "home"
        )
        if self._seconds < 900 and self._draw("has a video") < 0.8:
            yield self._video(
                Kind.OFFICIAL_VIDEO, f"{self._named()} {mark}", channel, self._seconds + intro, 1.0, self._track.album
            )
        else:
            title = f"{self._artist} - {self._title} (Official Audio)"
            yield self._video(Kind.OFFICIAL_AUDIO, title, channel, self._seconds + self._whole(0, 1, "tail"), 0.5)

    def _lyrics(self) -> Iterator[Video]:
        if self._draw("has lyrics") < 0.5:
            mark = {"es": "(Letra)", "pt": "(Letra)", "fr": "(Paroles)", "de": "(Songtext)", "it": "(Testo)"}
            title = f"{self._credit} - {self._title} {mark.get(self._track.language, '(Lyrics)')}"
            channel = self._one_of(_LYRIC_CHANNELS, "lyrics")
            yield self._video(Kind.LYRICS, title, channel, self._seconds + self._whole(-1, 3, "lyrics"), 0.4)

    def _performances(self) -> Iterator[Video]:
        """Other recordings of the same song."""
        wanted_live, wanted_remix = _LIVE.search(self._track.title), _REMIXED.search(self._track.title)
        if wanted_live or wanted_remix:
            title = f"{self._artist} - {self._plain} (Official Video)"
            yield self._video(Kind.STUDIO, title, self._artist, int(self._seconds * 0.88), 1.1)
        if self._draw("is live") < 0.6:
            place = self._one_of(
                ("Glastonbury 2019", "Wembley", "KEXP", "Rock in Rio", "東京ドーム", "Paradiso"), "place"
            )
            title = f"{self._artist} - {self._plain} (Live at {place})"
            yield self._video(Kind.LIVE, title, self._artist, int(self._seconds * 1.12) + 9, 0.6)
        if self._draw("is remixed") < 0.45:
            remixer = self._one_of(_REMIXERS, "remixer")
            title = f"{self._artist} - {self._plain} ({remixer} Remix)"
            yield self._video(Kind.REMIX, title, remixer, self._whole(180, 380, "remix"), 0.1)

    def _edits(self) -> Iterator[Video]:
        """The same recording, spoilt."""
        channel = self._one_of(_EDIT_CHANNELS, "edit")
        named = f"{self._artist} - {self._plain}"
        if self._draw("is sped up") < 0.25:
            yield self._video(Kind.SPED_UP, f"{named} (sped up)", channel, int(self._seconds / 1.2), 0.2)
        if self._draw("is slowed") < 0.25:
            yield self._video(Kind.SLOWED, f"{named} (slowed + reverb)", channel, int(self._seconds * 1.17), 0.2)
        if self._draw("is nightcore") < 0.15:
            yield self._video(Kind.NIGHTCORE, f"Nightcore - {self._plain}", channel, int(self._seconds / 1.25), 0.1)
        if self._draw("is 8D") < 0.15:
            yield self._video(Kind.EIGHT_D, f"{named} (8D AUDIO)", channel, self._seconds + 2, 0.2)
        if self._draw("is looped") < 0.2:
            yield self._video(Kind.LOOP, f"{named} [1 HOUR LOOP]", channel, 3600 + self._whole(0, 90, "loop"), 0.1)
        if self._draw("is short") < 0.2:
            yield self._video(Kind.SNIPPET, f"{self._plain} #shorts", channel, self._whole(15, 58, "snippet"), 0.1)

    def _strangers(self) -> Iterator[Video]:
        """Other people's uploads about the song."""
        if self._lacks or self._draw("is covered") < 0.75:
            who = self._one_of(_COVERISTS, "cover")
            way = self._one_of(("Cover", "Acoustic Cover", "Piano Cover"), "cover kind")
            title = f"{self._plain} - {self._artist} ({way})"
            seconds = int(self._seconds * (0.85 + 0.3 * self._draw("cover length")))
            yield self._video(
                Kind.COVER, f"{title} by {who}" if self._draw("signed") < 0.5 else title, who, seconds, 0.15
            )
        if self._draw("is karaoke") < 0.4:
            title = f"{self._plain} (Karaoke Version) - In the Style of {self._artist}"
            yield self._video(Kind.KARAOKE, title, self._one_of(_KARAOKE_CHANNELS, "karaoke"), self._seconds + 4, 0.1)
        if self._draw("has a namesake") < 0.2:
            other = self._tracks[int(self._draw("namesake") * len(self._tracks))].artists[0]
            if other not in self._track.artists:
                title = f"{other} - {self._plain}"
                yield self._video(Kind.OTHER_ARTIST, title, other, self._whole(150, 330, "namesake"), 0.2)
        if self._draw("has an album") < 0.15:
            title = f"{self._artist} - {self._track.album} (Full Album)"
            yield self._video(Kind.ALBUM, title, "Whole Records", self._whole(2100, 4300, "album"), 0.1)
        if self._draw("has a reaction") < 0.12:
            title = f"FIRST TIME HEARING {self._artist} - {self._plain} | REACTION"
            yield self._video(Kind.REACTION, title, "Two Guys One Couch", self._seconds + 340, 0.05)
        if self._draw("has a lesson") < 0.15:
            title = f"How to play {self._plain} by {self._artist} - Guitar Lesson"
            yield self._video(Kind.LESSON, title, "Six Strings Daily", self._whole(300, 900, "lesson"), 0.05)
