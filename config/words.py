"""The word that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, whatever its case and its `-` and `_`; None if none is like it."""
    plain = {_plain(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def suggestion(word: str, known: Iterable[str], *, empty: str = "") -> str:
    """A hint: the nearest word, else the words there are, else `empty`."""
    words = list(dict.fromkeys(known))
    best = nearest(word, words)
    if best is not None:
        return f"Did you mean '{best}'?"
    if not words:
        return empty
    more = ", …" if len(words) > _LISTED else ""
    return f"Known here: {', '.join(words[:_LISTED])}{more}."


def _plain(word: str) -> str:
    return word.casefold().replace("_", "-")
