"""Facts and conditions in SQL and in the program, against an oracle in plain Python, on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ordito.connectors.records import Ref
from ordito.policies.community import Community, SiteView
from ordito.policies.comparisons import AtLeast, PartlyKnown
from ordito.policies.conditions import NEVER, NOTHING_ASKED, parse
from ordito.policies.facts import Subject, find_fact, names
from ordito.policies.query import Coverage
from ordito.sync.store.store import Store
from tests.policies import judging
from tests.policies.oracle import Oracle
from tests.policies.worlds import NOW, ORDER, SITE, World, conditions, worlds

SUBJECTS: tuple[Subject, ...] = ("member", "thread", "contribution")
FACTS = {
    subject: {name: find_fact(name, subject).fact for name in names(subject)} for subject in SUBJECTS
}
TYPES = {subject: {name: fact.type for name, fact in FACTS[subject].items()} for subject in SUBJECTS}
CONDITIONS = {subject: conditions(subject, FACTS[subject]) for subject in SUBJECTS}
PAST = NOW - timedelta(days=205)

# The tables of one example are rolled back with its transaction, so that the store serves them all.
# ORDITO_EXAMPLES: how many communities, for a longer search than every run of the suite can afford.
both_databases = settings(
    max_examples=int(os.environ.get("ORDITO_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def looked_at(
    store: Store, world: World, moment: datetime, live: bool, only: Ref | None = None
) -> Iterator[Community]:
    with store.engine.connect() as conn:
        begun = conn.begin()
        try:
            world.load(conn)
            community = Community(conn, {SITE: _view(world)}, moment, live=live, only=only)
            yield community
        finally:
            begun.rollback()


def _view(world: World) -> SiteView:
    return SiteView(SITE, world.family, world.coverage)


def _plain(value: Any) -> Any:
    """A value of the program in the oracle's words."""
    if isinstance(value, AtLeast):
        return judging.AtLeast(int(value))
    if isinstance(value, PartlyKnown):
        return judging.PartlyDark(frozenset(value), value.dark)
    return value


@both_databases
@given(data=st.data(), world=worlds(), live=st.booleans())
def test_every_fact_of_every_item_is_what_its_words_say(
    store: Store, data: Any, world: World, live: bool
) -> None:
    moment = NOW if live else data.draw(st.sampled_from([PAST, NOW, NOW - timedelta(days=30)]))
    truth = Oracle(world, moment, live)
    with looked_at(store, world, moment, live) as community:
        for subject in SUBJECTS:
            far = [name for name in FACTS[subject] if "." in name]
            asked = [name for name in FACTS[subject] if "." not in name]
            asked += data.draw(st.lists(st.sampled_from(far), max_size=6)) if far else []
            uses = [find_fact(name, subject) for name in dict.fromkeys(asked)]
            found = {m.ref.id: m for m in community.select(subject, SITE, NOTHING_ASKED, NEVER, uses)}
            assert set(found) == {row["id"] for row in truth.items(subject)}, subject
            for row in truth.items(subject):
                for name in asked:
                    got = _plain(found[row["id"]].values[name])
                    assert got == truth.fact(subject, row, name), (subject, row["id"], name)


@both_databases
@given(data=st.data(), world=worlds(), live=st.booleans(), subject=st.sampled_from(SUBJECTS))
def test_a_condition_means_the_items_that_the_oracle_finds_and_each_alone_like_all(
    store: Store, data: Any, world: World, live: bool, subject: Subject
) -> None:
    moment = NOW if live else data.draw(st.sampled_from([PAST, NOW]))
    truth = Oracle(world, moment, live)
    pairs = data.draw(st.lists(st.tuples(CONDITIONS[subject], st.none() | CONDITIONS[subject]),
                               min_size=1, max_size=4))  # fmt: skip
    rows = truth.items(subject)
    with looked_at(store, world, moment, live) as community:
        for document, exception in pairs:
            note(f"when: {document} except: {exception}")
            when = parse(document, subject)
            unless = NEVER if exception is None else parse(exception, subject)
            asked = {row["id"]: truth.holds(subject, row, document, TYPES[subject]) for row in rows}
            barred = {
                row["id"]: exception is not None and truth.holds(subject, row, exception, TYPES[subject])
                for row in rows
            }
            expected = {id for id in asked if asked[id] is True and barred[id] is False}
            whole = {match.ref.id: match for match in community.select(subject, SITE, when, unless)}
            assert set(whole) == expected
            unknown = sum(1 for id in asked if None in (asked[id], barred[id])
                          and asked[id] is not False and barred[id] is not True)  # fmt: skip
            assert community.unknown(subject, SITE, when, unless) == unknown
            for id in asked:
                community.only = Ref(SITE, subject, id)
                alone = list(community.select(subject, SITE, when, unless))
                assert [match.ref.id for match in alone] == ([id] if id in expected else [])
                for match in alone:
                    assert match.values == whole[id].values
                    assert match.because == whole[id].because
            community.only = None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_oracle_knows_every_fact_of_the_catalogue(subject: Subject) -> None:
    for name in FACTS[subject]:
        if "." not in name:
            assert hasattr(Oracle, f"_{subject}_{name}"), name


def test_what_is_known_to_be_false_is_not_counted_as_unknown(store: Store) -> None:
    member = {"site": SITE, "id": "1", "username": "user1", "name": "", "bot": False, "staged": False,
              "admin": False, "moderator": False, "scan": ""}  # fmt: skip
    world = World("forum", Coverage(), {**dict.fromkeys(ORDER, []), "members": [member]})
    with looked_at(store, world, NOW, live=True) as community:
        for document in ({"admin": False}, {"not": {"admin": True}}, {"bot": False, "title": "x"}):
            unknown = community.unknown("member", SITE, parse(document, "member"))
            assert unknown == ("title" in document)
