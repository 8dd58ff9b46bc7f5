"""Hostile words inside our wikitext, judged by the real MediaWiki's own parser."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

import pytest

from ordito.connectors.actions import SendMessage
from ordito.connectors.mediawiki.platform import MediaWikiPlatform
from tests.connectors.mediawiki.site import MARKER, SITE, connect, settings, user_id
from tests.servers.mediawiki.wiki import Wiki

HOSTILE = [
    "{{Evil}}", "{{subst:Evil}}", "{{{1|x}}}", "{{#if:1|yes}}", "{{PAGENAME}}", "{{DEFAULTSORT:x}}",
    "[[Category:Hijacked]]", "[[Main Page]]", "[[Main Page|label]]", "]] {{Evil}} [[", "[[File:X.png]]",
    "[https://evil.example click]", "https://evil.example/x", "mailto:evil@example.org", "//evil.example",
    "irc://evil.example", "news:evil", "~~~~", "~~~", "~~~~~", "''italic''", "'''bold'''", "O'Brien'", "''",
    "<b>x</b>", "<script>alert(1)</script>", "<nowiki>", "</nowiki>{{Evil}}", "<!-- hidden", "--> out",
    "<ref>x</ref>", "<pre>x", "<gallery>", "<math>", "<includeonly>x</includeonly>", "<noinclude>",
    "__NOTOC__", "__NOINDEX__", "__NEWSECTIONLINK__", "== Heading ==", "= x =", "* item", "# item",
    "; term : def", ": indented", "----", "-{zh:x;en:y}-", "{| class=x", "|}", "| cell", "! head",
    "|| x !! y", "ISBN 0306406152", "RFC 1234", "PMID 12345", "RFC\t1234", "#REDIRECT [[Main Page]]",
    "&lbrack;&#91;x]]",
    "&#123;&#123;Evil}}", "&lt;b&gt;", "\x7f'\"`UNIQ--nowiki-00000000-QINU`\"'\x7f", "a\nb", "a\r\n* b",
    "a\u2028== b ==", " leading", "\u202egnp.exe", "`code`", "\\", "user@example.org", "100% & more", "", "-",
    "{{nobots}}", "(ordito p1-abc)", "*/ section", "/* x */", "\u0000null", "é\u0301", "日本語 [[x]]",
]  # fmt: skip

PLAIN = {"p", "ul", "li", "b", "table", "tbody", "tr", "td", "br"}
BEGIN, END = "BEGINHERE", "ENDHERE"


@pytest.fixture
def platform(content: Wiki) -> MediaWikiPlatform:
    content.switch(wgEnableMagicLinks={"ISBN": True, "PMID": True, "RFC": True})
    return MediaWikiPlatform(SITE, settings(content))


def parsed(wiki: Wiki, text: str) -> dict[str, Any]:
    """As it would be saved (`pst`) and shown."""
    answer = wiki.bot().send(
        action="parse", text=text, title="User talk:Alice", contentmodel="wikitext", pst=True,
        prop="text|categories|links|templates|images|externallinks|sections|properties",
        disablelimitreport=True, disableeditsection=True, wrapoutputclass="",
    )["parse"]  # fmt: skip
    found: dict[str, Any] = answer
    return found


def shown(text: str) -> str:
    """What a reader shall see: one line, without what cannot be seen."""
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") or c == "\u202e" else c
        for c in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(kept).split())


def assert_inert(page: dict[str, Any]) -> None:
    assert page["categories"] == page["links"] == page["templates"] == page["images"] == []
    assert page["externallinks"] == page["sections"] == []
    assert not set(page["properties"]) - {"noeditsection"}


@pytest.mark.parametrize("place", ["{begin}{x}{end}", "{x}", "* {x}", "'''{x}'''", "{{|\n| {x}\n|}}"])
def test_hostile_words_have_no_effect_and_are_shown_as_they_are(
    content: Wiki, platform: MediaWikiPlatform, place: str
) -> None:
    content.admin().edit("Template:Evil", "EVIL[[Category:Evil]]")
    page = parsed(
        content,
        "\n\n".join(
            place.format(x=platform.escape(words), begin=BEGIN, end=END) for words in HOSTILE
        ),
    )
    assert_inert(page)
    assert set(re.findall(r"<(\w+)", page["text"])) <= PLAIN
    if BEGIN in place.format(x="", begin=BEGIN, end=END):
        bodies = re.findall(f"{BEGIN}(.*?){END}", page["text"], re.S)
        assert [html.unescape(body) for body in bodies] == [shown(words) for words in HOSTILE]


def test_hostile_labels_stay_inside_their_link(content: Wiki, platform: MediaWikiPlatform) -> None:
    url = "https://forum.example.org/t/1?a=1&b=[x]__TOC__''~~~~{{Evil}}|<b>"
    text = "\n\n".join(platform.link(words, url) for words in HOSTILE)
    page = parsed(content, text)

    assert page["categories"] == page["links"] == page["templates"] == page["sections"] == []
    assert page["text"].count("<a ") == len(HOSTILE)
    hrefs = {html.unescape(href) for href in re.findall(r'href="([^"]*)"', page["text"])}
    (href,) = hrefs
    assert href.startswith("https://forum.example.org/t/1?a=1&b=")
    assert "Evil" in href


def test_an_address_that_is_none_of_the_web_is_no_link(platform: MediaWikiPlatform) -> None:
    assert platform.link("x", "javascript:alert(1)") == "x"
    assert platform.link("x", "https://") == "x"


def test_hostile_names_link_to_nothing_but_their_page(content: Wiki, platform: MediaWikiPlatform) -> None:
    page = parsed(content, "\n\n".join(platform.mention(words) for words in HOSTILE if words))
    assert page["categories"] == page["templates"] == page["externallinks"] == page["sections"] == []
    assert {link["ns"] for link in page["links"]} <= {2}
    page = parsed(content, platform.mention("Alice"))
    assert [link["title"] for link in page["links"]] == ["User:Alice"]
    page = parsed(content, platform.mention("D'Arcy & Sons"))
    assert [link["title"] for link in page["links"]] == ["User:D'Arcy & Sons"]


def test_a_hostile_heading_stays_what_it_is(content: Wiki, platform: MediaWikiPlatform) -> None:
    content.admin().edit("Template:Evil", "EVIL[[Category:Evil]]")
    hostile = "{{Evil}} ]] [[Category:Evil]] <!-- ~~~~ */ == x =="
    words = platform.escape(hostile)
    action = SendMessage(site=SITE, to=(user_id(content, "Alice"),), subject=words, text=words)
    connect(content).perform(action, MARKER)
    page = content.bot().get(
        action="parse", page="User talk:Alice", prop=["categories", "templates", "sections", "text"]
    )["parse"]
    assert page["categories"] == page["templates"] == []
    assert len(page["sections"]) == 1
    assert "EVIL" not in page["text"]
