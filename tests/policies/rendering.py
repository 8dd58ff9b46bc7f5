"""What becomes of our texts where they are shown: judged by a real MediaWiki, and by a reader of Markdown
that knows what Discourse adds to it.

Both give the effects of a text: everything in it that is more than words. Two texts that differ in names only
must have the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.servers.mediawiki.client import Client

_AT_ONCE = 30
"""Messages on one page, as on a talk page."""

# What Discourse looks for in the text that is left when Markdown has been read.
_MENTION = re.compile(r"(?<![\w@])@(\w(?:[\w.-]*\w)?)")
_HASHTAG = re.compile(r"(?<![\w#])#([\w:-]+\w)")
_EMOJI = re.compile(r"(?<!\w):([a-z0-9_+-]+)(?::t[1-6])?:")
_TAGS = "quote|details|poll|spoiler|wrap|date|email|url|img|code|b|i|u|s|chat|grid"
_BBCODE = re.compile(rf"(?<!\\)\[/?({_TAGS})\b[^\]]*\]", re.I)
"""Read together with the Markdown, so that a backslash protects from it."""

_ANCHOR = re.compile(r'<span id="[^"]*"></span>')
"""MediaWiki's second anchor of a heading that is not all of letters and digits."""


@cache
def _reader() -> MarkdownIt:
    """As Discourse sets it up: HTML goes through (to a sanitizer), addresses become links, lines break."""
    made = MarkdownIt("commonmark", {"html": True, "linkify": True, "breaks": True})
    return made.enable(["table", "strikethrough", "linkify"])


def on_a_forum(text: str) -> Counter[str]:
    """The effects of Markdown in a post: elements, links, HTML, and what notifies or unfolds."""
    found = Counter(f"bbcode {match[0]}" for match in _BBCODE.finditer(text))
    for token in _flat(_reader().parse(text)):
        if token.type == "text":
            for name, pattern in (("mention", _MENTION), ("hashtag", _HASHTAG), ("emoji", _EMOJI)):
                found.update(f"{name} {match[0]}" for match in pattern.finditer(token.content))
        elif token.type in ("html_block", "html_inline", "fence", "code_block", "code_inline"):
            found[f"{token.type} {token.content}"] += 1
        elif token.nesting >= 0 and token.type not in ("softbreak", "inline"):
            link = token.attrGet("href") or token.attrGet("src") or ""
            found[f"{token.type} {link}".strip()] += 1
    return found


def _flat(tokens: Sequence[Token]) -> list[Token]:
    """With the children of each in its place; neighbouring texts as one, as a browser joins them."""
    flat: list[Token] = []
    for token in tokens:
        for each in [token, *_flat(token.children or [])]:
            if each.type == "text" and flat and flat[-1].type == "text":
                flat[-1].content += each.content
            else:
                flat.append(each)
    return flat


def on_a_wiki(reader: Client, messages: Sequence[tuple[str, str]]) -> Counter[str]:
    """The effects of these messages (heading and text), as they would be saved and shown on talk pages."""
    found: Counter[str] = Counter()
    for start in range(0, len(messages), _AT_ONCE):
        page = "\n\n".join(f"== {head} ==\n\n{text}" for head, text in messages[start : start + _AT_ONCE])
        found += _parsed(reader, page)
    return found


def _parsed(reader: Client, text: str) -> Counter[str]:
    answer = reader.send(
        action="parse", text=text, title="User talk:Alice", contentmodel="wikitext", pst=True,
        prop="text|categories|links|templates|images|externallinks|sections|properties|langlinks|iwlinks",
        disablelimitreport=True, disableeditsection=True, disabletoc=True,
    )["parse"]  # fmt: skip
    shown = _ANCHOR.sub("", answer["text"])
    found = Counter(f"<{tag}>" for tag in re.findall(r"<([a-z][a-z0-9]*)", shown) if tag != "a")
    found.update(f"attribute {name}" for name in re.findall(r"<[^>]* (on\w+|style|src)=", shown))
    found["signatures"] = len(re.findall(r"\d{4} \(UTC\)", shown))
    for kind in ("categories", "templates", "images", "langlinks", "iwlinks", "sections"):
        found[kind] = len(answer[kind])
    found.update(f"link to {url}" for url in answer["externallinks"])
    found.update(f"namespace {link['ns']}" for link in answer["links"] if link["ns"] not in (2, 3))
    found.update(f"property {name}" for name in answer["properties"] if name != "noeditsection")
    return found


def links_of_summaries(reader: Client, headings: Sequence[str]) -> set[str]:
    """Where the summaries of edits lead that add sections with these headings."""
    found: set[str] = set()
    for start in range(0, len(headings), _AT_ONCE):
        several = headings[start : start + _AT_ONCE]
        words = " ".join(f"/* {heading.replace('*/', '')} */" for heading in several)
        answer = reader.send(action="parse", summary=words, prop="", contentmodel="wikitext")["parse"]
        assert answer["parsedsummary"].count("autocomment") == len(several)
        found.update(re.findall(r'href="([^"]*)"', answer["parsedsummary"]))
    return found
