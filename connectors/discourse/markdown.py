"""Names, titles and quotes made harmless in Discourse's Markdown.

Discourse looks for mentions, hashtags, emoji and bare addresses in the text that is left after Markdown has
been read, so that neither a backslash nor an entity protects from them; a word joiner in the middle does.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

_JOINER = "\u2060"

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#!|~^$&])")
_DIGITS = re.compile(r"^(\d+)([.)])")
_NOTIFYING = re.compile(r"([@#:])(?=\S)|(?<=\w)(\.)(?=\w)|(/)(?=/)")
_NAME = re.compile(r"_?[^\W_]+([_.-][^\W_]+)*")
"""As the forum lets people choose: never two signs in a row nor one at the end, which could be emphasis."""

_KEPT_FORMATS = frozenset({"\u200c", "\u200d"})
"""Zero-width (non-)joiners, which some scripts and emoji need inside words."""


def escape(text: str) -> str:
    """`text` on one line, shown as it is: no mention, link, tag, emoji, format, HTML, BBCode or comment."""
    line = " ".join(_visible(text).split())
    line = _SPECIAL.sub(r"\\\1", line)
    line = _DIGITS.sub(r"\1\\\2", line)
    if line[:1] in ("-", "+", "="):
        line = "\\" + line
    return _NOTIFYING.sub(lambda match: match[0] + _JOINER, line)


def _visible(text: str) -> str:
    """Without control characters and invisible ones that reorder or hide text."""
    return "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) != "Cf" or c in _KEPT_FORMATS
    )


def link(label: str, url: str) -> str:
    """A link; only the label for anything but an http(s) address."""
    if urlsplit(url).scheme not in ("http", "https"):
        return escape(label)
    return f"[{escape(label)}]({quote(url, safe=_SAFE)})"


_SAFE = "/:?#@!$&'*+,;=%-._~"


def mention(username: str) -> str:
    return f"@{username}" if _NAME.fullmatch(username) else escape(username)
