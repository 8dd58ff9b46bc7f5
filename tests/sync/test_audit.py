"""What an audit finds, and what it must not take for a gap."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

import pytest
from sqlalchemy import select, update

from ordito.config.errors import Unreachable
from ordito.config.model import Exclude, SiteSettings
from ordito.connectors.base import Batch
from ordito.connectors.records import Kind, Record, Ref
from ordito.sync.audit import Audited, audit_site
from ordito.sync.mirror import known_gaps
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, gaps, states, texts, threads
from tests.sync.fakes import FakeSite, health, source, sync_one
from tests.sync.records import SITE, day, member, post, thread

RECORDS = (member("1"), thread("1", labels=frozenset({"a"})), post("1"), post("2"))


def site_with(records: Sequence[Record] = RECORDS, **counts: int) -> FakeSite:
    """A site that has these records: in its changes, and whatever is asked for."""
    items: dict[Ref, list[Record]] = {}
    for record in records:
        ref = getattr(record, "ref", None)
        if ref is not None:
            inside = [r for r in records if getattr(r, "thread", None) == ref.id and ref.kind == Kind.THREAD]
            items[ref] = [record, *inside]
    return FakeSite([Batch(records=tuple(records))], items=items, state=health(**counts))


def audit(
    store: Store, site: FakeSite, now: datetime | None = None, settings: SiteSettings | None = None
) -> Audited:
    return audit_site(store, source(site, settings), now or day(31), Random(1))


def kinds(result: Audited) -> dict[str, str]:
    return {gap.kind: gap.what for gap in result.gaps}


def test_a_mirror_that_is_true_has_no_gaps(store: Store) -> None:
    site = site_with(members=1, threads=1)
    sync_one(store, site, day(30))
    result = audit(store, site)
    assert (result.gaps, result.checked, result.error) == ([], 2, None)


def test_a_first_sync_that_did_not_come_to_its_end_is_a_gap(store: Store) -> None:
    broken = FakeSite([Batch()], faults={0: Unreachable("The site does not answer.")})
    sync_one(store, broken, day(30))
    assert kinds(audit(store, site_with())) == {"history": "the first sync has not come to its end"}


def test_a_mirror_of_long_ago_is_a_gap_that_the_next_sync_closes(store: Store) -> None:
    site = site_with()
    sync_one(store, site, day(30))
    (gap,) = audit(store, site, day(33)).gaps
    assert gap.kind == "changes"
    with store.read() as connection:
        assert known_gaps(connection, SITE) == ()


def test_a_site_that_counts_many_more_has_what_the_mirror_lacks(store: Store) -> None:
    sync_one(store, site_with(), day(30))
    assert kinds(audit(store, site_with(members=6, threads=1))) == {}
    assert kinds(audit(store, site_with(members=90))) == {
        "members": "the site counts 90 members, the mirror holds 1"
    }
    bounded = SiteSettings(connector="fake", exclude=Exclude(labels=["private"]))
    assert kinds(audit(store, site_with(members=90), settings=bounded)) == {}


@pytest.mark.parametrize(
    ("fresh", "gap"),
    [
        (thread("1", title="New", closed=True, labels=frozenset({"a"})), "thread 1 differs in title, closed"),
        (thread("1", labels=frozenset({"b"})), "thread 1 differs in labels"),
        (member("1", username="renamed"), "member 1 differs in username"),
        (member("1", groups=frozenset({"staff"})), "member 1 differs in groups"),
        (post("2", author="7"), "contribution 2 differs in author"),
        (post("2", text="Edited"), "the text of contribution 2 differs"),
        (post("3"), "contribution 3 is missing"),
    ],
)
def test_a_difference_is_named_and_mended(store: Store, fresh: Record, gap: str) -> None:
    sync_one(store, site_with(), day(30))
    kept = {getattr(record, "ref", None): record for record in RECORDS}
    changed = {**kept, getattr(fresh, "ref", None): fresh}
    site = site_with(tuple(changed.values()))
    assert list(kinds(audit(store, site)).values()) == [gap]
    assert audit(store, site).gaps == []


def test_what_came_after_the_last_sync_is_no_gap(store: Store) -> None:
    sync_one(store, site_with(), day(30))
    assert audit(store, site_with((*RECORDS, post("3", created_at=day(30.5))))).gaps == []


def test_views_likes_and_visits_are_no_gap(store: Store) -> None:
    sync_one(store, site_with(), day(30))
    moved = (
        member("1", last_seen_at=day(30)), thread("1", views=9, likes=3, labels=frozenset({"a"})),
        post("1", likes=5), post("2"),
    )  # fmt: skip
    assert audit(store, site_with(moved)).gaps == []


def test_what_is_gone_is_named_and_marked(store: Store) -> None:
    sync_one(store, site_with(), day(30))
    assert kinds(audit(store, site_with(RECORDS[:-1]))) == {"contributions": "contribution 2 is gone"}
    assert kinds(audit(store, site_with(RECORDS[:1]))) == {"threads": "thread 1 is gone"}
    with store.read() as connection:
        assert connection.scalar(select(threads.c.deleted_at)) is not None


def test_a_long_hole_in_the_numbering_is_asked_for(store: Store) -> None:
    sync_one(store, site_with((*RECORDS, post("200", "1"))), day(30))
    empty = site_with((*RECORDS, post("200", "1")))
    assert audit(store, empty).gaps == []
    asked = {int(ref.id) for ref in empty.asked if ref.kind == Kind.CONTRIBUTION}
    assert asked
    assert all(3 <= number <= 199 for number in asked)
    lost = [post(str(number), "9") for number in range(3, 200)]
    full = site_with((*RECORDS, thread("9"), *lost, post("200", "1")))
    (what,) = kinds(audit(store, full)).values()
    assert what.startswith("some of the contributions 3 to 199, such as ")


def test_what_must_not_be_stored_does_not_fill_a_hole(store: Store) -> None:
    private = SiteSettings(connector="fake", exclude=Exclude(members=["ghost"]))
    sync_one(store, site_with((*RECORDS, post("200", "1"))), day(30))
    ghost = member("66", username="ghost")
    theirs = [post(str(number), "1", author="66") for number in range(3, 200)]
    site = site_with((*RECORDS, post("200", "1")))
    site.items = {**site.items, **{words.ref: [ghost, words] for words in theirs}}
    assert audit(store, site, settings=private).gaps == []


def test_an_author_whom_the_mirror_does_not_know_is_a_gap_if_the_site_does(store: Store) -> None:
    written = (*RECORDS, post("3", author="8"), post("4", author="9"))
    sync_one(store, site_with(written), day(30))
    site = site_with((*written, member("8")))
    assert kinds(audit(store, site)) == {"members": "members who wrote, such as 8"}
    assert kinds(audit(store, site)) == {}


def test_gaps_stay_until_an_audit_or_a_full_sync_finds_none(store: Store) -> None:
    sync_one(store, site_with(), day(30))
    assert sync_one(store, site_with(), day(31)).gaps == ()
    audit(store, site_with(members=90))
    assert [gap.kind for gap in sync_one(store, site_with(), day(31)).gaps] == ["members"]
    assert sync_one(store, site_with(), day(32), full=True).gaps == ()
    with store.read() as connection:
        assert connection.execute(select(gaps)).all() == []


def test_a_site_that_cannot_be_asked_is_an_error_and_no_gap(store: Store) -> None:
    class Mute(FakeSite):
        def fetch(self, ref: Ref) -> Batch | None:
            raise Unreachable("The site does not answer.", hint="Try again later.")

    sync_one(store, site_with(), day(30))
    result = audit(store, Mute(state=health()))
    assert isinstance(result.error, Unreachable)
    assert result.gaps == []


def test_damage_of_every_kind_is_found(store: Store) -> None:
    """Seen to fail without the comparison that it is about: each table is spoilt in turn."""
    site = site_with()
    spoils = (
        (update(contributions).where(contributions.c.id == "1").values(kind="whisper"), "contributions"),
        (update(texts).where(texts.c.contribution == "1").values(text="Spoilt"), "texts"),
        (update(states).values(value="z"), "threads"),
        (update(threads).values(author="5"), "threads"),
    )
    sync_one(store, site, day(30))
    for spoil, kind in spoils:
        with store.write() as connection:
            connection.execute(spoil)
        assert kind in kinds(audit(store, site))
        assert audit(store, site).gaps == []
