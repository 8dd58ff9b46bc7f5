"""The mirror as records again, to be compared with a site's own state; and people who act at random."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import Any

from sqlalchemy import Table, select

from ordito.config.errors import ConnectorError
from ordito.connectors.records import Contribution, ContributionKind, Member, Thread, ThreadKind
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, members, states, texts, threads
from ordito.sync.store.times import moment
from tests.connectors.adapter import Site, Truth, Unsupported, seen

_TIMES = (
    "joined_at", "last_seen_at", "suspended_until", "silenced_until", "deleted_at", "created_at",
    "last_activity_at", "updated_at",
)  # fmt: skip


def held(store: Store) -> Truth:
    """What the mirror holds of its one site and is not deleted."""
    labels, groups = _open_sets(store, "label"), _open_sets(store, "group")
    with store.read() as connection:
        raw = {row.contribution: row.text for row in connection.execute(select(texts))}
    return Truth(
        {id: Member(**row, groups=groups[id]) for id, row in _rows(store, members).items()},
        {
            id: Thread(**{**row, "kind": ThreadKind(row["kind"])}, labels=labels[id])
            for id, row in _rows(store, threads).items()
        },
        {
            id: Contribution(**{**row, "kind": ContributionKind(row["kind"])}, text=raw.get(id))
            for id, row in _rows(store, contributions).items()
        },
    )


def _rows(store: Store, table: Table) -> dict[str, dict[str, Any]]:
    with store.read() as connection:
        found = connection.execute(select(table).where(table.c.deleted_at.is_(None))).mappings().all()
    rows = [{name: value for name, value in row.items() if name != "scan"} for row in found]
    for row in rows:
        row |= {name: moment(row[name]) for name in _TIMES if name in row}
    return {row["id"]: row for row in rows}


def _open_sets(store: Store, field: str) -> Mapping[str, frozenset[str]]:
    query = select(states.c.item, states.c.value).where(states.c.field == field, states.c.valid_to.is_(None))
    sets: dict[str, set[str]] = defaultdict(set)
    with store.read() as connection:
        for row in connection.execute(query):
            sets[row.item].add(row.value)
    return defaultdict(frozenset, {id: frozenset(elements) for id, elements in sets.items()})


def assert_true(store: Store, site: Site) -> None:
    """The mirror is what the site says of itself, field by field."""
    mirror, truth = held(store), site.truth()
    for kind in ("members", "threads", "contributions"):
        ours, theirs = getattr(mirror, kind), getattr(truth, kind)
        assert ours.keys() == theirs.keys(), kind
        for id, item in theirs.items():
            there = seen(item)
            if there.get("groups", ()) is None:
                there["groups"] = site.groups_of(id)
            assert seen(ours[id]) == there


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a sync stores of a site, but the time at which it did, and the enumeration's name."""
    tables = (members, threads, contributions, texts, states)
    with store.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(*(c for c in table.columns if c.name != "scan")).order_by(*table.primary_key)
                )
            ]
            for table in tables
        }


def act(site: Site, random: Random) -> None:
    """Somebody does something; what the platform refuses does not happen."""
    truth = site.truth()
    people = sorted(id for id, member in truth.members.items() if member.suspended_until is None)
    readable = [t for t in truth.threads.values() if t.kind != ThreadKind.MESSAGE and not t.archived]
    thread = random.choice(sorted(thread.id for thread in readable))
    posts = sorted(post.id for post in truth.contributions.values() if post.thread == thread)
    someone, boss = random.choice(people), site.moderator()
    words = f"Words {random.randrange(10**6)}"
    labels = random.sample(["alpha", "beta", "gamma"], random.randrange(3))
    deeds = (
        lambda: site.open(someone, words, f"{words} to begin with.", labels),
        lambda: site.contribute(someone, thread, f"{words} in reply."),
        lambda: site.rewrite(boss, thread, f"{words} instead."),
        lambda: site.relabel(boss, thread, labels),
        lambda: site.edit(boss, random.choice(posts), f"{words}, edited."),
        lambda: site.close(boss, thread, random.random() < 0.5),
        lambda: site.archive(boss, thread),
        lambda: site.retitle(boss, thread, words),
        lambda: site.like(someone, random.choice(posts)),
        lambda: site.delete_contribution(boss, posts[-1]),
        lambda: site.delete_thread(boss, thread),
        lambda: site.suspend(boss, random.choice(people)),
        lambda: site.put_into_group(boss, someone, site.group),
        lambda: site.take_from_group(boss, someone, site.group),
        lambda: site.join(f"Newcomer{random.randrange(10**6)}"),
    )
    with suppress(Unsupported, ConnectorError, IndexError):
        random.choice(deeds)()
