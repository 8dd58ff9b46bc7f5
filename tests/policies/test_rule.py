"""Rules: any condition, any verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordito.connectors.actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    GrantBadge,
    MoveThread,
    NotifyModerators,
    RemoveFromGroup,
    Reply,
    SendMessage,
    SetLabels,
    SetTitle,
    UnlistThread,
)
from ordito.connectors.records import Ref
from tests.policies.town import Town


def rule(do: str, for_: str = "thread", when: str = "{posts: '>= 1'}", more: str = "") -> str:
    return f"  r: {{use: rule, on: [forum], for: {for_}, when: {when}, do: [{do}]{more}}}\n"


def test_labels_are_set_where_the_title_says_so(town: Town) -> None:
    town.settle(rule("{set_labels: {add: [setup]}}", when="{title: {matches: '(?i)install'}}"))
    town.topic("10", "2", ("2", 1, "x"), title="INSTALLing it")
    town.topic("11", "2", ("2", 1, "x"), title="Other")
    assert town.run() == [SetLabels(site="forum", thread="10", add=("setup",))]


THREAD_VERBS = [
    ("{close_thread: {}}", CloseThread(site="forum", thread="10")),
    ("{archive_thread: {}}", ArchiveThread(site="forum", thread="10")),
    ("{unlist_thread: {}}", UnlistThread(site="forum", thread="10")),
    ("{move_thread: {space: Lounge}}", MoveThread(site="forum", thread="10", space="Lounge")),
    ("{set_labels: {remove: [old]}}", SetLabels(site="forum", thread="10", remove=("old",))),
]


@pytest.mark.parametrize(("do", "action"), THREAD_VERBS)
@pytest.mark.parametrize("subject", ["thread", "contribution"])
def test_a_verb_on_threads_acts_on_the_thread_of_what_matched(
    town: Town, do: str, action: Action, subject: str
) -> None:
    town.settle(rule(do, for_=subject, when="{age: '> 1 hour'}"))
    town.topic("10", "2", ("2", 1, "x"), labels=["old"])
    assert town.run() == [action]


MEMBER_VERBS = [
    ("{add_to_group: {group: helpers}}", AddToGroup(site="forum", member="2", group="helpers")),
    ("{remove_from_group: {group: new}}", RemoveFromGroup(site="forum", member="2", group="new")),
    ("{grant_badge: {badge: Star}}", GrantBadge(site="forum", member="2", badge="Star")),
    ("{set_title: {title: Sage}}", SetTitle(site="forum", member="2", title="Sage")),
]


@pytest.mark.parametrize(("do", "action"), MEMBER_VERBS)
@pytest.mark.parametrize(
    ("subject", "when"),
    [("member", "{posts: '>= 1'}"), ("thread", "{posts: '>= 1'}"), ("contribution", "{likes: '>= 0'}")],
)
def test_a_verb_on_members_acts_on_the_author_of_what_matched(
    town: Town, do: str, action: Action, subject: str, when: str
) -> None:
    town.settle(rule(do, for_=subject, when=when))
    town.member("2", groups=["new"])
    town.topic("10", "2", ("2", 1, "x"))
    town.change(Ref("forum", "contribution", "1000"), likes=1)
    assert town.run() == [action]


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("reply", Reply), ("send_message", SendMessage), ("notify_moderators", NotifyModerators)],
)
def test_a_message_carries_the_note_and_says_why_and_how_to_stop(
    town: Town, verb: str, kind: type[Action]
) -> None:
    town.settle(rule(f"{{{verb}: {{message: rule-note, note: Look here.}}}}"))
    town.member("2")
    town.topic("10", "2", ("2", 1, "x"))
    (action,) = town.run()
    assert isinstance(action, kind)
    text = action.text  # type: ignore[union-attr]
    assert "Look here." in text
    assert "the rule “r”" in text
    assert "STOP" in text


def test_what_is_so_already_is_not_done(town: Town) -> None:
    town.settle(rule("{close_thread: {}}, {set_labels: {add: [a]}}, {add_to_group: {group: g}}"))
    town.member("2", groups=["g"])
    town.topic("10", "2", ("2", 1, "x"), labels=["a"], closed=True)
    assert town.run() == []


def test_labels_are_set_again_only_if_the_rule_says_again(town: Town) -> None:
    town.settle(rule("{set_labels: {add: [a]}}"))
    town.topic("10", "2", ("2", 1, "x"))
    assert len(town.run()) == 1
    town.later(days=400)
    assert town.run() == []


def test_after_so_long_it_may_act_again_and_not_before(town: Town) -> None:
    town.settle(rule("{set_labels: {add: [a]}}", more=", again: 30 days"))
    town.topic("10", "2", ("2", 1, "x"))
    assert len(town.run()) == 1
    town.later(days=29)
    assert town.run() == []
    town.later(days=1)
    assert len(town.run()) == 1
    town.later(days=29)
    assert town.run() == []


def test_members_whom_no_message_reaches_are_left_out(town: Town) -> None:
    town.settle(rule("{send_message: {message: rule-note}}", for_="member"))
    for id, fields in (("2", {"bot": True}), ("3", {"suspended_until": town.ago(-3)}), ("4", {})):
        assert isinstance(fields, dict)
        town.member(id, **fields)
        town.topic(f"1{id}", id, (id, 1, "x"))
    assert [each.item.id for each in town.run()] == ["4"]


def test_what_has_no_known_author_is_reported(town: Town) -> None:
    town.settle(rule("{add_to_group: {group: g}}", when="{age: '> 1 hour'}"))
    topic = town.topic("10", None, ("2", 1, "x"))
    plan = town.plan()
    assert not plan.proposals
    assert [each.by for each in plan.held] == ["unknown"], topic


def own_message(town: Town, text: str) -> None:
    folder: Path = town.folder / "messages" / "en"
    folder.mkdir(parents=True)
    (folder / "mine.markdown.j2").write_text(f"Subject: S\n\n{text}\n\n{{{{ why }}}} {{{{ stop }}}}\n")


def test_a_template_gets_the_facts_of_the_item_in_words_and_escaped(town: Town) -> None:
    facts = "L={{ facts['labels'] }} A={{ facts['age'] }} P={{ facts['posts'] }}"
    own_message(town, "T={{ thread.title }} " + facts)
    town.settle(rule("{reply: {message: mine}}", when="{posts: '>= 1', labels: [b]}"))
    town.member("2")
    town.topic("10", "2", ("2", 1, "x"), title="@all *now*", labels=["b", "a_c"])
    (reply,) = town.run()
    assert isinstance(reply, Reply)
    assert "@all" not in reply.text
    assert r"\*now\*" in reply.text
    assert r"L=a\_c, b A=2026-03-30 P=1" in reply.text


def test_the_title_in_a_message_is_the_threads_even_where_the_authors_was_asked_for(town: Town) -> None:
    own_message(town, "T={{ thread.title }}")
    town.settle(rule("{reply: {message: mine}}", when="{author.title: Sage}"))
    town.member("2", title="Sage")
    town.topic("10", "2", ("2", 1, "x"), title="Pruning")
    (reply,) = town.run()
    assert isinstance(reply, Reply)
    assert "T=Pruning" in reply.text


def test_reasons_name_what_stands_under_a_not_as_it_stands(town: Town) -> None:
    when = "{not: {labels: [keep]}, any: [{posts: '> 5'}, {posts: '< 3'}]}"
    town.settle(rule("{close_thread: {}}", when=when))
    town.topic("10", "2", ("2", 1, "x"))
    (proposal,) = town.proposed()
    assert [(each.fact, each.condition) for each in proposal.because] == [
        ("labels", "not keep"),
        ("posts", "< 3"),
    ]
