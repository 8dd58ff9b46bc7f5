"""The contract's first half: what a connector reads is what the server has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ordito.config.errors import NotFound
from ordito.connectors.base import Connector
from ordito.connectors.records import Change, Contribution, Kind, Member, Ref, Thread
from tests.connectors.adapter import Item, MemoryMirror, Site, Unsupported, seen

TEXT = "Has anybody tried this with the smaller frames, and for how long did it hold?"
ANSWER = "We have used them for two years now and would not go back to the old ones."


@contextmanager
def connected(site: Site) -> Iterator[Connector]:
    connector = site.connect()
    try:
        yield connector
    finally:
        connector.close()


def read(site: Site) -> MemoryMirror:
    """A mirror of everything, freshly read."""
    with connected(site) as connector:
        mirror = MemoryMirror(connector)
        mirror.sync()
    return mirror


def read_on(mirror: MemoryMirror, site: Site) -> None:
    """Bring a mirror up to date over a new connection."""
    with connected(site) as connector:
        mirror.connector = connector
        mirror.sync()


def assert_true(mirror: MemoryMirror, site: Site) -> None:
    """The mirror holds what the server has. Texts are compared where the truth has them: of older
    revisions a connector may keep the text or not."""
    truth = site.truth()
    _assert_same(mirror.of(Member), truth.members)
    _assert_same(mirror.of(Thread), truth.threads)
    _assert_same(mirror.of(Contribution), truth.contributions)


def _assert_same(held: Mapping[str, Item], true: Mapping[str, Item]) -> None:
    assert set(held) == set(true)
    for id, item in true.items():
        expected, got = seen(item), seen(held[id])
        if expected.get("text", "") is None:
            expected["text"] = got["text"]
        assert got == expected


def attempt(operation: Callable[[], object]) -> None:
    """Let people do something; skip the test if the platform has no such thing."""
    try:
        operation()
    except Unsupported as error:
        pytest.skip(f"the platform cannot: {error}")


HOSTILE = (
    "@all", "a@b @staff", "[[Category:Spam]]", "{{delete}}", "{{{1}}}", "<script>alert(1)</script>", "-->",
    "<!-- x", "~~~~", "''bold'' **bold** __bold__", "[label](https://evil.example)", "one\ntwo",
    "![x](https://evil.example)", "== heading ==", "# heading", "* list", "`code`", "https://evil.example",
    "#tag", "| cell", "<nowiki>", "</nowiki>[[x]]", "&lt;b&gt;", "a\u2028b", "\u202eabc", "__NOTOC__",
    "[https://evil.example x]", "\x7fUNIQ-x", "a\r\nb", "<!--\n-->",
)  # fmt: skip
"""Names and titles that try to do something."""

CHANGES: Mapping[str, Callable[[Site, str, str, str], object]] = {
    "a new member": lambda site, thread, post, by: site.join("Latecomer"),
    "a new thread": lambda site, thread, post, by: site.open(site.join("Opener"), "A new hive stand", TEXT),
    "a new contribution": lambda site, thread, post, by: site.contribute(site.join("Helper"), thread, ANSWER),
    "another text": lambda site, thread, post, by: site.rewrite(by, thread, f"{TEXT} Edited."),
    "an edited reply": lambda site, thread, post, by: site.edit(by, post, f"{ANSWER} Edited."),
    "other labels": lambda site, thread, post, by: site.relabel(by, thread, ["honey"]),
    "no labels": lambda site, thread, post, by: site.relabel(by, thread, []),
    "a closing": lambda site, thread, post, by: site.close(by, thread),
    "an archiving": lambda site, thread, post, by: site.archive(by, thread),
    "another title": lambda site, thread, post, by: site.retitle(by, thread, "Frames of another size"),
    "a like": lambda site, thread, post, by: site.like(by, post),
    "a deleted contribution": lambda site, thread, post, by: site.delete_contribution(by, post),
    "a deleted thread": lambda site, thread, post, by: site.delete_thread(by, thread),
    "a suspension": lambda site, thread, post, by: site.suspend(by, site.join("Noisy")),
    "a membership": lambda site, thread, post, by: site.put_into_group(by, site.join("Keen"), site.group),
}


class ReadingContract:
    """What every connector's reading does."""

    @pytest.fixture
    def site(self) -> Site:
        raise NotImplementedError("Override the fixture `site`.")

    @pytest.fixture
    def thread(self, site: Site) -> str:
        """A topic or page with one label, begun by one member."""
        return site.open(site.join("Asker"), "Frames of a smaller size", TEXT, ["bees"])

    @pytest.fixture
    def post(self, site: Site, thread: str) -> str:
        """Another member's contribution to the thread."""
        return site.contribute(site.join("Answerer"), thread, ANSWER)

    # Everything

    def test_a_full_read_equals_the_truth(self, site: Site, post: str) -> None:
        assert_true(read(site), site)

    def test_stopped_after_any_batch_and_resumed_it_ends_the_same(self, site: Site, post: str) -> None:
        whole = read(site)
        with connected(site) as connector:
            batches = len(MemoryMirror(connector).sync())
        for stop in range(1, batches):
            with connected(site) as connector:
                mirror = MemoryMirror(connector)
                mirror.sync(batches=stop)
            read_on(mirror, site)
            assert mirror.items == whole.items

    def test_a_cursor_survives_json_and_stays_small(self, site: Site, thread: str) -> None:
        with connected(site) as connector:
            mirror = MemoryMirror(connector)
            for batch in mirror.sync():
                assert len(json.dumps(batch.cursor)) < 4000
            mirror.cursor = json.loads(json.dumps(mirror.cursor))
            mirror.sync()
        assert_true(mirror, site)

    def test_with_nothing_new_the_mirror_stays_as_it_is(self, site: Site, post: str) -> None:
        with connected(site) as connector:
            mirror = MemoryMirror(connector)
            mirror.sync()
            before, changes = dict(mirror.items), len(mirror.changes)
            mirror.sync()
            assert mirror.items == before
            assert len(mirror.changes) == changes

    def test_a_full_read_drops_what_is_gone(self, site: Site, thread: str, post: str) -> None:
        mirror = read(site)
        site.delete_thread(site.moderator(), thread)
        mirror.cursor = None
        read_on(mirror, site)
        assert_true(mirror, site)

    # Changes

    @pytest.mark.parametrize("change", CHANGES)
    def test_an_incremental_read_sees(self, site: Site, thread: str, post: str, change: str) -> None:
        by, mirror = site.moderator(), read(site)
        attempt(lambda: CHANGES[change](site, thread, post, by))
        read_on(mirror, site)
        assert_true(mirror, site)

    def test_an_incremental_read_sees_many_changes_at_once(self, site: Site, thread: str, post: str) -> None:
        by, mirror = site.moderator(), read(site)
        for name in ("a new thread", "a new contribution", "other labels", "another text", "another title"):
            CHANGES[name](site, thread, post, by)
        site.delete_thread(by, site.open(site.join("Passer-by"), "Soon deleted again", TEXT))
        read_on(mirror, site)
        assert_true(mirror, site)

    def test_what_changes_while_it_reads_comes_at_the_latest_with_the_next_read(
        self, site: Site, thread: str, post: str
    ) -> None:
        by = site.moderator()
        with connected(site) as connector:
            mirror = MemoryMirror(connector)
            batches = iter(connector.changes(None, mirror))
            mirror.apply(next(batches))
            site.rewrite(by, thread, f"{TEXT} Edited meanwhile.")
            site.contribute(by, thread, f"{ANSWER} Written meanwhile.")
            for batch in batches:
                mirror.apply(batch)
            mirror.sync()
        assert_true(mirror, site)

    def test_the_platforms_own_record_of_a_change_comes_once(self, site: Site, thread: str) -> None:
        by, mirror = site.moderator(), read(site)
        attempt(lambda: site.close(by, thread))
        read_on(mirror, site)
        read_on(mirror, site)
        ours = [c for c in mirror.changes if (c.kind, c.id, c.field) == (Kind.THREAD, thread, "closed")]
        assert [change.value for change in ours] in ([True], [])
        assert all(isinstance(change, Change) and change.on for change in ours)

    # Single items

    def test_a_fetched_thread_comes_fresh_with_its_contributions(
        self, site: Site, thread: str, post: str
    ) -> None:
        with connected(site) as connector:
            MemoryMirror(connector).sync()
            site.rewrite(site.moderator(), thread, f"{TEXT} Edited.")
            batch = connector.fetch(Ref(site.name, Kind.THREAD, thread))
        assert batch is not None
        truth = site.truth()
        held = {record.id: record for record in batch.records if isinstance(record, Thread)}
        words = {c.id: c for c in batch.records if isinstance(c, Contribution) and c.thread == thread}
        assert seen(held[thread]) == seen(truth.threads[thread])
        _assert_same(words, {id: c for id, c in truth.contributions.items() if c.thread == thread})

    def test_a_fetched_member_comes_fresh(self, site: Site) -> None:
        member = site.join("Newcomer")
        with connected(site) as connector:
            site.put_into_group(site.moderator(), member, site.group)
            batch = connector.fetch(Ref(site.name, Kind.MEMBER, member))
        assert batch is not None
        held = next(r for r in batch.records if isinstance(r, Member) and r.id == member)
        true = site.truth().members[member]
        if true.groups is None and held.groups is not None:  # a list of members comes without, one alone with
            true = replace(true, groups=site.groups_of(member))
        assert seen(held) == seen(true)

    def test_a_fetched_contribution_comes_with_its_thread(self, site: Site, thread: str, post: str) -> None:
        with connected(site) as connector:
            batch = connector.fetch(Ref(site.name, Kind.CONTRIBUTION, post))
        assert batch is not None
        assert {thread, post} <= {record.id for record in batch.records}

    def test_what_is_deleted_is_not_fetched(self, site: Site, thread: str, post: str) -> None:
        site.delete_thread(site.moderator(), thread)
        with connected(site) as connector:
            assert connector.fetch(Ref(site.name, Kind.THREAD, thread)) is None
            assert connector.fetch(Ref(site.name, Kind.CONTRIBUTION, post)) is None

    @pytest.mark.parametrize("kind", [Kind.MEMBER, Kind.THREAD, Kind.CONTRIBUTION])
    def test_what_never_was_is_not_fetched(self, site: Site, kind: Kind) -> None:
        with connected(site) as connector:
            assert connector.fetch(Ref(site.name, kind, "987654321")) is None

    def test_a_page_is_fetched_by_its_title(self, site: Site, thread: str) -> None:
        if site.family != "wiki":
            pytest.skip("a forum has no titles")
        title = site.state(thread).title
        with connected(site) as connector:
            batch = connector.fetch(Ref(site.name, "title", title))
            assert connector.fetch(Ref(site.name, "title", "There is no such page")) is None
        assert batch is not None
        assert thread in {record.id for record in batch.records if isinstance(record, Thread)}

    # Who we are

    def test_a_probe_says_who_we_are_and_what_we_may(self, site: Site) -> None:
        with connected(site) as connector:
            health = connector.probe()
            assert health.can <= connector.verbs
        assert site.truth().members[health.account_id].username == health.account
        assert health.requests > 0
        assert not health.read_only
        assert all(finding.level != "error" for finding in health.findings)

    def test_a_probe_says_what_an_account_without_rights_may_not(self, site: Site) -> None:
        with connected(site) as connector:
            before = connector.probe().can
        site.demote()
        with connected(site) as connector:
            assert connector.probe().can < before

    def test_a_profile_says_whether_messages_are_taken(self, site: Site) -> None:
        willing, unwilling = site.join("Willing"), site.join("Unwilling")
        site.refuse_messages(unwilling)
        with connected(site) as connector:
            assert connector.profile(willing).accepts
            refused = connector.profile(unwilling)
            with pytest.raises(NotFound):
                connector.profile("987654321")
        assert not refused.accepts
        assert refused.reason

    def test_nothing_halts_until_somebody_objects(self, site: Site) -> None:
        with connected(site) as connector:
            assert connector.halted(None) == ""
        stop = site.object(site.join("Objector"))
        with connected(site) as connector:
            assert connector.halted(stop)

    def test_requests_are_counted(self, site: Site, thread: str) -> None:
        with connected(site) as connector:
            MemoryMirror(connector).sync()
            after_reading = connector.statistics()["requests"]
            connector.fetch(Ref(site.name, Kind.THREAD, thread))
            assert connector.statistics()["requests"] > after_reading > 0
            assert {"retries", "waited"} <= set(connector.statistics())

    # Words

    def test_addresses_are_read_back(self, site: Site, thread: str) -> None:
        ref = Ref(site.name, Kind.THREAD, thread)
        address = site.platform.url(ref)
        assert address.startswith("http")
        assert site.platform.parse(address) == ref
        assert site.platform.parse("https://elsewhere.example/t/1") is None
        assert site.platform.parse("not an address") is None

    @pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
    def test_escaped_text_takes_no_effect(self, site: Site, text: str) -> None:
        escaped = site.platform.escape(text)
        assert len(escaped.splitlines()) == 1
        live = re.sub(r"\\.", "", escaped) if site.family == "forum" else escaped
        for sign in EFFECTS[site.family]:
            assert sign not in live
        assert site.platform.escape("Marta Rossi") == "Marta Rossi"


EFFECTS: Mapping[str, Sequence[str]] = {
    "forum": ("<", ">", "[", "]", "`", "**", "@all", "@staff", "#tag", "https://evil", "# heading"),
    "wiki": ("<!--", "-->", "<script", "<nowiki>", "[[", "{{", "~~~", "''", "__NOTOC__", "[https:"),
}
"""Signs that would do something in the platform's markup; in Markdown, unless a backslash stands before."""
