"""Texts and times in the shapes that Discourse gives them."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

from markdown_it import MarkdownIt


def words(text: str) -> tuple[str, ...]:
    """The words of a long list, written as text."""
    return tuple(text.split())


_MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MENTION = re.compile(r"(?<![\w/@.])@([\w][\w.\-]*[\w]|\w)")
_ALLOWED = frozenset(
    words(
        "a abbr b big blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd"
        " li ol p pre s small span strike strong sub summary sup table tbody td th thead tr u ul"
    )
)
_ATTRIBUTES = {"a": ("href", "title"), "img": ("src", "alt", "title", "width", "height"), "code": ("class",)}
_VOID = frozenset({"br", "hr", "img"})


def iso(moment: datetime | None) -> str | None:
    """`2021-05-27T12:00:00.000Z`."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read an ISO time or a date; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def slugify(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"['’.]", "", plain)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "topic"


def clean_title(title: str) -> str:
    """A title as Discourse stores it: first letter large, no full stop, no repeated blanks and marks."""
    title = re.sub(r"\s+", " ", title).strip()
    title = re.sub(r"!{2,}", "!", re.sub(r"\?{2,}", "?", title))
    title = re.sub(r"\.+$", "", title)
    first, blank, rest = title.partition(" ")
    return (first if any(c.isupper() for c in first) else first[:1].upper() + first[1:]) + blank + rest


def clean_tag(name: str) -> str:
    """A tag as it is stored: lower case, blanks as hyphens, without the characters that tags may not hold."""
    name = re.sub(r"\s+", "-", name.strip().lower())
    name = re.sub(r"[/?#\[\]@!$&'()*+,;=.%\\`^\s|{}\"<>]+", "", name)
    return re.sub(r"-+", "-", name).strip("-")[:20]


def squeeze(raw: str) -> str:
    """The text as the check for repeated posts compares it."""
    return re.sub(r"\s+", "", raw)


class _Sanitizer(HTMLParser):
    """Keeps allowed tags, escapes nothing twice, links mentions outside of code and links."""

    def __init__(self, mention: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._mention = mention
        self._quiet = 0
        self._dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "svg", "object"):
            self._dropped += 1
            return
        if tag not in _ALLOWED or self._dropped:
            return
        kept = [(k, v) for k, v in attrs if v is not None and k in _ATTRIBUTES.get(tag, ())]
        kept = [(k, v) for k, v in kept if k not in ("href", "src") or re.match(r"(https?:|mailto:|/|#)", v)]
        if tag == "a":
            kept.append(("rel", "noopener nofollow ugc"))
        self._quiet += tag in ("a", "code", "pre")
        self.out.append("<" + tag + "".join(f' {k}="{html.escape(v)}"' for k, v in kept) + ">")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "iframe", "svg", "object"):
            self._dropped = max(0, self._dropped - 1)
        elif tag in _ALLOWED and not self._dropped and tag not in _VOID:
            self._quiet -= tag in ("a", "code", "pre")
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._dropped:
            return
        text = html.escape(data, quote=False)
        self.out.append(text if self._quiet else _MENTION.sub(lambda m: self._mention(m[1]), text))


def cook(raw: str, mention: Callable[[str], str]) -> str:
    """Markdown to HTML: comments vanish, tags outside the allow-list too, mentions become links."""
    sanitizer = _Sanitizer(mention)
    sanitizer.feed(_MARKDOWN.render(_COMMENT.sub("", raw)))
    sanitizer.close()
    return "".join(sanitizer.out).strip()


def cook_simply(raw: str) -> str:
    """Paragraphs only; for loaded texts, of which there are many and whose looks nobody tests."""
    text = html.escape(_COMMENT.sub("", raw), quote=False)
    return "\n".join(f"<p>{part.strip()}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())


def excerpt(cooked: str, length: int = 220) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", "", cooked)).strip()
    return (
        html.escape(text, quote=False)
        if len(text) <= length
        else html.escape(text[:length], quote=False) + "&hellip;"
    )


def age_in_words(seconds: float) -> str:
    """`4 seconds`, `1 minute`: waiting times as the messages name them."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{int(seconds)} second" + ("" if int(seconds) == 1 else "s")
