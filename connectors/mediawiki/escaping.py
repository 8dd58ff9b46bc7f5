"""Other people's words inside our wikitext: shown as they are, and without any effect.

Every character that means something to MediaWiki's parser, somewhere, becomes a character reference, which
the parser shows and never reads as markup. Letters, digits and most punctuation stay readable in the source.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

_MARKUP = frozenset("&<>[]{}|'\"=~_:*#;!\\`")
"""Entities, tags, links, templates, emphasis, signatures, magic words, addresses, lists, tables."""

_MAGIC = re.compile(r"(?i)(RFC|PMID|ISBN)\s")
"""Words that MediaWiki turns into links together with the number behind them."""

_URL_SAFE = "/?:@!$()*+,;=-.~#&%"


def escape(text: str) -> str:
    """`text` as one line that MediaWiki shows literally, at any place of a page, a heading or a link."""
    text = unicodedata.normalize("NFC", text)
    line = " ".join("".join(map(_visible, text)).split())
    escaped = "".join(_reference(c) if c in _MARKUP else c for c in line)
    if escaped and not (escaped[0].isalnum() or escaped[0] == "&"):
        escaped = _reference(escaped[0]) + escaped[1:]  # a list, a rule or a table begins a line
    return _MAGIC.sub(r"\1&#32;", escaped)


def link(label: str, url: str) -> str:
    """An external link; only the escaped label where the address is not one of the web."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return escape(label)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return escape(label)
    return f"[{address(url)} {escape(label or url)}]"


def address(url: str) -> str:
    """A URL that the parser takes as a whole and as nothing else."""
    text = quote(url, safe=_URL_SAFE)
    for risky in ("__", "~~", "--"):
        text = text.replace(risky, "".join(f"%{ord(c):02X}" for c in risky))
    return text.replace("&", "&amp;")


def _visible(character: str) -> str:
    """Control characters (strip markers begin with one), line breaks and turns of direction as spaces."""
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp", "Cs", "Co", "Cn"):
        return " "
    return " " if category == "Cf" and character in _TURNS else character


_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad")


def _reference(character: str) -> str:
    return f"&#{ord(character)};"
