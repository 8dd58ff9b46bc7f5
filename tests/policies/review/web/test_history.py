"""What was done, undoing it from the page, and how the last runs went."""

from datetime import datetime

import pytest
from sqlalchemy import Connection

from ordito.connectors.actions import CloseThread
from ordito.connectors.records import Thread
from ordito.policies.review.web.page import Page
from ordito.sync.context import App
from ordito.sync.locks import Holder, run_lock
from ordito.sync.outbox import Decision, Go, Proposal, State, apply, review
from ordito.sync.store.runs import recorded
from ordito.sync.workbench import workbench
from tests.policies.review.community import TAG, Clock, draft, look, offer
from tests.policies.review.web.conftest import Browser


class Open:
    """A gate that lets everything through."""

    def begin(self, now: datetime) -> None:
        pass

    def hold(self, conn: Connection, proposal: Proposal, now: datetime) -> None:
        return None

    def prepare(self, proposal: Proposal, now: datetime) -> None:
        pass

    def check(self, conn: Connection, proposal: Proposal, now: datetime) -> Go:
        return Go()


class Nothing:
    """A mirror that holds nothing yet."""

    def stamps(self, ids: object) -> dict[str, str]:
        return {}

    def conversations(self) -> list[str]:
        return []

    def contribution_ids(self, thread: str) -> frozenset[str]:
        return frozenset()


@pytest.fixture
def closed(app: App, page: Page, clock: Clock) -> int:
    """A topic of the sandbox that was closed as approved; the proposal."""

    def some_topic() -> str:
        return next(
            record.id
            for batch in app.connector("forum").changes(None, Nothing())
            for record in batch.records
            if isinstance(record, Thread) and record.kind == "topic" and record.closed is False
        )

    def carry_out() -> None:
        with workbench(app, "apply") as bench, recorded(app.store, "apply", app.now) as run:
            report = apply(bench, Open(), [id_])
            run.exit_code, run.summary = report.exit_code, report.summary

    [id_] = offer(app, draft(CloseThread(site="forum", thread=page.on_platforms(some_topic, 60))))
    with app.store.write() as conn:
        review(conn, id_, Decision.APPROVED, by="mara", now=app.now())
    page.on_platforms(carry_out, 60)
    assert look(app, id_).state == State.APPLIED
    clock.pass_(minutes=3)
    return id_


def test_nothing_was_done_yet(browser: Browser) -> None:
    assert "Nothing was done yet." in browser.get("/history").text


def test_what_was_done_can_be_undone(app: App, browser: Browser, closed: int) -> None:
    browser.get("/history")
    assert "<strong>applied</strong>" in browser.text and "approved by <bdi>mara</bdi>" in browser.text
    assert "Can be undone, unless somebody changes it meanwhile." in browser.text
    assert browser.post(f"/history/{closed}/undo").location == "/history"
    assert look(app, closed).state == State.UNDONE
    assert "<strong>undone</strong>" in browser.get("/history").text
    assert "Undo it now" not in browser.text
    assert "undoing it for mara: done" in browser.get(f"/proposals/{closed}").text


def test_what_cannot_be_undone_says_why(app: App, browser: Browser, closed: int) -> None:
    browser.get("/history")
    browser.post(f"/history/{closed}/undo")
    browser.get("/history")
    again = browser.post(f"/history/{closed}/undo")
    assert again.status_code == 409 and "only what was applied can be undone" in again.text
    assert browser.post("/history/999/undo").status_code == 409


def test_while_a_run_is_at_work_an_undo_waits_for_another_time(
    app: App, browser: Browser, closed: int
) -> None:
    browser.get("/history")
    with run_lock(app.store, Holder.here("run", "cron"), app.now):
        busy = browser.post(f"/history/{closed}/undo")
        assert busy.status_code == 409 and "ordito run by cron" in busy.text
        assert "At work now: ordito run by cron" in browser.get("/health").text
    assert look(app, closed).state == State.APPLIED


def test_a_proposal_that_waits_is_not_in_the_history(app: App, browser: Browser) -> None:
    offer(app, draft(TAG))
    assert "Nothing was done yet." in browser.get("/history").text


def test_health_tells_of_the_last_runs(app: App, browser: Browser, closed: int) -> None:
    with pytest.raises(ZeroDivisionError), recorded(app.store, "sync", app.now):
        raise ZeroDivisionError
    with recorded(app.store, "run", app.now) as run:
        run.exit_code, run.summary = 3, {"sync": {"requests": 7, "retries": 0}, "apply": {"failed": 1}}
    browser.get("/health")
    assert "done in part" in browser.text and "failed</span>" in browser.text
    assert "sync requests 7, apply failed 1" in browser.text and "applied 1" in browser.text
    assert "not read yet" in browser.text
