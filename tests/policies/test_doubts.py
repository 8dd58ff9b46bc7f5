"""What an audit finds to be missing makes the facts that depend on it unknown."""

from datetime import timedelta
from random import Random
from typing import get_args

import pytest
from sqlalchemy import update

from ordito.connectors.base import Aspect, Batch, Freshness
from ordito.connectors.records import Ref
from ordito.policies.doubts import aspects
from ordito.policies.facts import CATALOGUE
from ordito.sync.audit import audit_site
from ordito.sync.store.tables import checkpoints
from ordito.sync.store.times import micros
from tests.policies.town import Town
from tests.sync.fakes import FakeSite, health, source

TAG = """
  tag:
    use: rule
    for: thread
    on: [forum]
    when: {labels: {none: [installation]}, title: {contains: topic}}
    do: [{set_labels: {add: [installation]}}]
"""
COUNT = """
  busy:
    use: rule
    for: thread
    on: [forum]
    when: {posts: ">= 2"}
    do: [{set_labels: {add: [busy]}}]
"""


@pytest.mark.parametrize(
    ("missed", "policies", "unknown"),
    [
        ("labels", TAG, "labels"), ("titles", TAG, "title"), ("contributions", COUNT, "posts"),
        ("deletions", COUNT, "posts"), ("threads", COUNT, "posts"),
    ],
)  # fmt: skip
def test_what_an_audit_missed_holds_a_policy_back_and_says_by_which_fact(
    town: Town, missed: Aspect, policies: str, unknown: str
) -> None:
    settled = town.settle(policies)
    settled.topic("1", "7", ("7", 3, "How?"), ("8", 2, "So."))
    assert len(settled.plan().proposals) == 1
    find(settled, missed)
    plan = settled.plan()
    assert plan.proposals == ()
    assert [held.reason for held in plan.held if unknown in held.reason]


def test_what_a_policy_does_not_ask_about_holds_nothing_back(town: Town) -> None:
    settled = town.settle(TAG)
    settled.topic("1", "7", ("7", 3, "How?"))
    for missed in ("states", "edits", "likes", "members", "groups"):
        find(settled, missed)
        assert len(settled.plan(dry_run=True).proposals) == 1


def test_the_next_audit_that_finds_nothing_lets_it_go_on(town: Town) -> None:
    settled = town.settle(TAG)
    settled.topic("1", "7", ("7", 3, "How?"))
    find(settled, "labels")
    assert settled.plan(dry_run=True).proposals == ()
    find(settled)
    assert len(settled.plan(dry_run=True).proposals) == 1


def test_every_kind_of_change_that_can_be_missed_is_some_facts_business() -> None:
    """But of new members, of whom there is nothing to be wrong, and of what wikis hide."""
    used = {aspect for facts in CATALOGUE.values() for fact in facts.values() for aspect in aspects(fact)}
    assert used == set(get_args(Aspect)) - {"members", "suppressions"}


class Unchanged(FakeSite):
    """Has everything as the mirror has it."""

    def fetch(self, ref: Ref) -> Batch:
        return Batch()


def find(town: Town, *missed: str) -> None:
    """Have an audit find that these kinds of changes were not looked for for long."""
    long_ago = town.now - timedelta(days=90)
    with town.store.write() as connection:
        connection.execute(update(checkpoints).values(synced_at=micros(town.now)))
    site = Unchanged(state=health(), fresh=[Freshness(kind, long_ago) for kind in missed])  # type: ignore[arg-type]
    result = audit_site(town.store, source(site, town.settings.sites["forum"]), town.now, Random(1))
    assert [gap.kind for gap in result.gaps] == list(missed)
