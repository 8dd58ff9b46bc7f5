"""Whatever people call themselves and their topics: our messages say it, and do nothing else.

Two communities are alike but for their names: one has hostile ones, one has plain words. Where the escaped
forms of those are taken out, what we write must be the same to the letter.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ordito.connectors.actions import EditText
from ordito.connectors.base import Platform
from ordito.policies.engine import Plan
from ordito.policies.pages import MARKERS, block
from ordito.sync.store.store import Store
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


def planned(folder: Path, site: str, language: str, names: tuple[str, ...]) -> tuple[Plan, Platform]:
    own = folder / "messages" / "en"
    own.mkdir(parents=True)
    facts = "{% for name in facts %}{{ name }}={{ facts[name] }}\n{% endfor %}"
    for markup in ("markdown", "wikitext"):
        text = f"Subject: {{{{ thread.title }}}}\n\n{facts}\n{{{{ why }}}} {{{{ stop }}}}\n"
        (own / f"facts.{markup}.j2").write_text(text)
    store = Store.open(f"sqlite:///{folder}/ordito.db", now=NOW)
    town = Town(store, folder).settle(policies(site), LAW, more=f"language: {language}\n")
    with town.at_once():
        for number, words in enumerate(names, FIRST):
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


@pytest.mark.parametrize(("site", "language"), [("forum", "en"), ("wiki", "it")])
def test_hostile_names_and_titles_change_nothing_but_themselves(
    tmp_path: Path, site: str, language: str
) -> None:
    hostile, platform = planned(tmp_path / "hostile", site, language, HOSTILE)
    plain, _ = planned(tmp_path / "plain", site, language, PLAIN)
    wiki = planned(tmp_path / "none", "wiki", language, ())[1]
    names = escaped([platform, wiki])
    verbs = {proposal.verb for proposal in hostile.proposals}
    assert verbs >= {"send_message", "reply", "notify_moderators", "edit_text"}
    ours, theirs = skeleton(hostile, names), skeleton(plain, names)
    assert ours.keys() == theirs.keys()
    for key, lines in ours.items():
        assert lines == theirs[key], key
    _no_name_ends_or_begins_our_part_of_a_page(hostile)


def test_the_corpus_has_no_name_twice_and_is_large_enough() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60
