"""What becomes of a batch in the store, on both databases."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from ordito.connectors.base import Batch, Family
from ordito.connectors.records import FOREVER, ContributionKind, Kind, Record, Ref
from ordito.sync.store.guard import Exclusions, Guard
from ordito.sync.store.ingest import Counts, Ingest, find_parents
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, members, site_groups, states, texts, threads
from ordito.sync.store.times import micros
from tests.sync.records import SITE, START, badge, change, day, group, member, post, space, thread

Put = Callable[..., Counts]
TODAY = day(30)


@pytest.fixture
def put(store: Store) -> Put:
    """Stores records as a sync at a moment would, and counts."""

    def put_(
        *records: Record,
        now: datetime = TODAY,
        family: Family = "forum",
        gone: tuple[tuple[Ref, datetime | None], ...] = (),
        synced: datetime | None = None,
        scan: str = "",
    ) -> Counts:
        with store.write() as connection:
            guard = Guard.load(connection, SITE, Exclusions(), store.secret)
            ingest = Ingest(SITE, family, guard, now, micros(synced))
            ingest.store(connection, Batch(records=records, gone=gone, scan=scan))
        return ingest.counts

    return put_


def rows(store: Store, table: Any) -> dict[str, Mapping[str, Any]]:
    key = table.c.contribution if table is texts else table.c.id
    with store.read() as connection:
        found = connection.execute(select(table, key.label("key"))).mappings().all()
    return {row["key"]: dict(row) for row in found}


def intervals(store: Store, item: str, field: str) -> list[tuple[str, float, float | None, str]]:
    """(value, from, to, source) in days after the first of January, in order."""
    query = select(states).where(states.c.item == item, states.c.field == field)
    with store.read() as connection:
        found = connection.execute(query.order_by(states.c.valid_from, states.c.value)).all()

    def days(value: int | None) -> float | None:
        return None if value is None else (value - micros(START)) / 86_400_000_000

    return [(row.value, days(row.valid_from) or 0, days(row.valid_to), row.source) for row in found]


def test_every_column_comes_back(store: Store, put: Put) -> None:
    put(
        member("1", name="Ada", last_seen_at=day(3), trust_level=2, admin=True, suspended_until=FOREVER),
        thread("7", views=3, likes=4, solved_by="9", pinned=True, stamp="s", last_activity_at=day(2)),
        post("9", "7", position=2, parent="8", sha1="ab", kind=ContributionKind.WHISPER, updated_at=day(1)),
    )
    ada, topic, answer = (rows(store, table) for table in (members, threads, contributions))
    assert ada["1"]["name"] == "Ada"
    assert ada["1"]["suspended_until"] == micros(FOREVER)
    assert ada["1"]["admin"] is True
    assert (topic["7"]["views"], topic["7"]["pinned"], topic["7"]["stamp"]) == (3, True, "s")
    assert (topic["7"]["solved_by"], topic["7"]["closed"]) == ("9", False)
    assert (answer["9"]["kind"], answer["9"]["parent"], answer["9"]["position"]) == ("whisper", "8", 2)
    assert rows(store, texts)["9"]["text"] == "Text of 9"


def test_the_last_of_two_records_of_an_item_counts(store: Store, put: Put) -> None:
    put(thread("1", title="Old"), post("1", likes=1), thread("1", title="New"), post("1", likes=2))
    assert rows(store, threads)["1"]["title"] == "New"
    assert rows(store, contributions)["1"]["likes"] == 2


def test_what_a_list_does_not_tell_stays_known(store: Store, put: Put) -> None:
    put(thread("1", solved_by="9", views=3), post("1", likes=5), member("1", title="Guide", trust_level=3))
    put(thread("1", closed=None, labels=None), post("1", likes=None, text=None), member("1"))
    assert rows(store, threads)["1"]["solved_by"] == "9"
    assert rows(store, threads)["1"]["closed"] is False
    assert rows(store, contributions)["1"]["likes"] == 5
    assert rows(store, texts)["1"]["text"] == "Text of 1"
    assert (rows(store, members)["1"]["title"], rows(store, members)["1"]["trust_level"]) == ("Guide", 3)


def test_a_none_that_means_none_replaces(store: Store, put: Put) -> None:
    put(member("1", suspended_until=FOREVER), post("1", parent="0"))
    put(member("1"), post("1", author=None))
    assert rows(store, members)["1"]["suspended_until"] is None
    reply = rows(store, contributions)["1"]
    assert (reply["parent"], reply["author"]) == (None, None)


def test_an_author_who_was_hidden_goes(store: Store, put: Put) -> None:
    put(thread("1", author="7"))
    put(thread("1", author=None))
    assert rows(store, threads)["1"]["author"] == "7"
    put(thread("1", author=""))
    assert rows(store, threads)["1"]["author"] is None
    assert put(thread("1", author=""), synced=TODAY).threads == 0


def test_of_a_page_only_the_current_text_stays(store: Store, put: Put) -> None:
    put(post("1", size=5, sha1="a"), post("5", "2"), family="wiki")
    put(post("2", size=7, sha1="b"), family="wiki")
    assert set(rows(store, texts)) == {"2", "5"}
    assert (rows(store, contributions)["1"]["size"], rows(store, contributions)["1"]["sha1"]) == (5, "a")


def test_a_text_that_was_hidden_goes(store: Store, put: Put) -> None:
    put(post("1"), family="wiki")
    put(post("1", text=None), family="wiki")
    assert rows(store, texts) == {}


def test_what_is_gone_is_marked_and_comes_back(store: Store, put: Put) -> None:
    put(thread("1"), post("1"), post("2"))
    assert put(gone=((Ref(SITE, Kind.CONTRIBUTION, "2"), day(5)),)).deleted == 1
    assert put(gone=((Ref(SITE, Kind.THREAD, "1"), None),), now=day(40)).deleted == 1
    assert rows(store, threads)["1"]["deleted_at"] == micros(day(40))
    assert rows(store, contributions)["1"]["deleted_at"] == micros(day(40))
    assert rows(store, contributions)["2"]["deleted_at"] == micros(day(5))
    put(thread("1"))
    assert rows(store, threads)["1"]["deleted_at"] is None
    assert rows(store, contributions)["1"]["deleted_at"] is None
    assert rows(store, contributions)["2"]["deleted_at"] == micros(day(5))
    put(post("2"))
    assert rows(store, contributions)["2"]["deleted_at"] is None
    assert set(rows(store, texts)) == {"1", "2"}


def test_the_platforms_time_of_a_deletion_wins_and_is_counted_once(store: Store, put: Put) -> None:
    gone = Ref(SITE, Kind.THREAD, "1")
    put(thread("1"), post("1"))
    put(gone=((gone, None),), now=day(40))
    assert put(gone=((gone, day(35)),), now=day(50)).deleted == 0
    assert put(gone=((gone, None),), now=day(60)).deleted == 0
    assert rows(store, threads)["1"]["deleted_at"] == micros(day(35))
    assert rows(store, contributions)["1"]["deleted_at"] == micros(day(35))


def test_what_was_never_mirrored_is_not_gone(put: Put) -> None:
    assert put(gone=((Ref(SITE, Kind.THREAD, "1"), day(5)), (Ref(SITE, "title", "X"), None))).deleted == 0


def test_a_parent_named_by_its_position_is_found_once_both_are_there(store: Store, put: Put) -> None:
    put(thread("1"), post("12", position=3, parent_position=2), post("99", "2", position=2))
    assert rows(store, contributions)["12"]["parent"] is None
    put(post("11", position=2), post("13", position=4, parent_position=3))
    assert rows(store, contributions)["13"]["parent"] == "12"
    with store.write() as connection:
        find_parents(connection, SITE)
    assert rows(store, contributions)["12"]["parent"] == "11"
    put(post("12", position=3, parent_position=2, likes=1))
    assert rows(store, contributions)["12"]["parent"] == "11"


def test_an_enumeration_marks_what_it_saw(store: Store, put: Put) -> None:
    put(thread("1"), thread("2"), scan="first")
    put(thread("1"))
    put(thread("2"), scan="second")
    assert [rows(store, threads)[id]["scan"] for id in "12"] == ["first", "second"]


# --- states ---------------------------------------------------------------------------------------------


def test_a_state_that_never_changed_has_no_rows(store: Store, put: Put) -> None:
    put(thread("1"), member("1", trust_level=1))
    put(thread("1"), member("1", trust_level=1), now=day(31))
    assert [intervals(store, "1", field) for field in ("closed", "space", "trust_level")] == [[], [], []]


def test_a_change_that_only_a_sync_saw_is_dated_by_it(store: Store, put: Put) -> None:
    put(thread("1"), member("1", trust_level=1))
    put(thread("1", closed=True, space="2"), member("1", trust_level=2), now=day(31))
    assert intervals(store, "1", "closed") == [
        ("false", 0, 31, "assumed"), ("true", 31, None, "observed")
    ]  # fmt: skip
    assert intervals(store, "1", "space") == [("1", 0, 31, "assumed"), ("2", 31, None, "observed")]
    assert intervals(store, "1", "trust_level") == [("1", 0, 31, "assumed"), ("2", 31, None, "observed")]


@pytest.mark.parametrize("order", ["together", "before", "after"])
def test_the_platforms_record_dates_a_change_whenever_it_is_read(store: Store, put: Put, order: str) -> None:
    told = change(Kind.THREAD, "1", "closed", True, day(20))
    put(thread("1"), now=day(10))
    if order == "together":
        put(told, thread("1", closed=True), now=day(30))
    else:
        first, second = (told, thread("1", closed=True))[:: 1 if order == "before" else -1]
        put(first, now=day(30))
        put(second, now=day(30))
    assert intervals(store, "1", "closed") == [
        ("false", 0, 20, "assumed"), ("true", 20, None, "platform")
    ]  # fmt: skip


@pytest.mark.parametrize("order", ["together", "before", "after"])
def test_the_history_of_a_new_thread_is_the_same_in_any_order(store: Store, put: Put, order: str) -> None:
    told = [
        change(Kind.THREAD, "1", "closed", True, day(20)),
        change(Kind.THREAD, "1", "closed", False, day(21)),
        change(Kind.THREAD, "1", "label", "old", day(22), on=False),
        change(Kind.THREAD, "1", "label", "new", day(23)),
    ]
    read = thread("1", labels=frozenset({"new", "first"}), created_at=day(5))
    if order == "together":
        put(*told, read)
    elif order == "before":
        put(*told)
        put(read)
    else:
        put(read)
        put(*told)
    assert intervals(store, "1", "closed") == [
        ("false", 5, 20, "assumed"), ("true", 20, 21, "platform"), ("false", 21, None, "platform")
    ]  # fmt: skip
    assert intervals(store, "1", "label") == [
        ("first", 5, None, "assumed"), ("old", 5, 22, "assumed"), ("new", 23, None, "platform")
    ]  # fmt: skip


def test_labels_come_and_go(store: Store, put: Put) -> None:
    put(thread("1", labels=frozenset({"a", "b"})))
    put(thread("1", labels=frozenset({"b", "c"})), now=day(31))
    put(thread("1", labels=frozenset({"a"})), now=day(32))
    assert intervals(store, "1", "label") == [
        ("a", 0, 31, "assumed"), ("b", 0, 32, "assumed"), ("c", 31, 32, "observed"),
        ("a", 32, None, "observed"),
    ]  # fmt: skip


def test_labels_that_a_list_does_not_tell_stay(store: Store, put: Put) -> None:
    put(thread("1", labels=frozenset({"a"}), stamp="x"))
    put(thread("1", labels=None), now=day(31))
    assert intervals(store, "1", "label") == [("a", 0, None, "assumed")]


def test_labels_of_a_thread_that_was_only_met_so_far_are_assumed(store: Store, put: Put) -> None:
    put(thread("1", labels=None, closed=None, created_at=None))
    put(thread("1", labels=frozenset({"a"}), stamp="x", created_at=day(3)), now=day(31))
    assert intervals(store, "1", "label") == [("a", 3, None, "assumed")]


def test_members_come_into_groups_and_leave_them(store: Store, put: Put) -> None:
    put(group("greeters", "1", "2"))
    put(group("greeters", "2", "3"), now=day(31))
    assert [intervals(store, id, "group") for id in "123"] == [
        [("greeters", -20454, 31, "assumed")],
        [("greeters", -20454, None, "assumed")],
        [("greeters", 31, None, "observed")],
    ]
    put(change(Kind.MEMBER, "3", "group", "greeters", day(30.5)), now=day(32))
    assert intervals(store, "3", "group") == [("greeters", 30.5, None, "platform")]


def test_a_renamed_group_and_a_group_that_is_gone_leave_no_members_behind(store: Store, put: Put) -> None:
    put(group("greeters", "1", id="5"))
    put(group("hosts", "1", id="5"), now=day(31))
    put(gone=((Ref(SITE, Kind.GROUP, "5"), None),), now=day(32))
    assert intervals(store, "1", "group") == [
        ("greeters", -20454, 31, "assumed"), ("hosts", 31, 32, "observed")
    ]  # fmt: skip


def test_a_group_that_is_not_listed_keeps_whom_it_had(store: Store, put: Put) -> None:
    put(group("staff", "1"))
    put(group("staff", "1").__class__(site=SITE, id="staff", name="staff", members=None), now=day(31))
    assert intervals(store, "1", "group") == [("staff", -20454, None, "assumed")]
    assert rows(store, site_groups)["staff"]["members_known"] is True


def test_badges_are_held_from_the_day_on_which_they_were_given(store: Store, put: Put) -> None:
    put(member("1"), member("2"), badge("Expert", _1=day(3), _2=day(4)), now=day(10))
    assert intervals(store, "1", "badge") == [("Expert", 3, None, "platform")]
    put(badge("Expert", _2=day(4)), badge("Baker", _1=day(12)), now=day(20))
    assert intervals(store, "1", "badge") == [
        ("Expert", 3, 20, "platform"),
        ("Baker", 12, None, "platform"),
    ]
    put(change(Kind.MEMBER, "1", "badge", "Expert", day(15), on=False), now=day(21))
    assert intervals(store, "1", "badge")[0] == ("Expert", 3, 15, "platform")


def test_badges_of_a_forgotten_or_excluded_member_are_not_stored(store: Store, put: Put) -> None:
    with store.write() as connection:
        guard = Guard.load(connection, SITE, Exclusions(members=frozenset({"user1"})), store.secret)
        records = (member("1"), member("2"), badge("Expert", _1=day(3), _2=day(4)))
        Ingest(SITE, "forum", guard, TODAY).store(connection, Batch(records=records))
    assert intervals(store, "1", "badge") == []
    assert intervals(store, "2", "badge") == [("Expert", 4, None, "platform")]


def test_groups_can_come_with_the_members(store: Store, put: Put) -> None:
    put(member("1", groups=frozenset({"sysop"})), family="wiki")
    put(member("1", groups=frozenset({"bot"})), now=day(31), family="wiki")
    put(group("bot").__class__(site=SITE, id="bot", name="bot", members=None), family="wiki")
    assert intervals(store, "1", "group") == [
        ("sysop", -20454, 31, "assumed"), ("bot", 31, None, "observed")
    ]  # fmt: skip
    assert rows(store, site_groups)["bot"]["members_known"] is True


def test_a_level_before_its_first_change_is_known_if_an_earlier_sync_saw_it(store: Store, put: Put) -> None:
    put(member("1", trust_level=1), now=day(10))
    put(member("2", trust_level=1, joined_at=day(12)), now=day(15))
    changes = [change(Kind.MEMBER, id, "trust_level", 2, day(20)) for id in "12"]
    promoted = member("1", trust_level=2), member("2", trust_level=2, joined_at=day(12))
    put(*changes, *promoted, now=day(30), synced=day(11))
    assert intervals(store, "1", "trust_level") == [
        ("1", 0, 20, "assumed"), ("2", 20, None, "platform")
    ]  # fmt: skip
    assert intervals(store, "2", "trust_level") == [("2", 20, None, "platform")]


def test_a_batch_put_in_again_changes_nothing(store: Store, put: Put) -> None:
    batch = (
        space("1", "General"),
        member("1", trust_level=2, groups=frozenset({"a", "b"})),
        group("b", "1"),
        thread("1", labels=frozenset({"x"}), closed=True),
        change(Kind.THREAD, "1", "closed", True, day(3)),
        change(Kind.THREAD, "1", "label", "x", day(4)),
        post("1"),
    )
    put(*batch, gone=((Ref(SITE, Kind.CONTRIBUTION, "1"), None),))

    def everything() -> list[Any]:
        with store.read() as connection:
            tables = (members, threads, contributions, texts, site_groups, states)
            return [connection.execute(select(table).order_by(*table.primary_key)).all() for table in tables]

    before = everything()
    put(*batch, gone=((Ref(SITE, Kind.CONTRIBUTION, "1"), None),))
    assert everything() == before


def test_a_later_sync_counts_what_is_new_or_differs(put: Put) -> None:
    put(member("1"), thread("1", likes=1), post("1"), post("2"))
    same = put(member("1"), thread("1", likes=None), post("1"), post("2"), synced=day(29), scan="again")
    assert (same.members, same.threads, same.contributions) == (0, 0, 0)
    changed = (member("1", name="Another"), thread("1", likes=2), post("2", likes=9), post("3"))
    other = put(*changed, synced=day(29))
    assert (other.members, other.threads, other.contributions) == (1, 1, 2)


def test_a_reading_that_knows_no_stamp_leaves_the_stored_one(store: Store, put: Put) -> None:
    put(thread("1", stamp="as listed"))
    put(thread("1", stamp="", title="Read by itself"))
    (row,) = rows(store, threads).values()
    assert (row["stamp"], row["title"]) == ("as listed", "Read by itself")
