"""What a run reads again before it acts: the item, and what the people concerned may have answered us."""

from __future__ import annotations

import pytest

from ordito.connectors.actions import AddToGroup, CloseThread, SendMessage
from ordito.connectors.base import Batch
from ordito.connectors.records import Kind, Record, Ref
from ordito.sync.identities import link
from ordito.sync.outbox import Draft, Go
from ordito.sync.store.guard import Exclusions, Guard
from ordito.sync.store.ingest import Ingest
from tests.sync.outbox.fakes import ANNA, NOW, THREAD, Rig, draft
from tests.sync.records import member, post, thread

ON_THE_WIKI = Ref("wiki", Kind.MEMBER, "7")


def to_anna(occasion: str = "later") -> Draft:
    action = SendMessage(site="forum", to=("42",), subject="Hello", text="Hello")
    return Draft("greet", ANNA, occasion, "only", action, ())


def mirrored(rig: Rig, *records: Record) -> None:
    """The mirror knows them."""
    for site in ("forum", "wiki"):
        with rig.store.write() as conn:
            guard = Guard.load(conn, site, Exclusions(), rig.store.secret)
            batch = Batch(records=tuple(each for each in records if each.site == site))
            Ingest(site, "forum", guard, NOW, None).store(conn, batch)


def link_anna(rig: Rig) -> None:
    """Her account on the wiki is known to be hers."""
    mirrored(rig, member("42"), member("7", site="wiki"))
    with rig.store.write() as conn:
        link(conn, (ANNA, ON_THE_WIKI), NOW)


@pytest.fixture
def written(rig: Rig) -> Rig:
    """We have replied to anna in her thread, and the mirror knows nothing of it yet."""
    mirrored(rig, thread(THREAD.id, author="42"))
    rig.gate.verdict = Go((ANNA,))
    [first] = rig.approved(draft())
    assert len(rig.apply(first).applied) == 1
    rig.connector.fetched.clear()
    return rig


def read(rig: Rig, *drafts: Draft) -> list[Ref]:
    """What is asked for in order to carry these out."""
    rig.apply(*rig.approved(*drafts))
    return rig.connector.fetched


def test_before_somebody_is_written_to_again_it_is_read_what_they_answered(written: Rig) -> None:
    ours = Ref("forum", Kind.CONTRIBUTION, written.server.done[0])
    assert read(written, to_anna()) == [ANNA, ours, THREAD], "where it is, the proposal tells"


def test_where_the_mirror_knows_our_text_its_thread_is_read(written: Rig) -> None:
    elsewhere = Ref("forum", Kind.THREAD, "8")
    mirrored(written, thread("8", author="42"), post(written.server.done[0], "8"))
    assert read(written, to_anna()) == [ANNA, elsewhere]


def test_what_a_thread_s_author_answered_elsewhere_counts_too(written: Rig) -> None:
    other = Ref("forum", Kind.THREAD, "2")
    mirrored(written, thread("2", author="42"))
    assert read(written, draft("again", item=other))[0] == other
    assert THREAD in written.connector.fetched


def test_a_linked_account_is_the_same_person(written: Rig) -> None:
    link_anna(written)
    action = AddToGroup(site="wiki", member="7", group="experts")
    read(written, Draft("honour", ON_THE_WIKI, "once", "only", action, ()))
    assert written.connectors["wiki"].fetched == [ON_THE_WIKI]
    assert THREAD in written.connector.fetched


def test_a_conversation_on_a_site_that_left_the_settings_holds_nothing_up(written: Rig) -> None:
    link_anna(written)
    written.forget("forum")
    action = AddToGroup(site="wiki", member="7", group="experts")
    [proposal] = written.approved(Draft("honour", ON_THE_WIKI, "once", "only", action, ()))
    assert [each.id for each, _ in written.apply(proposal).applied] == [proposal]


def test_a_conversation_that_was_deleted_is_not_asked_for(written: Rig) -> None:
    mirrored(written, post(written.server.done[0], THREAD.id, deleted_at=NOW))
    assert read(written, to_anna()) == [ANNA]


def test_of_many_conversations_the_newest_are_read(written: Rig) -> None:
    others = [Ref("forum", Kind.THREAD, str(number)) for number in range(10, 20)]
    for other in others:
        mirrored(written, thread(other.id, author="42"))
        written.apply(*written.approved(draft(item=other)))
    written.connector.fetched.clear()
    conversations = read(written, to_anna())[1:]
    assert len(conversations) == 5
    assert others[-1] in conversations and others[0] not in conversations


def test_what_speaks_to_nobody_reads_its_item_only(written: Rig) -> None:
    closing = Draft("shut", THREAD, "once", "only", CloseThread(site="forum", thread="1"), ())
    assert read(written, closing) == [THREAD]
