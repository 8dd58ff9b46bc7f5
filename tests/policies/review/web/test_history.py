"""What was done, undoing it from the page, and how the last runs went."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ordito.config.errors import UsageError
from ordito.connectors.actions import Action, CloseThread
from ordito.connectors.records import Thread
from ordito.policies.review.web.carrying_out import told
from ordito.policies.review.web.page import Page
from ordito.sync.context import App
from ordito.sync.locks import Holder, run_lock
from ordito.sync.outbox import Decision, Go, Proposal, Report, State, apply, review
from ordito.sync.outbox.bench import Failure, Held
from ordito.sync.store.runs import recorded
from ordito.sync.store.tables import proposals
from ordito.sync.store.times import micros
from ordito.sync.workbench import workbench
from tests.policies.review.community import CLOSE, TAG, WELCOME, Clock, draft, look, offer
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

    def listed(self, low: int, high: int) -> frozenset[str]:
        return frozenset()

    def spoken(self, threads: object) -> dict[str, int]:
        return {}

    def sealed(self, name: str) -> str:
        return name


def some_topic(app: App) -> str:
    return next(
        record.id
        for batch in app.connector("forum").changes(None, Nothing())
        for record in batch.records
        if isinstance(record, Thread) and record.kind == "topic" and record.closed is False
    )


def approved_closing(app: App, page: Page) -> int:
    """A topic of the sandbox whose closing waits to be carried out; the proposal."""
    topic = page.on_platforms(lambda: some_topic(app), 60)
    [id_] = offer(app, draft(CloseThread(site="forum", thread=topic)))
    with app.store.write() as conn:
        review(conn, id_, Decision.APPROVED, by="mara", now=app.now())
    return id_


@pytest.fixture
def closed(app: App, page: Page, clock: Clock) -> int:
    """A topic of the sandbox that was closed as approved; the proposal."""

    def carry_out() -> None:
        with workbench(app, "apply") as bench, recorded(app.store, "apply", app.now) as run:
            report = apply(bench, Open(), [id_])
            run.exit_code, run.summary = report.exit_code, report.summary

    id_ = approved_closing(app, page)
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


def test_what_is_approved_can_be_carried_out_from_the_page_once_its_window_is_over(
    app: App, browser: Browser, page: Page, clock: Clock
) -> None:
    app.make_gate = lambda app: Open()
    id_ = approved_closing(app, page)
    assert "1 approved</a>, not carried out yet" in browser.get("/history").text
    early = browser.post("/history/apply")
    assert f"1 held ({id_}): the approval can still be taken back" in early.text
    assert look(app, id_).state == State.APPROVED
    clock.pass_(minutes=10)
    done = browser.post("/history/apply")
    assert "1 carried out." in done.text and "Carry out now" not in done.text
    assert look(app, id_).state == State.APPLIED
    assert "<strong>apply</strong>" in browser.get("/health").text


def test_nothing_is_carried_out_by_settings_that_are_no_longer_in_force(
    app: App, browser: Browser, page: Page, clock: Clock
) -> None:
    app.make_gate = lambda app: Open()
    id_ = approved_closing(app, page)
    clock.pass_(minutes=10)
    browser.get("/history")
    file = Path(app.settings.path)
    before = file.read_text(encoding="utf-8")
    file.write_text(f"# a remark alone changes nothing\n{before}", encoding="utf-8")
    assert app.load_settings() == app.settings
    file.write_text(before.replace("greet: {", "greet: {mode: off, "), encoding="utf-8")
    refused = browser.post("/history/apply")
    assert refused.status_code == 409 and "settings have changed" in refused.text
    assert look(app, id_).state == State.APPROVED
    file.write_text("nonsense: [", encoding="utf-8")
    assert browser.post("/history/apply").status_code == 409
    assert look(app, id_).state == State.APPROVED
    file.write_text(before, encoding="utf-8")
    assert "1 carried out." in browser.post("/history/apply").text


def test_while_a_run_is_at_work_nothing_is_carried_out_from_the_page(
    app: App, browser: Browser, page: Page
) -> None:
    id_ = approved_closing(app, page)
    browser.get("/history")
    with run_lock(app.store, Holder.here("run", "cron"), app.now):
        busy = browser.post("/history/apply")
    assert busy.status_code == 409 and "cron" in busy.text
    assert look(app, id_).state == State.APPROVED


def test_what_came_of_it_is_told_with_every_reason() -> None:
    report = Report()
    until = datetime(2026, 3, 1, 13, tzinfo=UTC)
    earlier, quiet = until - timedelta(hours=1), "it is quiet"
    report.held += [Held(1, earlier, quiet), Held(2, until, quiet), Held(3, None, "stopped")]
    report.superseded.append((4, "somebody answered"))
    report.failed.append(Failure(5, "forum", "forbidden", "No right.", retriable=False))
    report.unsettled.append((6, "no answer"))
    assert list(told(report)) == [
        ("2 held (1, 2): it is quiet, until 2026-03-01 13:00 UTC.", False),
        ("1 held (3): stopped.", False),
        ("Proposal 4 no longer fits: somebody answered.", False),
        ("Proposal 5 failed: No right.", True),
        ("Proposal 6 may be done or not, please look: no answer", True),
    ]
    assert list(told(Report())) == [("Nothing was there to carry out.", False)]


def test_while_a_run_is_at_work_an_undo_waits_for_another_time(
    app: App, browser: Browser, closed: int
) -> None:
    browser.get("/history")
    with run_lock(app.store, Holder.here("run", "cron"), app.now):
        busy = browser.post(f"/history/{closed}/undo")
        assert busy.status_code == 409 and "ordito run by cron" in busy.text
        assert "At work now: ordito run by cron" in browser.get("/health").text
    assert look(app, closed).state == State.APPLIED


def done(app: App, *ids: int) -> None:
    """As if these had been approved, and carried out an hour apart, the first one now."""
    with app.store.write() as conn:
        for number, id_ in enumerate(ids):
            review(conn, id_, Decision.APPROVED, by=("mara", "Zoé <b>")[number % 2], now=app.now())
            at = micros(app.now() - number * timedelta(hours=13))
            values = {"state": State.APPLIED if number < 2 else State.FAILED, "changed_at": at}
            conn.execute(proposals.update().where(proposals.c.id == id_).values(**values))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["tag", "tidy", "greet"]),
        ("policy=tidy", ["tidy"]),
        ("by=mara", ["tag", "greet"]),
        ("by=Zo%C3%A9+%3Cb%3E", ["tidy"]),
        ("by=nobody", []),
        ("state=failed", ["greet"]),
        ("state=rejected", ["no"]),
        ("item=LOOM", ["tag"]),
        ("item=%40anna", ["greet"]),
        ("item=forum%3Atopic%3A11", ["tidy"]),
        ("item=https%3A%2F%2Fforum.sandbox.example%2Ft%2F11", ["tidy"]),
        ("since=2026-03-01", ["tag"]),
        ("until=2026-02-28", ["tidy", "greet"]),
        ("since=2026-02-28&until=2026-02-28", ["tidy", "greet"]),
        ("since=yesterday&until=2026-99-99&state=nonsense&page=x", ["tag", "tidy", "greet"]),
        ("until=9999-12-31&by=mara&state=applied", ["tag"]),
        ("item=%25", []),
    ],
)
def test_the_history_has_filters(app: App, browser: Browser, query: str, found: list[str]) -> None:
    actions: dict[str, Action] = {"tag": TAG, "tidy": CLOSE, "greet": WELCOME, "no": TAG}
    made = {
        name: offer(app, draft(action, policy=name, occasion=name))[0] for name, action in actions.items()
    }
    done(app, made["tag"], made["tidy"], made["greet"])
    with app.store.write() as conn:
        review(conn, made["no"], Decision.REJECTED, by="mara", now=app.now(), reason="no")
    html = browser.get(f"/history?{query}").text
    shown = re.findall(r'class="row" href="/proposals/(\d+)', html)
    assert [int(each) for each in shown] == [made[name] for name in found]
    assert "Zoé <b>" not in html


def test_an_item_that_there_is_not_is_said_so(app: App, browser: Browser) -> None:
    done(app, *offer(app, draft(TAG)))
    html = browser.get("/history?item=%40nobody").text
    assert "The mirror knows nothing called" in html and 'class="row"' not in html


def test_a_long_history_keeps_its_filters_from_page_to_page(app: App, browser: Browser) -> None:
    done(app, *offer(app, *(draft(TAG, occasion=str(number)) for number in range(62))))
    html = browser.get("/history?policy=greet&by=mara").text
    assert 'href="/history?policy=greet&amp;by=mara&amp;page=2"' in html and "31 found." in html
    assert "Filters: policy <bdi>greet</bdi>, by <bdi>mara</bdi></summary>" in html
    assert '<option value="Zoé &lt;b&gt;">' in html


def test_a_proposal_that_waits_is_not_in_the_history(app: App, browser: Browser) -> None:
    offer(app, draft(TAG))
    assert "Nothing was done yet." in browser.get("/history").text


def test_health_tells_of_the_last_runs(app: App, browser: Browser, closed: int) -> None:
    with pytest.raises(ZeroDivisionError), recorded(app.store, "sync", app.now):
        raise ZeroDivisionError
    with recorded(app.store, "run", app.now) as run:
        run.exit_code, run.summary = 3, {"sync": {"requests": 7, "retries": 0}, "apply": {"failed": 1}}
    with pytest.raises(UsageError), recorded(app.store, "mistyped", app.now):
        raise UsageError("There is no proposal 99.")
    browser.get("/health")
    assert "mistyped" not in browser.text, "nothing was done: that was no run"
    assert "done in part" in browser.text and "failed</span>" in browser.text
    assert "sync requests 7, apply failed 1" in browser.text and "applied 1" in browser.text
    assert "not read yet" in browser.text
