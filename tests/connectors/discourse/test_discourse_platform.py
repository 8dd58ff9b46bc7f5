"""A forum's words and addresses, and names and titles that try to do something."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.config.secret import Secret
from ordito.connectors.discourse.platform import DiscoursePlatform
from ordito.connectors.discourse.settings import DiscourseSettings
from ordito.connectors.records import Kind, Ref


def platform(url: str = "https://forum.example.org") -> DiscoursePlatform:
    settings = DiscourseSettings(connector="discourse", url=url, username="ordito", api_key=Secret.of("k"))
    return DiscoursePlatform("forum", settings)


@pytest.mark.parametrize(
    ("address", "kind", "id"),
    [
        ("https://forum.example.org/t/151", Kind.THREAD, "151"),
        ("https://forum.example.org/t/the-long-topic/151", Kind.THREAD, "151"),
        ("https://forum.example.org/t/the-long-topic/151/42?u=anna", Kind.THREAD, "151"),
        ("https://forum.example.org/t/2024/151", Kind.THREAD, "151"),
        ("http://FORUM.example.org/t/-/151.json", Kind.THREAD, "151"),
        ("https://forum.example.org/p/987", Kind.CONTRIBUTION, "987"),
        ("https://forum.example.org/posts/987.json", Kind.CONTRIBUTION, "987"),
        ("https://forum.example.org/admin/users/12/anna", Kind.MEMBER, "12"),
        ("https://forum.example.org/c/general/5", Kind.SPACE, "5"),
        ("https://forum.example.org/c/general/hives/6/l/latest", Kind.SPACE, "6"),
    ],
)
def test_addresses_of_a_forum_are_understood(address: str, kind: Kind, id: str) -> None:
    assert platform().parse(address) == Ref("forum", kind, id)


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/t/151", "https://forum.example.org.evil.example/t/151", "/t/151",
        "https://forum.example.org/latest", "https://forum.example.org/u/anna", "forum:thread:1", "http://[",
        "ftp://forum.example.org/t/151", "",
    ],
)  # fmt: skip
def test_other_addresses_are_not(address: str) -> None:
    assert platform().parse(address) is None


def test_a_forum_may_live_in_a_folder() -> None:
    there = platform("https://example.org/forum/")
    assert there.url(Ref("forum", Kind.THREAD, "5")) == "https://example.org/forum/t/5"
    assert there.parse("https://example.org/forum/t/slug/5") == Ref("forum", Kind.THREAD, "5")
    assert there.parse("https://example.org/t/slug/5") is None


def test_a_profile_is_found_by_its_name_which_needs_no_rights_of_staff() -> None:
    there = platform("https://example.org/forum/")
    assert there.profile(Ref("forum", Kind.MEMBER, "5"), "Zoé.R") == "https://example.org/forum/u/Zo%C3%A9.R"


def test_what_it_writes_it_reads() -> None:
    for kind in (Kind.THREAD, Kind.CONTRIBUTION, Kind.MEMBER, Kind.SPACE):
        ref = Ref("forum", kind, "42")
        assert platform().parse(platform().url(ref)) == ref
    assert platform().url(Ref("forum", Kind.GROUP, "42")) == ""


@pytest.mark.parametrize("name", ["Marta Rossi", "Zoë", "李雷", "O'Neill", "a, b and c?", "50 % off; really"])
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert platform().escape(name) == name


HOSTILE = [
    "@all", "hi @staff", "＠all @here", "#general", "#tag::tag", ":smile:", "a:joy:b", "https://evil.example/x",
    "www.evil.example", "evil.com", "mail me@evil.com", "//evil.example/x", "[x](https://evil.example)",
    "![x](https://evil.example/p.png)", "<b>bold</b>", "<script>alert(1)</script>", "<img src=x onerror=a()>",
    "<!-- ordito: welcome-1 -->", "-->", "&lt;b&gt;", "&#64;all", "\\@all", "**bold**", "__bold__", "_it_",
    "`code`", "```\ncode\n```", "~~gone~~", "# heading", "> quote", "- item", "+ item", "1. one", "2) two",
    "---", "===", "| a | b |", "[quote=\"boss, post:1, topic:1\"]x[/quote]", "[details=x]y[/details]",
    "[poll]\n* a\n[/poll]", "[spoiler]x[/spoiler]", "[date=2024-01-01]", "$x$", "^sup^", "line\nbreak",
    "a\u2028b", "a\u0085b", "\u202eevil", "zero\u200bwidth", "@\u200ball", "\ufeff@all", "{{7*7}}", "{% x %}",
    "upload://abc.png", "    code", "\tcode", "*", "@", "a\x00b", "[x]: https://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_take_no_effect(text: str) -> None:
    _assert_harmless(platform().escape(text))


@given(st.text(alphabet=st.sampled_from("@#:/.[]()<>!-_*`~|\\&;= \nab1wW\u200b\u202e\u2028"), max_size=30))
def test_no_mixture_of_signs_takes_effect(text: str) -> None:
    _assert_harmless(platform().escape(text))


def _assert_harmless(escaped: str) -> None:
    """Every sign that Markdown or the forum acts upon is escaped or broken up."""
    assert len(escaped.splitlines()) <= 1
    unescaped = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[`*_{}\[\]()<>~|^$&!\\]", unescaped)
    assert not re.search(r"[@#]\w", escaped)
    assert not re.search(r":\S", escaped.replace(":\u2060", ": "))
    assert not re.search(r"\w\.\w", escaped)
    assert "//" not in escaped
    assert not re.match(r"[-+=>#]|\d+[.)]|\s", escaped)
    assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069\ufeff]", escaped)


def test_a_link_shows_its_label_and_leads_to_its_address() -> None:
    written = platform().link("All [about] it", "https://forum.example.org/t/a topic(1)/5")
    assert written == r"[All \[about\] it](https://forum.example.org/t/a%20topic%281%29/5)"
    assert platform().link("x", "javascript:alert(1)") == "x"


def test_a_mention_notifies_only_if_it_is_a_name() -> None:
    assert platform().mention("anna_b.c-d") == "@anna_b.c-d"
    assert platform().mention("_anna") == "@_anna"
    for name in ("__b__", "_b_", "a__b", "b.", "-b"):  # names that no forum lets anybody choose
        assert not platform().mention(name).startswith("@")
    assert "@all" not in platform().mention("x @all")


def test_it_speaks_of_topics_and_posts() -> None:
    assert [platform().words(kind) for kind in Kind] == ["user", "category", "topic", "post", "group"]
