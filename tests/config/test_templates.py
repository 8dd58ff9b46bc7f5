"""The shipped messages, in every language and markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ordito.config
from ordito.config.templates import TEMPLATES
from ordito.connectors.discourse.markdown import escape
from ordito.policies.messages import Messages

FOLDER = Path(next(iter(ordito.config.__path__))) / "messages"
LANGUAGES = ("en", "it")
MARKUPS = ("markdown", "wikitext")
EACH = [(name, lang, markup) for name in TEMPLATES for lang in LANGUAGES for markup in MARKUPS]


def test_every_message_exists_in_every_language_and_markup_and_no_other_file_does() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert files == {f"{language}/{name}.{markup}.j2" for name, language, markup in EACH}


@pytest.mark.parametrize(("name", "language", "markup"), EACH)
def test_a_message_says_why_it_came_from_whom_and_how_to_stop(name: str, language: str, markup: str) -> None:
    template = TEMPLATES[name]
    messages = Messages()
    assert messages.faults(name, language, markup) == []
    for full in (True, False):
        values = template.values(full=full)
        rendered = messages.render(name, language, markup, values)
        assert rendered.language == language
        for said in (values["why"], values["stop"], "Ordito"):
            assert said in rendered.text
        assert rendered.subject
        assert not re.search(r"<[a-z/!]|\n\n\n| \n|\{\{|\}\}|  ", rendered.text)


@pytest.mark.parametrize(("name", "language", "markup"), EACH)
def test_a_message_uses_all_that_it_may_and_nothing_else(name: str, language: str, markup: str) -> None:
    from jinja2 import Environment, meta

    source = (FOLDER / language / f"{name}.{markup}.j2").read_text(encoding="utf-8")
    used = meta.find_undeclared_variables(Environment(autoescape=True).parse(source))
    assert used == set(TEMPLATES[name].variables)


@pytest.mark.parametrize(("language", "word"), [("en", "welcome"), ("it", "benvenuto")])
def test_a_newcomer_with_an_open_question_is_told_that_it_is_seen(language: str, word: str) -> None:
    values = TEMPLATES["welcome"].values(full=True)
    rendered = Messages().render("welcome", language, "markdown", values)
    assert word in rendered.subject.lower()
    assert "[Which loom?](https://example.org/t/1)" in rendered.text
    plain = Messages().render("welcome", language, "markdown", TEMPLATES["welcome"].values(full=False))
    assert "https://" not in plain.text


@pytest.mark.parametrize("name", ["kind_thistle", "Q&A *now*", "@all", "sam.potter", "a\\b", "[x](y) :no:"])
def test_the_title_of_a_private_message_shows_names_and_areas_as_they_are(name: str) -> None:
    values = {**TEMPLATES["expert-consent"].values(full=True), "area": escape(name)}
    rendered = Messages().render("expert-consent", "en", "markdown", values)
    assert rendered.subject == f"May we name you as someone who knows about {name}?"
    assert f"contributions on {escape(name)} have" in rendered.text


def test_the_heading_on_a_talk_page_stays_escaped_as_it_is_wikitext() -> None:
    values = {**TEMPLATES["expert-consent"].values(full=True), "area": "&#91;&#91;x&#93;&#93;"}
    rendered = Messages().render("expert-consent", "en", "wikitext", values)
    assert "&#91;&#91;x&#93;&#93;?" in rendered.subject


def test_one_greeter_is_one_person_in_italian() -> None:
    values = {**TEMPLATES["welcome"].values(full=True), "greeters": ["@bea"]}
    assert "lo legge anche @bea, che ti darà" in Messages().render("welcome", "it", "markdown", values).text
    values["greeters"] = ["@bea", "@carl"]
    text = Messages().render("welcome", "it", "markdown", values).text
    assert "lo leggono anche @bea, @carl, che ti daranno" in text


def test_signatures_stand_on_talk_pages_only() -> None:
    for name, language, markup in EACH:
        text = Messages().render(name, language, markup, TEMPLATES[name].values(full=True)).text
        assert text.endswith("~~~~\n") == (markup == "wikitext" and name != "directory")
