"""Topics that are like another one in their words.

BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), over the words
of title and first post as they are written: no stemming, no stop words (a word that a fifth of all topics
have is left out), so that it serves any language that puts spaces between words.
"""

from __future__ import annotations

import heapq
import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping

_K1, _B = 1.2, 0.5
_TERMS = 40
"""Of a long text its rarest words are looked for, so that no topic takes long."""
_COMMON = 0.2
_READ = 4000
"""Characters of a text that are read; what matters is said at its beginning."""
_TITLE = 2
"""A word of the title counts as so many more of the text."""
_REPEATED = 3

_LEFT_OUT = re.compile(r"```.*?```|\[quote.*?\[/quote\]|https?://\S+", re.S)
"""Code, quotes and addresses are not the author's own words."""
_WORD = re.compile(r"[^\W\d_]\w+")
_TF = 8
"""Bits of a posting that hold how often the word is there; the others are the topic's number."""

Words = Mapping[str, int]


def words_of(title: str, text: str) -> Counter[str]:
    """The words of a topic with their counts."""
    counts = Counter(_WORD.findall(_LEFT_OUT.sub(" ", text.casefold())[:_READ]))
    for word in _WORD.findall(title.casefold()):
        counts[word] += _TITLE
    return counts


class Similar:
    """An index of topics, asked for those most like another."""

    def __init__(self) -> None:
        self._topics: list[str] = []
        self._lengths: list[int] = []
        self._total = 0
        self._postings: dict[str, array[int]] = {}

    def add(self, topic: str, words: Words) -> None:
        number = len(self._topics) << _TF
        self._topics.append(topic)
        self._lengths.append(sum(words.values()))
        self._total += self._lengths[-1]
        for word, count in words.items():
            self._postings.setdefault(word, array("Q")).append(number | min(count, (1 << _TF) - 1))

    def like(self, words: Words, limit: int) -> list[tuple[str, float]]:
        """The topics most like these words, best first, with how much of them they have (BM25 as a share of
        the words' own weight; 0 to about 2)."""
        terms = self._terms(words)
        weight = sum(worth for worth, _ in terms)
        scores: dict[int, float] = defaultdict(float)
        mean = self._total / len(self._topics) if self._topics else 1.0
        mask = (1 << _TF) - 1
        for worth, word in terms:
            worth *= (_K1 + 1) / weight
            for posting in self._postings[word]:
                count, number = posting & mask, posting >> _TF
                norm = _K1 * (1 - _B + _B * self._lengths[number] / mean)
                scores[number] += worth * count / (count + norm)
        best = heapq.nlargest(limit, scores.items(), key=lambda each: (each[1], each[0]))
        return [(self._topics[number], score) for number, score in best]

    def _terms(self, words: Words) -> list[tuple[float, str]]:
        """The words that tell topics apart, with their weights, rarest first."""
        topics = len(self._topics)
        found = []
        for word, count in words.items():
            have = len(self._postings.get(word, ()))
            if 0 < have < topics * _COMMON:
                idf = math.log(1 + (topics - have + 0.5) / (have + 0.5))
                found.append((idf, word, math.sqrt(min(count, _REPEATED))))
        return [(idf * often, word) for idf, word, often in heapq.nlargest(_TERMS, found)]
