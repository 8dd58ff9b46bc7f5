"""Addresses, errors and answers, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ordito.config.errors import (
    Conflict,
    Filtered,
    Forbidden,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    ReadOnly,
    Refused,
    Unreachable,
)
from ordito.config.secret import Secret
from ordito.connectors.mediawiki.convert import Creation, Stamp
from ordito.connectors.mediawiki.faults import error_of
from ordito.connectors.mediawiki.merging import merge
from ordito.connectors.mediawiki.platform import MediaWikiPlatform
from ordito.connectors.mediawiki.recent import packed, unpacked
from ordito.connectors.mediawiki.settings import MediaWikiSettings
from ordito.connectors.records import Kind, Ref


def options(**more: Any) -> MediaWikiSettings:
    basis = {"connector": "mediawiki", "url": "https://wiki.example.org/w/api.php", "username": "Ordito@cron"}
    return MediaWikiSettings(**{**basis, "password": Secret.of("x"), **more})


WIKI = MediaWikiPlatform("wiki", options())
ROOT = MediaWikiPlatform("wiki", options(url="https://wiki.example.org/api.php"))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_an_address_and_a_word(kind: Kind) -> None:
    assert WIKI.url(Ref("wiki", kind, "7")).startswith("https://wiki.example.org/w/index.php?")
    assert WIKI.words(kind)


@pytest.mark.parametrize("kind", [Kind.THREAD, Kind.CONTRIBUTION, Kind.MEMBER, "title"])
def test_addresses_lead_back(kind: str) -> None:
    ref = Ref("wiki", kind, "User talk:Ä & B?" if kind == "title" else "77")
    assert WIKI.parse(WIKI.url(ref)) == ref


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("https://wiki.example.org/wiki/Main_Page", Ref("wiki", "title", "Main Page")),
        ("https://wiki.example.org/wiki/iPhone_x", Ref("wiki", "title", "iPhone x")),
        ("https://wiki.example.org/w/index.php/Main_Page", Ref("wiki", "title", "Main Page")),
        ("https://wiki.example.org/w/index.php?title=A%20b&action=history", Ref("wiki", "title", "A b")),
        ("https://wiki.example.org/w/index.php?title=A&oldid=12", Ref("wiki", "contribution", "12")),
        ("https://wiki.example.org/w/index.php?diff=prev&oldid=12", Ref("wiki", "contribution", "12")),
        ("https://wiki.example.org/w/index.php?curid=5", Ref("wiki", "thread", "5")),
        ("https://wiki.example.org/wiki/Special:Permalink/9", Ref("wiki", "contribution", "9")),
        ("https://wiki.example.org/wiki/Special:Diff/9", Ref("wiki", "contribution", "9")),
        ("https://wiki.example.org/wiki/Special:Redirect/user/4", Ref("wiki", "member", "4")),
        ("https://wiki.example.org/wiki/Special:Watchlist", None),
        ("https://wiki.example.org/Some_Page", Ref("wiki", "title", "Some Page")),
        ("https://wiki.example.org/w/load.php", None),
        ("https://elsewhere.example.org/wiki/Main_Page", None),
        ("ftp://wiki.example.org/wiki/X", None),
        ("http://[broken", None),
        ("no address", None),
    ],
)
def test_addresses_are_understood(url: str, ref: Ref | None) -> None:
    assert WIKI.parse(url) == ref


def test_a_wiki_at_the_root_of_its_host() -> None:
    assert ROOT.url(Ref("wiki", "thread", "5")) == "https://wiki.example.org/index.php?curid=5"
    assert ROOT.parse("https://wiki.example.org/index.php/X") == Ref("wiki", "title", "X")


def test_a_wiki_of_one_language_in_a_farm() -> None:
    german = MediaWikiPlatform("wiki", options(url="https://wiki.example.org/de/api.php"))
    assert german.parse("https://wiki.example.org/de/wiki/Zelte") == Ref("wiki", "title", "Zelte")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("readonly", ReadOnly),
        ("editconflict", Conflict),
        ("articleexists", Conflict),
        ("pagedeleted", Conflict),
        ("missingtitle", NotFound),
        ("spamblacklist", Filtered),
        ("abusefilter-warning", Filtered),
        ("abusefilter-disallowed", Filtered),
        ("titleblacklist-forbidden", Filtered),
        ("contenttoobig", Filtered),
        ("blocked", Forbidden),
        ("autoblocked", Forbidden),
        ("globalblocking-blocked", Forbidden),
        ("protectedpage", Forbidden),
        ("protectednamespace-interface", Forbidden),
        ("cascadeprotected", Forbidden),
        ("permissiondenied", Forbidden),
        ("cantcreate", Forbidden),
        ("internal_api_error_DBQueryError", OutcomeUnknown),
        ("something-new", Refused),
    ],
)
def test_what_the_wiki_refuses_says_what_to_do(code: str, kind: type[Exception]) -> None:
    error = error_of({"code": code, "info": "In\nwords."}, "wiki", write=True)
    assert type(error) is kind
    assert "\n" not in str(error)
    assert error.where == "wiki"


def test_a_fault_while_reading_is_never_an_unknown_outcome() -> None:
    assert type(error_of({"code": "internal_api_error_X"}, "wiki", write=False)) is Unreachable
    assert type(error_of({"code": "something-new"}, "wiki", write=False)) is Misconfigured


@given(st.sets(st.integers(min_value=1, max_value=10**12)))
def test_packed_ids_come_back(ids: set[int]) -> None:
    assert unpacked(packed(ids)) == ids


def test_ids_in_a_row_take_no_room() -> None:
    assert packed(set(range(10, 5000)) | {7}) == "7,10-4999"


def test_pages_in_several_answers_become_one() -> None:
    whole: dict[str, Any] = {}
    merge(whole, {"pages": [{"pageid": 1, "title": "A", "categories": [{"title": "Category:X"}]}]})
    merge(whole, {"pages": [{"pageid": 1, "title": "A", "categories": [{"title": "Category:Y"}]}]})
    merge(whole, {"pages": [{"title": "B", "missing": True}], "users": [{"userid": 1}]})
    merge(whole, {"users": [{"userid": 2}], "tokens": {"csrftoken": "t"}})
    assert [page["title"] for page in whole["pages"]] == ["A", "B"]
    assert len(whole["pages"][0]["categories"]) == 2
    assert [user["userid"] for user in whole["users"]] == [1, 2]


def test_stamps_come_back() -> None:
    for text in ("12|4|2024-01-02T03:04:05+00:00", "||", "7||"):
        assert str(Stamp.parse(text)) == text
    assert Stamp.parse("||") == Stamp("", Creation())


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://wiki.example.org/wiki"},
        {"namespaces": [-1]},
        {"namespaces": []},
        {"edits_per_minute": 0},
        {"trial": 0},
        {"username": ""},
        {"surprise": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**wrong)
