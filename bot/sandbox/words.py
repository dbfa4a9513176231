"""Search by words as both services do it: relevance of words, a share for popularity, and some noise."""

import heapq
import math
import re
import unicodedata
from collections.abc import Iterable

from bot.sandbox import ids

_TOKEN = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")  # scripts written without spaces


def tokens(text: str) -> list[str]:
    """Words in lower case without diacritics; in scripts without spaces, pairs of letters."""
    folded = unicodedata.normalize("NFKD", text.replace("'", "").replace("’", "").replace("$", "s")).casefold()
    plain = unicodedata.normalize("NFC", "".join(letter for letter in folded if not unicodedata.combining(letter)))
    found: list[str] = []
    for word in _TOKEN.findall(plain):
        if _UNSPACED.search(word) and len(word) > 2:
            found.extend(word[start : start + 2] for start in range(len(word) - 1))
        else:
            found.append(word)
    return found


class Index:
    """Documents by number. Built once; a search over some thousand documents takes less than a millisecond or two."""

    def __init__(self, noise: str) -> None:
        self._noise = noise
        self._postings: dict[str, dict[int, float]] = {}
        self._size: list[float] = []
        self._bonus: list[float] = []

    def copy(self) -> "Index":
        """One of its own, to which documents can be added."""
        other = Index(self._noise)
        other._postings = {word: dict(postings) for word, postings in self._postings.items()}
        other._size, other._bonus = list(self._size), list(self._bonus)
        return other

    def add(self, fields: Iterable[tuple[str, float]], bonus: float = 0.0) -> None:
        """Take in one document: texts with their weights, and what popularity adds to its score."""
        number = len(self._size)
        weights: dict[str, float] = {}
        for text, weight in fields:
            for word in tokens(text):
                weights[word] = max(weight, weights.get(word, 0.0))
        for word, weight in weights.items():
            self._postings.setdefault(word, {})[number] = weight
        self._size.append(len(weights))
        self._bonus.append(bonus)

    def search(self, query: str, limit: int) -> list[int]:
        """Numbers of the documents that fit best, best first."""
        scores: dict[int, float] = {}
        wanted = set(tokens(query))
        for word in wanted:
            postings = self._postings.get(word, {})
            rarity = math.log(1 + len(self._size) / (1 + len(postings)))
            for number, weight in postings.items():
                scores[number] = scores.get(number, 0.0) + rarity * weight
        best = heapq.nlargest(limit * 3, scores, key=lambda number: (scores[number], -number))
        return sorted(best, key=lambda number: -self._final(query, number, scores[number]))[:limit]

    def _final(self, query: str, number: int, score: float) -> float:
        noise = 0.75 + 0.5 * ids.fraction(self._noise, query, number)
        return (score + self._bonus[number]) * noise / (1 + 0.02 * self._size[number])
