"""The queue and the journal."""

from datetime import timedelta

import pytest

from ordito.connectors.records import Kind, Ref
from ordito.sync.outbox import Decision, Filters, Go, State, count, decisions, journal, select
from tests.sync.outbox.fakes import ANNA, NOW, THREAD, Rig, draft

OTHER = Ref("forum", Kind.THREAD, "2")


@pytest.fixture
def history(rig: Rig) -> dict[str, int]:
    """One after the other, a minute apart: rejected, applied by bob for anna, undone by carl, waiting."""
    made = {}
    [made["rejected"]] = [p.id for p in rig.propose(draft("a"))]
    rig.review(made["rejected"], Decision.REJECTED)
    rig.clock.pass_(timedelta(minutes=1))
    rig.gate.verdict = Go((ANNA,))
    [made["applied"]] = rig.approved(draft("b", policy="welcome", item=OTHER), by="bob")
    rig.apply()
    rig.clock.pass_(timedelta(minutes=1))
    rig.gate.verdict = Go()
    [made["undone"]] = rig.approved(draft("c"))
    rig.apply()
    rig.undo(made["undone"], by="carl")
    [made["waiting"]] = [p.id for p in rig.propose(draft("d"))]
    return made


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), ["rejected", "applied", "undone", "waiting"]),
        (Filters(states=[State.PROPOSED, State.REJECTED]), ["rejected", "waiting"]),
        (Filters(policies=["welcome"]), ["applied"]),
        (Filters(sites=["wiki"]), []),
        (Filters(item=OTHER), ["applied"]),
        (Filters(item=THREAD), ["rejected", "undone", "waiting"]),
        (Filters(member=ANNA), ["applied"]),
        (Filters(member=Ref("wiki", Kind.MEMBER, "42")), []),
        (Filters(by="bob"), ["applied"]),
        (Filters(by="carl"), ["undone"]),
        (Filters(since=NOW + timedelta(minutes=1)), ["applied", "undone", "waiting"]),
        (Filters(until=NOW + timedelta(minutes=1)), ["rejected"]),
        (Filters(since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=2)), ["applied"]),
        (Filters(item=THREAD, states=[State.UNDONE], by="anna"), ["undone"]),
    ],
)
def test_every_filter_narrows_the_list(
    rig: Rig, history: dict[str, int], filters: Filters, expected: list[str]
) -> None:
    with rig.store.read() as conn:
        found = [proposal.id for proposal in select(conn, filters)]
        assert found == [history[name] for name in expected]
        assert count(conn, filters) == len(expected)


def test_a_list_can_be_paged(rig: Rig, history: dict[str, int]) -> None:
    with rig.store.read() as conn:
        pages = [select(conn, Filters(), limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [[p.id for p in page] for page in pages] == [list(history.values())[:3], [history["waiting"]], []]


def test_the_journal_has_the_newest_first_with_what_was_left_on_the_site(
    rig: Rig, history: dict[str, int]
) -> None:
    with rig.store.read() as conn:
        entries = journal(conn, Filters(states=[State.APPLIED, State.UNDONE, State.REJECTED]))
    assert [entry.proposal.id for entry in entries] == [
        history["undone"],
        history["applied"],
        history["rejected"],
    ]
    token = f"{rig.store.installation[:8]}-{history['applied']}-do"
    assert entries[1].receipt is not None
    assert entries[1].receipt.url == f"https://forum.example/{token}"
    assert entries[1].at == NOW + timedelta(minutes=1)
    assert entries[2].receipt is None
    assert [entry.undone_by for entry in entries] == ["carl", None, None]


def test_the_decisions_come_in_their_order(rig: Rig, history: dict[str, int]) -> None:
    with rig.store.read() as conn:
        assert [d.decision for d in decisions(conn, history["undone"])] == ["approved"]
        assert decisions(conn, history["waiting"]) == []
