"""A sync of one site, and of several: what is stored, resumed, reported."""

from datetime import date, datetime

from sqlalchemy import Table, func, insert, select

from ordito.config.errors import ConnectorError, SignInFailed, Unreachable
from ordito.config.model import Exclude, SiteSettings
from ordito.connectors.base import Batch, Connector
from ordito.connectors.records import ContributionKind, Kind, Ref, ThreadKind
from ordito.sync.mirror import Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.checkpoints import Checkpoint
from ordito.sync.store.known import MirrorKnown
from ordito.sync.store.store import Store
from ordito.sync.store.tables import (
    attempts,
    contributions,
    doings,
    left_out,
    members,
    proposals,
    spaces,
    states,
    texts,
    threads,
    tombstones,
)
from ordito.sync.store.times import micros
from tests.sync.fakes import FakeSite, health, source, standing, sync_one
from tests.sync.records import SITE, START, change, day, group, member, post, space, thread


def settings(**fields: object) -> SiteSettings:
    return SiteSettings(connector="fake", **fields)  # type: ignore[arg-type]  # as a settings file would


def ids(store: Store, table: Table, *, deleted: bool = False) -> set[str]:
    key = table.c.contribution if table is texts else table.c.id
    query = select(key)
    if table is not texts and not deleted:
        query = query.where(table.c.deleted_at.is_(None))
    with store.read() as connection:
        return set(connection.scalars(query))


def checkpoint(store: Store) -> Checkpoint:
    with store.read() as connection:
        found = Checkpoint.load(connection, SITE)
    assert found is not None
    return found


def test_a_sync_stores_everything_and_says_up_to_when_the_mirror_is_true(store: Store) -> None:
    site = FakeSite([Batch(records=(member("1"), thread("1"))), Batch(records=(post("1"), post("2")))])
    report = sync_one(store, site, day(30))
    assert (ids(store, members), ids(store, threads), ids(store, contributions)) == ({"1"}, {"1"}, {"1", "2"})
    assert (report.counts.members, report.counts.threads, report.counts.contributions) == (1, 1, 2)
    assert (report.complete, report.requests, report.retries, report.waited) == (True, 3, 0, 0)
    found, then = checkpoint(store), micros(day(30))
    assert (found.complete, found.synced_at, found.first_synced_at) == (True, then, then)
    assert (found.account, found.language) == ("900", "it")


def test_the_next_sync_asks_for_changes_only_and_not_who_we_are(store: Store) -> None:
    sync_one(store, FakeSite([Batch(records=(post("1"),))]), day(30))
    again = FakeSite([Batch(records=(post("1"),)), Batch(records=(post("2"),))])
    report = sync_one(store, again, day(31))
    assert (again.begun, report.requests, report.counts.contributions) == ([{"next": 1}], 1, 1)
    assert checkpoint(store).first_synced_at == micros(day(30))
    assert checkpoint(store).synced_at == micros(day(31))


def test_a_sync_that_fails_keeps_what_it_read_and_the_next_one_goes_on_there(store: Store) -> None:
    batches = [Batch(records=(post(str(number)),)) for number in range(4)]
    lost = Unreachable("The site does not answer.", hint="Try again later.")
    report = sync_one(store, FakeSite(batches, faults={2: lost}), day(30))
    assert (report.complete, report.stored, report.error) == (False, True, lost)
    assert ids(store, contributions) == {"0", "1"}
    assert (checkpoint(store).complete, checkpoint(store).synced_at) == (False, None)
    site = FakeSite(batches)
    assert sync_one(store, site, day(31)).complete
    assert (site.begun, ids(store, contributions)) == ([{"next": 2}], {"0", "1", "2", "3"})


def test_one_site_that_fails_stops_no_other(store: Store) -> None:
    def refuse() -> Connector:
        raise SignInFailed("The site does not accept the key.", where="wiki", hint="Make a new one.")

    broken = FakeSite([Batch()], faults={0: KeyError("posts")}, site="broken")
    sources = {
        "wiki": Source(site="wiki", family="wiki", settings=settings(), connect=refuse),
        "broken": source(broken),
        SITE: source(FakeSite([Batch(records=(post("1"),))])),
    }
    wiki, fault, forum = sync_sites(store, sources, standing(day(30)), Silence())
    assert isinstance(wiki.error, SignInFailed)
    assert isinstance(fault.error, ConnectorError)
    assert "KeyError" in fault.error.message
    assert forum.complete
    assert ids(store, contributions) == {"1"}


def test_reading_everything_again_begins_at_the_beginning_and_loses_nothing(store: Store) -> None:
    sync_one(store, FakeSite([Batch(records=(thread("1"), post("1"), post("2")))]), day(30))
    site = FakeSite([Batch(records=(thread("1", title="New"), post("2")))])
    assert sync_one(store, site, day(31), full=True).complete
    assert site.begun == [None]
    assert ids(store, contributions) == {"1", "2"}


def test_what_an_enumeration_did_not_show_is_asked_for(store: Store) -> None:
    everything = (thread("1"), thread("2"), thread("3"), post("1", "1"), post("2", "2"), post("3", "3"))
    sync_one(store, FakeSite([Batch(records=everything)]), day(30))
    site = FakeSite(
        [Batch(records=(thread("1"), post("1", "1")), scan="x", ended=(Kind.CONTRIBUTION, Kind.THREAD))],
        items={Ref(SITE, Kind.THREAD, "2"): (thread("2", title="Unlisted"), post("2", "2"))},
    )
    report = sync_one(store, site, day(31), full=True)
    # One request for each thread; none for the posts, which came or went with theirs.
    assert sorted(ref.id for ref in site.asked) == ["2", "3"]
    assert {ref.kind for ref in site.asked} == {Kind.THREAD}
    assert (ids(store, threads), ids(store, contributions)) == ({"1", "2"}, {"1", "2"})
    assert ids(store, threads, deleted=True) == {"1", "2", "3"}
    assert report.counts.deleted == 1


def test_an_enumeration_is_over_only_when_what_it_did_not_show_has_been_asked_for(store: Store) -> None:
    sync_one(store, FakeSite([Batch(records=(thread("1"), thread("2")))]), day(30))
    batches = [Batch(records=(thread("1"),), scan="x", ended=(Kind.THREAD,))]

    class Flaky(FakeSite):
        def fetch(self, ref: Ref) -> Batch | None:
            raise Unreachable("The site does not answer.")

    assert sync_one(store, Flaky(batches), day(31), full=True).error is not None
    assert ids(store, threads) == {"1", "2"}
    assert sync_one(store, FakeSite(batches), day(32)).complete
    assert ids(store, threads) == {"1"}


def test_what_lies_before_a_later_beginning_of_history_is_neither_asked_for_nor_taken_for_gone(
    store: Store,
) -> None:
    old, new = thread("1", last_activity_at=day(5)), thread("2", last_activity_at=day(25))
    words = (post("1", "1", created_at=day(5)), post("2", "2", created_at=day(25)))
    sync_one(store, FakeSite([Batch(records=(old, new, *words))]), day(30))
    site = FakeSite([Batch(scan="x", ended=(Kind.THREAD, Kind.CONTRIBUTION))])
    assert sync_one(store, site, day(31), settings(since=date(2026, 1, 20)), full=True).complete
    assert [str(ref) for ref in site.asked] == [str(new.ref)]
    assert (ids(store, threads), ids(store, contributions)) == ({"1"}, {"1"})


def test_an_earlier_beginning_of_history_reads_everything_again(store: Store) -> None:
    sync_one(store, FakeSite([Batch()]), day(30), settings(since=date(2026, 1, 10)))
    later, earlier, none = (FakeSite([Batch()]) for _ in range(3))
    sync_one(store, later, day(31), settings(since=date(2026, 1, 20)))
    assert (later.begun, checkpoint(store).since) == ([{"next": 1}], micros(day(9)))
    sync_one(store, earlier, day(31), settings(since=date(2026, 1, 2)))
    assert (earlier.begun, checkpoint(store).since) == ([None], micros(day(1)))
    sync_one(store, none, day(31))
    assert (none.begun, checkpoint(store).since) == ([None], None)


# --- What is never stored -----------------------------------------------------------------------------

PRIVATE = Exclude(spaces=["Lounge"], labels=["secret"], members=["Nosy_Parker"])


def community() -> Batch:
    nosy = member("66", username="nosy parker")
    return Batch(
        records=(
            member("1"), nosy, space("1", "General"), space("2", "LOUNGE"), space("3", "Sofa", parent="2"),
            group("all", "1", "66"), thread("1"), post("1", "1"), post("2", "1", author="66"),
            thread("2", space="2"), post("3", "2"), thread("3", space="3"), post("4", "3"),
            thread("4", labels=frozenset({"Secret"})), post("5", "4"), thread("5", author="66"),
            change(Kind.MEMBER, "66", "group", "all", day(3)),
            change(Kind.THREAD, "3", "closed", True, day(3)),
        )
    )  # fmt: skip


def assert_nothing_private(store: Store) -> None:
    assert ids(store, members) == {"1"}
    assert ids(store, threads) == {"1", "5"}
    assert ids(store, contributions) == ids(store, texts) == {"1"}
    with store.read() as connection:
        assert connection.scalar(select(threads.c.author).where(threads.c.id == "5")) is None
        assert set(connection.scalars(select(states.c.item))) == {"1"}
        assert set(connection.scalars(select(spaces.c.name))) <= {"General", "LOUNGE", "", "Sofa"}


def test_what_is_excluded_is_not_stored(store: Store) -> None:
    sync_one(store, FakeSite([community()]), day(30), settings(exclude=PRIVATE))
    assert_nothing_private(store)
    with store.read() as connection:  # the name of a space below an excluded one is nobody's business
        assert "Sofa" not in set(connection.scalars(select(spaces.c.name)))


def test_a_longer_list_of_exclusions_removes_what_was_stored(store: Store) -> None:
    sync_one(store, FakeSite([community()]), day(30))
    assert len(ids(store, contributions)) == 5
    sync_one(store, FakeSite([community()]), day(31), settings(exclude=PRIVATE))
    assert_nothing_private(store)


def test_an_excluded_space_is_not_told_as_a_deletion(store: Store) -> None:
    """No list of a forum shows it any more, and asked for it gives nothing."""
    sync_one(store, FakeSite([Batch(records=(space("1", "Lounge"), space("2", "Hall")), scan="a")]), day(1))
    again = Batch(records=(space("2", "Hall"),), scan="b", ended=(Kind.SPACE,))
    report = sync_one(store, FakeSite([Batch(), again]), day(2))
    assert ids(store, spaces) == {"2"}
    assert report.counts.deleted == 0


def test_what_is_excluded_goes_with_the_first_cursor_that_knows_of_it(store: Store) -> None:
    sync_one(store, FakeSite([community()]), day(30))
    lost = FakeSite([community(), Batch()], faults={1: Unreachable("The site does not answer.")})
    sync_one(store, lost, day(31), settings(exclude=PRIVATE))
    assert len(ids(store, contributions)) == 5, "they may be wanted again before the site answers"
    sync_one(store, FakeSite([community(), Batch(), Batch()], faults={2: lost.faults[1]}), day(31),
             settings(exclude=PRIVATE))  # fmt: skip
    assert_nothing_private(store)


def test_who_is_excluded_stays_so_in_syncs_that_read_nothing_but_their_words(store: Store) -> None:
    """What somebody wrote names them by the id only, and they may be called otherwise by now."""
    later = Batch(
        records=(
            post("7", "1", author="66"), thread("7", author="66"), group("all", "1", "66"),
            change(Kind.MEMBER, "66", "title", "Sir", day(9)),
        )
    )  # fmt: skip
    renamed = Batch(records=(member("66", username="nobody"), post("8", "1", author="66")))
    sync_one(store, FakeSite([community()]), day(30), settings(exclude=PRIVATE))
    sync_one(store, FakeSite([Batch(), later, renamed]), day(31), settings(exclude=PRIVATE))
    assert (ids(store, members), ids(store, contributions)) == ({"1"}, {"1"})
    with store.read() as connection:
        assert set(connection.scalars(select(threads.c.author))) == {None, "1"}
        assert "66" not in set(connection.scalars(select(states.c.item)))
        kept = connection.execute(select(left_out)).all()
    assert [(len(row.digest), len(row.name)) for row in kept] == [(64, 64)]  # neither id nor name


def test_who_is_no_longer_excluded_is_read_again(store: Store) -> None:
    sync_one(store, FakeSite([community()]), day(30), settings(exclude=PRIVATE))
    sync_one(store, FakeSite([community()]), day(31), full=True)
    assert (ids(store, members), len(ids(store, contributions))) == ({"1", "66"}, 5)
    with store.read() as connection:
        assert connection.execute(select(left_out)).all() == []


def test_a_thread_that_moves_to_an_excluded_space_is_removed(store: Store) -> None:
    excluded = settings(exclude=PRIVATE)
    first = Batch(records=(space("2", "Lounge"), thread("1"), post("1")))
    moved = Batch(records=(thread("1", space="2"),))
    sync_one(store, FakeSite([first]), day(30), excluded)
    sync_one(store, FakeSite([first, moved]), day(31), excluded)
    assert (ids(store, threads), ids(store, contributions), ids(store, texts)) == (set(), set(), set())


def test_what_was_read_before_its_thread_turned_out_to_be_excluded_goes(store: Store) -> None:
    first = Batch(records=(space("2", "Lounge"), thread("2", space="2")))
    batches = [first, Batch(records=(post("1", "2"),))]
    lost = Unreachable("The site does not answer.")
    sync_one(store, FakeSite(batches, faults={1: lost}), day(30), settings(exclude=PRIVATE))
    sync_one(store, FakeSite(batches), day(30), settings(exclude=PRIVATE))
    assert (ids(store, contributions), ids(store, texts)) == (set(), set())


def test_no_text_is_kept_where_the_settings_say_so(store: Store) -> None:
    sync_one(store, FakeSite([Batch(records=(post("1"),))]), day(30))
    site = FakeSite([Batch(), Batch(records=(post("2"),))])
    sync_one(store, site, day(31), settings(text=False))
    assert (ids(store, texts), ids(store, contributions)) == (set(), {"1", "2"})


def test_private_messages_are_kept_only_if_we_began_them_or_are_asked_to(store: Store) -> None:
    ours, theirs, made = (
        thread(id, kind=ThreadKind.MESSAGE, space=None, author=author)
        for id, author in (("1", "900"), ("2", "5"), ("3", "901"))
    )
    made_by_us(store, "3")
    batch = Batch(records=(ours, theirs, made, *(post(id, id) for id in "123")))
    sync_one(store, FakeSite([batch]), day(30), settings())
    assert (ids(store, threads), ids(store, contributions)) == ({"1", "3"}, {"1", "3"})
    sync_one(store, FakeSite([batch]), day(31), settings(messages=True), full=True)
    assert ids(store, threads) == {"1", "2", "3"}
    sync_one(store, FakeSite([batch]), day(31), settings())
    assert ids(store, threads) == {"1", "3"}


def test_a_forgotten_member_stays_forgotten(store: Store) -> None:
    from ordito.sync.store.guard import digest

    with store.write() as connection:
        grave = {"site": SITE, "digest": digest(store.secret, SITE, "66"), "at": 0}
        connection.execute(insert(tombstones), grave)
    sync_one(store, FakeSite([community()]), day(30))
    assert ids(store, members) == {"1"}
    assert "2" in ids(store, contributions)
    assert "2" not in ids(store, texts)
    with store.read() as connection:
        assert connection.scalar(select(contributions.c.author).where(contributions.c.id == "2")) is None
        assert connection.scalar(select(func.count()).where(states.c.item == "66")) == 0


# --- What connectors may ask --------------------------------------------------------------------------


def made_by_us(store: Store, thread_id: str) -> None:
    now = micros(day(1))
    proposal = {
        "policy": "p", "site": SITE, "item": "i", "occasion": "o", "step": thread_id, "verb": "v",
        "action": "{}", "because": "[]", "state": "applied", "created_at": now, "changed_at": now,
    }  # fmt: skip
    with store.write() as connection:
        number = connection.scalar(insert(proposals).values(proposal).returning(proposals.c.id))
        attempt = {"proposal": number, "doing": "perform", "by": "a", "token": "t", "started_at": now}
        made = connection.scalar(insert(attempts).values(attempt).returning(attempts.c.id))
        row = {"site": SITE, "kind": "thread", "id": thread_id, "attempt": made}
        connection.execute(insert(doings).values(row))


def test_a_connector_may_ask_what_the_mirror_holds(store: Store) -> None:
    records = (
        thread("1", stamp="a"), thread("2", stamp="b"), post("1"), post("2"),
        thread("3", kind=ThreadKind.MESSAGE, author="900"), thread("4", author="900"),
    )  # fmt: skip
    gone = ((Ref(SITE, Kind.THREAD, "2"), None), (Ref(SITE, Kind.CONTRIBUTION, "2"), None))
    for id in "3457":
        made_by_us(store, id)
    sync_one(store, FakeSite([Batch(records=records, gone=gone)]), day(30))
    known = MirrorKnown(store, SITE)
    assert known.stamps(["1", "2", "9"]) == {"1": "a"}
    assert known.contribution_ids("1") == {"1"}
    assert known.conversations() == ["3", "5", "7"]  # 4 is a topic; the last two have not been read yet


def test_who_we_are_is_asked_again_with_everything_else(store: Store) -> None:
    def account(now: datetime, full: bool) -> str:
        site = FakeSite([Batch()], state=health())
        sync_one(store, site, now, full=full)
        return f"{site.requests}"

    assert [account(day(30), False), account(day(31), False), account(day(32), True)] == ["2", "0", "2"]


def test_a_connector_learns_which_posts_a_list_of_all_has_to_show(store: Store) -> None:
    numbers = ["7", "9", "10", "11", "99", "100", "101", "1000", "1001"]
    listed = [post(number) for number in numbers]
    elsewhere = [
        post("12", kind=ContributionKind.SMALL), post("13", "2"), post("14", "3"),
        post("15", deleted_at=START),
    ]  # fmt: skip
    talks = [thread("1"), thread("2", visible=False), thread("3", kind=ThreadKind.MESSAGE)]
    sync_one(store, FakeSite(batches=[Batch(records=(*talks, *listed, *elsewhere))]), day(1))
    known = MirrorKnown(store, SITE)
    assert known.listed(1, 10**6) == set(numbers)
    for low, high in ((9, 11), (10, 100), (100, 999), (12, 98), (8, 1000)):
        assert known.listed(low, high) == {n for n in numbers if low <= int(n) <= high}
