"""Wikitext changed in place: everything that is not meant stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.connectors.base import Marker
from ordito.connectors.mediawiki.wikitext import CategoryLinks, between, objection, section
from ordito.connectors.mediawiki.writing.editing import summary_of
from ordito.connectors.mediawiki.writing.withdraw import without_section

LINKS = CategoryLinks("Category", frozenset({"category", "kategorie"}))


def change(text: str, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> str:
    return LINKS.change(text, add, remove)


@pytest.mark.parametrize(
    ("before", "add", "remove", "after"),
    [
        ("Text.", ("A",), (), "Text.\n\n[[Category:A]]"),
        ("", ("A",), (), "[[Category:A]]"),
        ("x\n[[Category:A]]\n[[de:X]]", ("B",), (), "x\n[[Category:A]]\n[[Category:B]]\n[[de:X]]"),
        ("x [[kategorie: a_b |Sort]]", ("A b",), (), "x [[kategorie: a_b |Sort]]"),
        ("x\n[[Category:A]]\n[[Category:B]]", (), ("A",), "x\n[[Category:B]]"),
        ("x\n[[Category:A]]\n[[Category:B]]", (), ("B",), "x\n[[Category:A]]"),
        ("x [[Category:A|k]] y", (), ("a",), "x  y"),
        ("[[:Category:A]]", ("A",), (), "[[:Category:A]]\n\n[[Category:A]]"),
        ("[[Category talk:A]]", (), ("A",), "[[Category talk:A]]"),
        ("<nowiki>[[Category:A]]</nowiki>", (), ("A",), "<nowiki>[[Category:A]]</nowiki>"),
        ("<!-- [[Category:A]] -->", (), ("A",), "<!-- [[Category:A]] -->"),
        ("{{Box|[[Category:A]]}}", (), ("A",), "{{Box|[[Category:A]]}}"),
        ("x\n[[Category:A]]", ("B",), ("A",), "x\n\n[[Category:B]]"),
        ("a\r\n''b'' {{c|d=e}}  \n\n", ("A",), (), "a\r\n''b'' {{c|d=e}}  \n\n[[Category:A]]"),
    ],
)
def test_categories_come_and_go(
    before: str, add: tuple[str, ...], remove: tuple[str, ...], after: str
) -> None:
    assert change(before, add, remove) == after


def test_a_wiki_may_tell_small_first_letters_from_capitals() -> None:
    exact = CategoryLinks("Category", frozenset({"category"}), capital=False)
    assert exact.change("[[category:iPhone]]", ("IPhone",), ()) == "[[category:iPhone]]\n[[Category:IPhone]]"
    assert exact.of("[[Category:iPhone]] {{x|[[Category:Deep]]}}") == {"iPhone", "Deep"}


@given(st.text(alphabet="ab [](){}|=<>!-'\n*:#", max_size=60))
def test_adding_a_category_only_appends_and_removing_it_brings_the_text_back(text: str) -> None:
    added = change(text, ("Zzz",))
    assert change(added, ("Zzz",)) == added
    if added.endswith("\n[[Category:Zzz]]"):
        assert change(added, (), ("Zzz",)).rstrip("\n") == text.rstrip("\n")


@given(st.text(alphabet="ab [](){}|=<>!-'\n*:#", max_size=80))
def test_no_change_asked_for_is_no_change_made(text: str) -> None:
    assert change(text) == text


def test_sections_are_found_by_number_and_heading() -> None:
    text = "lead\n== A ==\na\n=== A1 ===\na1\n<nowiki>== N ==</nowiki>\n== B ==\nb"
    cut = {name: text[p.start : p.end] for name in ("0", "1", "A1", "B", "3") if (p := section(text, name))}
    assert cut == {
        "0": "lead\n",
        "1": "== A ==\na\n=== A1 ===\na1\n<nowiki>== N ==</nowiki>\n",
        "A1": "=== A1 ===\na1\n<nowiki>== N ==</nowiki>\n",
        "B": "== B ==\nb",
        "3": "== B ==\nb",
    }
    assert section(text, "N") is None


def test_markers_count_once_and_in_order() -> None:
    assert between("a<x>b<y>c", ("<x>", "<y>")) is not None
    assert between("a<y>b<x>c", ("<x>", "<y>")) is None
    assert between("<x><x><y>", ("<x>", "<y>")) is None


def test_a_section_is_taken_out_only_as_it_was() -> None:
    before, ours = "== A ==\na", "== W ==\n\nHi [[User:O|O]]"
    after = f"{before}\n\n{ours}"
    assert without_section(after, before, after) == before
    assert without_section(f"{after}\n\n== C ==\nc", before, after) == f"{before}\n\n== C ==\nc"
    assert without_section(f"{after}\n:thanks", before, after) is None
    assert without_section(after.replace("Hi", "Ho"), before, after) is None
    assert without_section(ours, "", ours) == ""


def test_objections_are_taken_as_written() -> None:
    assert objection("x {{Bots|deny=AWB,ordito}} y", "Ordito") == "{{Bots|deny=AWB,ordito}}"
    assert objection("{{bots|optout=welcome}}", "Ordito") == ""
    assert objection("{{bots|optout=welcome}}", "Ordito", "welcome") != ""
    assert objection("{{bots}}\n{{bots|allow=all}}", "Ordito") != ""
    assert objection("{{nobotsplease}}", "Ordito") == ""


def test_the_token_is_never_cut_from_a_summary() -> None:
    summary = summary_of("w" * 400, Marker("p1-abc", "n" * 400))
    assert len(summary) <= 500 and summary.endswith("(ordito p1-abc)")
    assert "\n" not in summary_of("a\nb", Marker("t", "c\nd"))
