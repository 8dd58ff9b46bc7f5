"""A person is forgotten: in the mirror, in the outbox, at the next sync, and in the file on the disk."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Table, func, insert, select

from ordito.connectors.actions import Action, AddToGroup, ArchiveThread, CloseThread, Reply, SendMessage
from ordito.connectors.base import Batch
from ordito.connectors.records import Kind, Ref
from ordito.sync.forgetting import forget
from ordito.sync.identities import link, people
from ordito.sync.outbox import Because, Decision, Draft, get, propose, review
from ordito.sync.store.guard import digest
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, members, metadata, opt_outs, plans, states, texts, threads
from tests.sync.fakes import FakeSite, sync_one
from tests.sync.records import SITE, day, group, member, post, thread

NAME, WORDS, MAIL = "Klara Kolumna", "Greetings from the Ostsee", "Welcome, Klara Kolumna!"
KLARA = Ref(SITE, Kind.MEMBER, "66")
COMMUNITY = Batch(
    records=(
        member("1"), member("66", username="klara_k", name=NAME, title="Queen of posts", trust_level=3),
        group("greeters", "1", "66"), thread("1"), thread("2", author="66"), post("1", text="Hello all"),
        post("2", "2", author="66", text=WORDS), post("3", "2", author="66", text=WORDS),
    )
)  # fmt: skip


@pytest.fixture
def community(store: Store) -> Store:
    sync_one(store, FakeSite([COMMUNITY]), day(30))
    return store


def everything(store: Store) -> str:
    with store.read() as connection:
        tables = metadata.sorted_tables
        return "\n".join(str(row) for table in tables for row in connection.execute(select(table)))


def count(store: Store, table: Table, *where: object) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0  # type: ignore[arg-type]


REASONS = (Because("author.username", "contains: k", "klara_k"),)


def draft(action: Action, item: Ref, step: str, because: tuple[Because, ...] = REASONS) -> Draft:
    return Draft(policy="p", item=item, occasion="once", step=step, action=action, because=because)


def test_names_and_texts_go_and_that_somebody_wrote_stays(community: Store) -> None:
    done = forget(community, KLARA, day(31))
    assert (done.accounts, done.contributions) == ((KLARA,), 2)
    left = everything(community)
    for secret in (NAME, "klara_k", WORDS, "Queen of posts"):
        assert secret not in left
    assert count(community, members) == 1
    assert count(community, texts) == 1
    assert count(community, contributions, contributions.c.author.is_(None)) == 2
    assert count(community, threads, threads.c.author.is_(None)) == 1
    assert count(community, states, states.c.item == "66") == 0


def test_a_forgotten_person_is_opted_out_and_does_not_come_back(community: Store) -> None:
    forget(community, KLARA, day(31))
    for full in (False, True):
        sync_one(community, FakeSite([Batch(), COMMUNITY]), day(32), full=full)
        left = everything(community)
        assert not any(secret in left for secret in (NAME, "klara_k", WORDS))
    assert count(community, contributions) == 3
    with community.read() as connection:
        row = connection.execute(select(opt_outs)).one()
    assert (row.how, row.member) == ("forgotten", digest(community.secret, SITE, "66"))


def test_the_digest_is_of_use_only_with_the_stores_secret(store: Store) -> None:
    assert digest(store.secret, SITE, "66") != digest(b"another", SITE, "66")
    assert digest(store.secret, SITE, "66") != digest(store.secret, "wiki", "66")


def test_linked_accounts_are_forgotten_together(community: Store) -> None:
    other = Ref("wiki", Kind.MEMBER, "5")
    with community.write() as connection:
        link(connection, [KLARA, other], day(30))
    assert forget(community, other, day(31)).accounts == (KLARA, other)
    assert NAME not in everything(community)
    with community.read() as connection:
        assert people(connection) == []


def test_somebody_whom_the_mirror_never_held_can_be_forgotten(store: Store) -> None:
    forget(store, KLARA, day(29))
    sync_one(store, FakeSite([COMMUNITY]), day(30))
    assert NAME not in everything(store)
    assert WORDS not in everything(store)


def test_a_plan_no_longer_tells_what_held_somebody_back(community: Store) -> None:
    other = ["welcome", f"{SITE}:member:1", "contact", "heard from us"]
    held = [["welcome", str(KLARA), "limit", "the limit of 20"], other]
    with community.write() as connection:
        row = {"created_at": 1, "as_of": 1, "policies": "[]", "held": json.dumps(held)}
        connection.execute(insert(plans), row)
    forget(community, KLARA, day(31))
    with community.read() as connection:
        assert json.loads(connection.execute(select(plans.c.held)).scalar_one()) == [other]


def test_what_was_to_be_said_to_them_is_withdrawn_and_erased(community: Store) -> None:
    hers, other = Ref(SITE, Kind.THREAD, "2"), Ref(SITE, Kind.THREAD, "1")
    drafts = [
        draft(SendMessage(site=SITE, to=("66", "1"), subject=MAIL, text=MAIL), KLARA, "welcome"),
        draft(Reply(site=SITE, thread="2", text=MAIL), hers, "remind"),
        draft(AddToGroup(site=SITE, member="66", group="experts"), other, "reward"),
        draft(CloseThread(site=SITE, thread="1"), other, "close", because=()),
    ]
    with community.write() as connection:
        new = propose(connection, drafts, plan=None, now=day(30), expire=None, approve_as=None).new
        review(connection, new[2].id, Decision.REJECTED, by="mod", reason="Klara said no", now=day(30))
    done = forget(community, KLARA, day(31))
    assert (done.withdrawn, done.under_way) == (2, ())
    left = everything(community)
    assert not any(secret in left for secret in (MAIL, "Klara", "klara_k", '"66"', f"'{KLARA}'"))
    with community.read() as connection:
        states_now = [get(connection, proposal.id).state for proposal in new]
    assert states_now == ["superseded", "superseded", "rejected", "proposed"]


def test_sections_of_talk_pages_that_they_signed_go_from_the_outbox(community: Store) -> None:
    hers = f"== Baltic ==\n{WORDS} [[User:klara_k|klara_k]] 10:00, 1 March 2024 (UTC)"
    other = "== Hills ==\nHigh. [[User:user1]] 10:00, 1 March 2024 (UTC)"
    page = Ref(SITE, Kind.THREAD, "1")
    drafts = [
        draft(ArchiveThread(site=SITE, thread="1", sections=(text,), to="Talk:A/2024"), page, step, ())
        for text, step in ((hers, "a"), (other, "b"))
    ]
    with community.write() as connection:
        propose(connection, drafts, plan=None, now=day(30), expire=None, approve_as=None)
    assert forget(community, KLARA, day(31)).withdrawn == 1
    left = everything(community)
    assert WORDS not in left and "klara_k" not in left
    assert "== Hills ==" in left


def test_nothing_is_left_in_the_files(tmp_path: Path, open_store: Callable[[str], Store]) -> None:
    store = open_store(f"sqlite:///{tmp_path}/ordito.db")
    sync_one(store, FakeSite([COMMUNITY]), day(30))

    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(tmp_path.glob("ordito.db*")))

    assert WORDS.encode() in on_disk()
    forget(store, KLARA, day(31))
    assert WORDS.encode() not in on_disk()
    assert NAME.encode() not in on_disk()
