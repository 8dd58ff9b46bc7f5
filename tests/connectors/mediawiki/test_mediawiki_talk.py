"""Talk pages: what is read from their wikitext."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordito.connectors.mediawiki.talk import sections, still_there, understands, without

PAGE = """\
{{Talk header}}

== How wide? ==
Is it 3 m? [[User:Bob|Bob]] ([[User talk:Bob|talk]]) 15:42, 3 May 2024 (UTC)
:It is. --[[Special:Contributions/Ann|Ann]] 10:00, 13 June 2024 (UTC)
=== And high? ===
2 m. [[User:Bob]] 10:05, 13 June 2024 (UTC) {{done}}

== Rules ==
<!-- do not archive -->
Be kind. [[User:Cy|Cy]] 10:00, 1 January 2020 (UTC)

= Part two =
Words of the page.
== Unsigned ==
Nobody said this.
"""


def test_a_section_goes_to_the_next_heading_of_its_level_and_knows_who_signed_when() -> None:
    wide, rules, unsigned = sections(PAGE, "en")
    assert (wide.title, rules.title, unsigned.title) == ("How wide?", "Rules", "Unsigned")
    assert [(each.author, each.at) for each in wide.signed] == [
        ("Bob", datetime(2024, 5, 3, 15, 42, tzinfo=UTC)),
        ("Ann", datetime(2024, 6, 13, 10, 0, tzinfo=UTC)),
        ("Bob", datetime(2024, 6, 13, 10, 5, tzinfo=UTC)),
    ]
    assert "And high?" in wide.text
    assert (wide.kept, rules.kept) == (False, True)
    assert not wide.unsigned and unsigned.unsigned and not unsigned.signed


@pytest.mark.parametrize(
    ("language", "signature"),
    [
        ("en", "[[User:Ann|Ann]] 09:05, 3 December 2024 (UTC)"),
        ("en-gb", "[[User:Ann|Ann]] 09:05, 3 December 2024 (UTC)"),
        ("it", "[[Utente:Ann|Ann]] ([[Discussioni utente:Ann|msg]]) 09:05, 3 dic 2024 (CET)"),
        ("de", "[[Benutzer:Ann|Ann]] 09:05, 3. Dez. 2024 (CET)"),
        ("fr", "[[Utilisateur:Ann|Ann]] 3 décembre 2024 à 09:05 (CET)"),
        ("es", "[[Usuario:Ann|Ann]] 09:05 3 dic 2024 (UTC)"),
    ],
)
def test_signatures_are_read_in_the_language_of_the_wiki(language: str, signature: str) -> None:
    names = ["Utente", "Discussioni utente", "Benutzer", "Utilisateur", "Usuario"]
    (found,) = sections(f"== X ==\nYes. {signature}\n", language, names)
    assert [(each.author, each.at) for each in found.signed] == [
        ("Ann", datetime(2024, 12, 3, 9, 5, tzinfo=UTC))
    ]
    assert understands(language)


def test_other_languages_and_impossible_days_are_not_understood() -> None:
    assert not understands("pl")
    (found,) = sections("== X ==\nYes. [[User:Ann]] 09:05, 31 June 2024 (UTC)\n", "en")
    assert not found.signed


def test_words_below_the_last_signature_make_a_section_unsigned() -> None:
    (found,) = sections("== X ==\nYes. [[User:Ann]] 09:05, 3 June 2024 (UTC)\n:Or no?\n", "en")
    assert found.unsigned


def test_what_is_taken_out_leaves_the_rest_as_it_was() -> None:
    wide, rules, unsigned = sections(PAGE, "en")
    kept = PAGE[PAGE.index("== Rules") : PAGE.index("== Unsigned")]
    assert without(PAGE, [wide.text, unsigned.text]) == f"{PAGE[: PAGE.index('== How')]}{kept}".rstrip()
    assert without(PAGE, [wide.text + " More."]) is None
    assert without(PAGE, [wide.text, wide.text]) is None
    assert without(PAGE, [rules.text[:-5]]) is None


def test_a_section_is_still_there_as_long_as_most_of_its_words_are() -> None:
    asked, other = "== Q ==\nHow long is the rope? 3 March", "== Q ==\nMay I bring a dog along? 4 March"
    assert still_there(f"x\n\n{asked}\n\n{other}", [asked, other]) == [True, True]
    assert still_there(f"{asked.replace('rope', 'line')}\n:Very.", [asked, other]) == [True, False]
    assert still_there("== Q ==\nArchived.\n\n== R ==\n" + asked[8:], [asked]) == [False]
