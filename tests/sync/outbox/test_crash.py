"""A process may be killed anywhere: the next run carries out what is missing, and nothing twice."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import cast

import pytest
from sqlalchemy import Connection, select

from ordito.config.errors import OutcomeUnknown
from ordito.connectors.records import Kind, Ref
from ordito.sync.outbox import Go, State
from ordito.sync.store.store import Store
from ordito.sync.store.tables import attempts, contacts, doings, proposals, reviews
from tests.sync.outbox.fakes import ANNA, Killed, Rig, draft


@dataclass
class Fuse:
    """Counts every point at which a process can be stopped, and blows at one of them."""

    at: int
    passed: int = 0
    blown: bool = False

    def __call__(self, point: str) -> None:
        self.passed += 1
        if self.passed == self.at + 1 and not self.blown:
            self.blown = True
            raise Killed(point)


@dataclass
class Fused:
    """A store whose transactions can be stopped at their beginning, before and after their end."""

    store: Store
    fuse: Fuse

    @property
    def installation(self) -> str:
        return self.store.installation

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.fuse("read")
        with self.store.read() as conn:
            yield conn

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        self.fuse("begin")
        with self.store.write(durable=durable) as conn:
            yield conn
            self.fuse("before commit")
        self.fuse("after commit")


def fused(rig: Rig, fuse: Fuse) -> Store:
    return cast(Store, Fused(rig.store, fuse))


def run(rig: Rig, at: int) -> Fuse:
    """One run that is stopped at a point, if it has that many."""
    fuse = Fuse(at)
    rig.gate.hook = rig.connector.hook = fuse
    try:
        rig.apply(store=fused(rig, fuse))
    except Killed:
        pass
    finally:
        rig.gate.hook = rig.connector.hook = lambda _: None
    return fuse


def everything_once(rig: Rig, ids: list[int]) -> None:
    tokens = [f"{rig.store.installation[:8]}-{proposal}-do" for proposal in ids]
    assert sorted(rig.server.done) == sorted(tokens)
    assert {rig.get(proposal).state for proposal in ids} == {State.APPLIED}
    with rig.store.read() as conn:
        done = conn.execute(select(attempts.c.proposal).where(attempts.c.outcome == "done")).scalars().all()
        assert sorted(done) == sorted(ids)
        assert conn.execute(select(attempts).where(attempts.c.outcome.is_(None))).all() == []
        assert len(conn.execute(select(contacts)).all()) == len(ids)
        assert len(conn.execute(select(doings)).all()) == len(ids)


def test_stopped_at_any_point_everything_is_carried_out_once(rig: Rig) -> None:
    rig.gate.verdict = Go((ANNA,))
    for at in count():
        rig.server.done.clear()
        forget(rig)
        threads = [Ref("forum", Kind.THREAD, f"{at}-{n}") for n in range(2)]
        ids = rig.approved(*(draft(item=thread) for thread in threads))
        fuse = run(rig, at)
        rig.apply()
        everything_once(rig, ids)
        if not fuse.blown:
            break
    assert at > 30, "the points were counted"


def test_stopped_a_second_time_while_settling_everything_is_still_carried_out_once(rig: Rig) -> None:
    """The first is killed while the site is asked; the second wherever it may be."""
    rig.gate.verdict = Go((ANNA,))
    for lost in ("before perform", "after perform"):
        for at in count():
            rig.server.done.clear()
            forget(rig)
            ids = rig.approved(draft(item=Ref("forum", Kind.THREAD, f"{lost[0]}{at}")))
            stop_at(rig, lost)
            fuse = run(rig, at)
            rig.apply()
            everything_once(rig, ids)
            if not fuse.blown:
                break


def stop_at(rig: Rig, point: str) -> None:
    def hook(at: str) -> None:
        if at == point:
            raise Killed(at)

    rig.connector.hook = hook
    with pytest.raises(Killed):
        rig.apply()
    rig.connector.hook = lambda _: None


@pytest.mark.parametrize("lost", ["before perform", "after perform"])
def test_answers_lost_and_processes_killed_together(rig: Rig, lost: str) -> None:
    rig.gate.verdict = Go((ANNA,))
    for at in count():
        rig.server.done.clear()
        forget(rig)
        ids = rig.approved(draft(item=Ref("forum", Kind.THREAD, f"{lost[0]}{at}")))
        fuse = Fuse(at)
        dropped: list[str] = []

        def hook(point: str, fuse: Fuse = fuse, dropped: list[str] = dropped) -> None:
            if point == lost and not dropped:
                dropped.append(point)
                raise OutcomeUnknown("no answer", where="forum")
            fuse(point)

        rig.connector.hook = hook
        with suppress(Killed):
            rig.apply(store=fused(rig, fuse))
        rig.connector.hook = lambda _: None
        rig.apply()
        everything_once(rig, ids)
        if not fuse.blown:
            break


def test_what_a_killed_process_has_sent_may_still_arrive(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    token = f"{rig.store.installation[:8]}-{proposal}-do"
    rig.server.late.append((rig.clock.now + timedelta(seconds=50), token))
    stop_at(rig, "before perform")
    rig.clock.pass_(timedelta(seconds=10))
    report = rig.apply()
    assert [p.id for p, _ in report.applied] == [proposal]
    assert rig.server.done == [token]


def forget(rig: Rig) -> None:
    """An empty outbox, for the next point."""
    with rig.store.write() as conn:
        for table in (contacts, doings, attempts, reviews, proposals):
            conn.execute(table.delete())
