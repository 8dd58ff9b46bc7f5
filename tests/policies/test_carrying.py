"""What a backtest carries from one moment to the next is what it would find out anew, on both databases."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ordito.policies.carrying import OWNERS, Carried
from ordito.policies.community import Community
from ordito.policies.conditions import NEVER, NOTHING_ASKED
from ordito.policies.facts import CATALOGUE, FactUse, Subject
from ordito.sync.store.store import Store
from tests.policies.test_oracle import both_databases, looked_at
from tests.policies.worlds import NOW, SITE, World, worlds

SUBJECTS: tuple[Subject, ...] = ("member", "thread")
DAYS = st.lists(st.integers(min_value=0, max_value=420), min_size=2, max_size=4, unique=True)


def told(community: Community) -> dict[Subject, Any]:
    """All facts of all members and threads that come from what is carried."""
    return {
        subject: {
            match.ref.id: match.values
            for match in community.select(subject, SITE, NOTHING_ASKED, NEVER, uses(subject))
        }
        for subject in SUBJECTS
    }


def uses(subject: Subject) -> list[FactUse]:
    return [FactUse(fact) for fact in CATALOGUE[subject].values() if fact.source in OWNERS]


@settings(both_databases, max_examples=int(os.environ.get("ORDITO_EXAMPLES", "8")))
@given(world=worlds(), days=DAYS)
def test_facts_carried_over_several_moments_are_those_of_each_moment(
    store: Store, world: World, days: list[int]
) -> None:
    moments: list[datetime] = [NOW - timedelta(days=ago) for ago in sorted(days, reverse=True)]
    with looked_at(store, world, moments[0], live=False) as anew:
        carried = Carried(anew.conn, moments[0], moments[-1])
        for moment in moments:
            fresh = Community(anew.conn, anew.sites, moment, live=False)
            over = Community(anew.conn, anew.sites, moment, live=False, carried=carried)
            assert told(over) == told(fresh), moment
            fresh.close()
            over.close()
        carried.close()
