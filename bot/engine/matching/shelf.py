"""A playlist's tracks laid out so that one track is found among thousands in milliseconds."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from bot.engine.matching.deciding import match_read
from bot.engine.matching.names import channel_key, split
from bot.engine.matching.reading import read
from bot.engine.matching.text import cut, fold, latin
from bot.model.matching import Decision, MatchPolicy
from bot.model.music import Track

_LOOK_AT = 40  # more than this share no further words with the track than chance gives


class Shelf:
    """A fixed set of tracks, indexed by ISRC, id and the words of title, artists and channel."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = tuple(tracks)
        self._by_isrc: dict[str, list[int]] = {}
        self._by_word: dict[str, list[int]] = {}
        for number, track in enumerate(self._tracks):
            if track.isrc:
                self._by_isrc.setdefault(fold(track.isrc), []).append(number)
            for word in _words(track):
                self._by_word.setdefault(word, []).append(number)

    def best(self, track: Track, policy: MatchPolicy = MatchPolicy.BALANCED) -> Decision:
        """What ``match`` decides for the track among these tracks; those that share no word with it are left out."""
        numbers = set(self._by_isrc.get(fold(track.isrc), ())) if track.isrc else set()
        counts: dict[int, float] = defaultdict(float)
        for word in _words(track):
            shelved = self._by_word.get(word, ())
            weight = 1.0 / (1 + len(shelved)) ** 0.5  # a rare word says more than a common one
            for number in shelved:
                counts[number] += weight
        numbers.update(number for number in sorted(counts, key=lambda n: (-counts[n], n))[:_LOOK_AT])
        return match_read(read(track), [self._tracks[number] for number in sorted(numbers)], policy)


def _words(track: Track) -> set[str]:
    """What a track can be found by: words, pairs of words, whole stretches of its title, Latin readings, and names."""
    text = cut(track.title)
    words = {*text.words, *map(latin, text.words)}
    words.update(f"{one} {two}" for one, two in pairwise(text.words))
    stretches: dict[int, str] = {}
    for word, group in zip(text.words, text.where, strict=True):
        stretches[group] = stretches.get(group, "") + word
    words.update(stretches.values(), read(track).joined)
    for artist in track.artists:
        for name in split(artist):
            words.update((name, latin(name)))
    if track.channel:
        words.add(channel_key(track.channel))
    words.discard("")
    return words
