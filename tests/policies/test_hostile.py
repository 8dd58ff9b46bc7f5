"""Whatever people call themselves and their topics: our messages say it, and do nothing else.

Two communities are alike but for their names: one has hostile ones, one has plain words. Where the escaped
forms of those are taken out, what we write must be the same to the letter; and as it is shown, on a forum and
on a wiki, it must have the same effects.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ordito.connectors.actions import EditText
from ordito.connectors.base import Platform
from ordito.connectors.discourse import markdown
from ordito.policies.engine import Plan
from ordito.policies.pages import MARKERS, block
from ordito.sync.store.store import Store
from tests.policies import rendering
from tests.policies.hostile import HOSTILE
from tests.policies.town import NOW, Town

PLAIN = tuple(f"Plain{number}word" for number in range(len(HOSTILE)))
FIRST = 100
"""Number of the first of the people."""
LAW = """\
constitution:
  limits: {per_run: 100000, per_policy: 100000, share: 100%}
  contact: {messages: 100000, per: 7 days}
"""


def policies(site: str) -> str:
    """Every kind with every message that it writes, on one site."""
    notes = ", ".join(
        f"{{{verb}: {{message: rule-note}}}}" for verb in ("reply", "send_message", "notify_moderators")
    )
    least = "at_least: {evidence: 1, people: 1}"
    return f"""\
  w: {{use: welcome, on: [{site}], when: {{posts: ">= 1"}}, send: {{with: [greeters]}}}}
  s: {{use: stale, on: [{site}], when: {{quiet: "> 100 days"}}, warn: {{grace: 14 days}}, then: [close]}}
  r: {{use: rule, on: [{site}], for: thread, when: {{age: "> 1 hour"}}, do: [{notes}]}}
  c: {{use: rule, on: [{site}], for: contribution, when: {{age: "> 1 hour"}},
      do: [{{reply: {{message: facts}}}}]}}
  a: {{use: experts, on: [{site}], areas: spaces, {least}, give: {{title: "On {{area}}",
      directory: "wiki:title:Club:Experts"}}}}
  l: {{use: experts, on: [{site}], areas: labels, {least}, consent: assumed,
      give: {{directory: "wiki:title:Club:Experts"}}}}
"""


def live(town: Town, site: str, number: int, words: str) -> None:
    """Everything that somebody can name, named alike: accounts, titles, a space, a label, a topic."""
    me, they, kind = f"{number}", f"{number}b", "topic" if site == "forum" else "page"
    town.member(me, site=site, username=f"{words}{number}", name=words, joined=10, title=words)
    town.member(they, site=site, username=f"{words}-{number}", groups=["greeters"], joined=900)
    town.space(f"s{number}", words, site)
    title, space = f"{words} so?", f"s{number}"
    for topic, author, other, days in (("q", me, None, 9), ("t", they, me, 300), ("u", me, they, 300)):
        town.topic(f"{number}{topic}", author, (author, days, title), space=space, labels=[words], site=site,
                   kind=kind, title=title)  # fmt: skip
        if other:
            town.post(f"{number}{topic}", other, days - 5, words, site=site)
    town.post(f"{number}u", they, 2, words, site=site)


Numbered = Sequence[tuple[int, str]]


def planned(folder: Path, site: str, language: str, names: Numbered) -> tuple[Plan, Platform]:
    own = folder / "messages" / "en"
    own.mkdir(parents=True)
    facts = "{% for name in facts %}{{ name }}={{ facts[name] }}\n{% endfor %}"
    for markup in ("markdown", "wikitext"):
        text = f"Subject: {{{{ thread.title }}}}\n\n{facts}\n{{{{ why }}}} {{{{ stop }}}}\n"
        (own / f"facts.{markup}.j2").write_text(text)
    store = Store.open(f"sqlite:///{folder}/ordito.db", now=NOW)
    town = Town(store, folder).settle(policies(site), LAW, more=f"language: {language}\n")
    with town.at_once():
        for number, words in names:
            live(town, site, number, words)
    plan = town.plan(dry_run=True)
    store.close()
    return plan, town.platforms[site]


def escaped(platforms: list[Platform]) -> list[str]:
    """Any of the names in a form that a platform makes harmless, the longest first."""
    forms = set()
    for platform in platforms:
        for names in (HOSTILE, PLAIN):
            for number, words in enumerate(names, FIRST):
                accounts = (f"{words}{number}", f"{words}-{number}")
                forms |= {platform.mention(each) for each in accounts}
                forms |= {platform.escape(each) for each in (words, f"{words} so?", f"On {words}", *accounts)}
    return sorted(forms, key=len, reverse=True)


def as_title(name: str) -> str:
    """A name as it stands in the title of a topic, which is plain text: without the marks of escaping."""
    return re.sub(r"\\([!-/:-@\[-`{-~])|\u2060", r"\1", name)


def skeleton(plan: Plan, names: list[str]) -> dict[str, list[str]]:
    """The lines that are written for each proposal, without the names; those of the directory are in the
    order of the names, which is not asked about here."""
    found: dict[str, list[str]] = {}
    titles = sorted({*names, *map(as_title, names)}, key=len, reverse=True)
    for proposal in plan.proposals:
        action = proposal.action
        subject, text = getattr(action, "subject", ""), getattr(action, "text", "")
        assert "\n" not in subject
        for name in names:
            text = text.replace(name, "\N{BULLET}")
        text = re.sub(r"(/u/)\S+", "\\1\N{BULLET}", text)  # their addresses
        for name in titles:
            subject = subject.replace(name, "\N{BULLET}")
        lines = [subject, *text.splitlines()]
        directory = isinstance(action, EditText)
        found[f"{proposal.policy} {proposal.item} {proposal.step}"] = sorted(lines) if directory else lines
    return found


def _no_name_ends_or_begins_our_part_of_a_page(plan: Plan) -> None:
    pages = [each.action for each in plan.proposals if isinstance(each.action, EditText)]
    assert pages
    for page in pages:
        assert block(f"before\n{MARKERS[0]}\n{page.text}\n{MARKERS[1]}\nafter", MARKERS) == page.text


@dataclass(frozen=True)
class Twins:
    """What is planned for two communities that are alike but for their names."""

    hostile: Plan
    plain: Plan
    names: list[str]
    """Every form of a name that a platform makes harmless."""


PLACES = [("forum", "en"), ("forum", "it"), ("wiki", "en"), ("wiki", "it")]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Twins]:
    """Made once for each place. Every name is on both sites, and in one of the two languages; with
    `ORDITO_EXAMPLES` in both."""
    made: dict[tuple[str, str], Twins] = {}

    def make(site: str, language: str) -> Twins:
        half = PLACES.index((site, language)) % 2
        chosen = slice(0, None) if "ORDITO_EXAMPLES" in os.environ else slice(half, None, 2)
        folder = tmp_path_factory.mktemp("twins")
        hostile, plain = (list(enumerate(names, FIRST))[chosen] for names in (HOSTILE, PLAIN))
        ours, platform = planned(folder / "hostile", site, language, hostile)
        theirs, _ = planned(folder / "plain", site, language, plain)
        wiki = planned(folder / "none", "wiki", language, ())[1]
        return Twins(ours, theirs, escaped([platform, wiki]))

    def get(site: str, language: str) -> Twins:
        if (site, language) not in made:
            made[site, language] = make(site, language)
        return made[site, language]

    return get


@pytest.mark.parametrize(("site", "language"), PLACES)
def test_hostile_names_and_titles_change_nothing_but_themselves(
    twins: Callable[[str, str], Twins], site: str, language: str
) -> None:
    both = twins(site, language)
    verbs = {proposal.verb for proposal in both.hostile.proposals}
    assert verbs >= {"send_message", "reply", "notify_moderators", "edit_text"}
    ours, theirs = skeleton(both.hostile, both.names), skeleton(both.plain, both.names)
    assert ours.keys() == theirs.keys()
    for key, lines in ours.items():
        assert lines == theirs[key], key
    _no_name_ends_or_begins_our_part_of_a_page(both.hostile)


@pytest.mark.parametrize(("site", "language"), PLACES)
def test_what_is_shown_of_hostile_names_are_words_and_nothing_else(
    twins: Callable[[str, str], Twins], request: pytest.FixtureRequest, site: str, language: str
) -> None:
    """On the forum every text as a post shows it; on a real MediaWiki as a page, with its summary."""
    both = twins(site, language)
    hostile, plain = texts(both.hostile, site), texts(both.plain, site)
    assert len(hostile) == len(plain) > 100
    if site == "forum":
        legal = {f"mention {each}" for each in mentions()}
        for (key, ours), (_, theirs) in zip(hostile.items(), plain.items(), strict=True):
            shown = rendering.on_a_forum(ours[1])
            assert without_mentions(shown) == without_mentions(rendering.on_a_forum(theirs[1])), key
            assert {effect for effect in shown if effect.startswith("mention ")} <= legal, key
        return
    reader = request.getfixturevalue("mediawiki").bot()
    assert rendering.on_a_wiki(reader, list(hostile.values())) == rendering.on_a_wiki(
        reader, list(plain.values())
    )
    headings = sorted({heading for heading, _ in hostile.values()})
    links = rendering.links_of_summaries(reader, headings)
    assert {link.partition("#")[0] for link in links} == {"/index.php?title=API"}, "to their sections only"


def texts(plan: Plan, site: str) -> dict[str, tuple[str, str]]:
    """Subject and text of every proposal for this site, in the same order for twins."""
    found = {}
    for proposal in sorted(plan.proposals, key=lambda each: (each.policy, str(each.item), each.step)):
        action = proposal.action
        if action.site == site and (text := getattr(action, "text", "")):
            subject = getattr(action, "subject", "") or "Heading"
            found[f"{proposal.policy} {proposal.item} {proposal.step}"] = (subject, text)
    return found


def mentions() -> set[str]:
    """How accounts may be mentioned: those whose names are names."""
    pairs = enumerate(HOSTILE, FIRST)
    accounts = (f"{words}{end}" for number, words in pairs for end in (number, f"-{number}"))
    return {f"@{name}" for name in accounts if markdown.mention(name).startswith("@")}


def without_mentions(effects: Counter[str]) -> Counter[str]:
    return Counter({effect: n for effect, n in effects.items() if not effect.startswith("mention ")})


def test_the_corpus_has_no_name_twice_and_is_large_enough() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60
