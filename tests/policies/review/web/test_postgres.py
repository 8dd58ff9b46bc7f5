"""The same page over a PostgreSQL store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ordito.policies.review.web.application import create
from ordito.policies.review.web.page import Page
from ordito.policies.review.web.sign_ins import LINK, Person, Purpose
from ordito.sync.context import App
from ordito.sync.outbox import State
from ordito.sync.store.store import Store
from tests.policies.review.community import (
    CLOSE,
    PAGE_EDIT,
    TAG,
    WELCOME,
    Clock,
    draft,
    look,
    make_app,
    mirror,
    offer,
    write_settings,
)
from tests.policies.review.web.conftest import BASE, Browser


@pytest.fixture
def app(tmp_path: Path, clock: Clock, postgres_url: str) -> Iterator[App]:
    write_settings(tmp_path)
    made = replace(make_app(tmp_path, clock))
    made.__dict__["store"] = Store.open(postgres_url, now=clock.now)
    mirror(made)
    yield made
    made.close()


def test_looking_and_deciding(app: App, browser: Browser) -> None:
    first, second, *_ = offer(app, draft(WELCOME), draft(CLOSE, policy="tidy"), draft(TAG), draft(PAGE_EDIT))
    for path in ("/", "/?words=rossi", "/?words=Ü&state=all", "/together?policy=greet&verb=set_labels",
                 "/history", "/history?policy=tidy&by=mara&item=loom&since=2026-01-01&until=2026-12-31",
                 "/history?item=%40anna", "/policies", "/health"):  # fmt: skip
        assert browser.get(path).status_code == 200, path
    assert "1 waiting for a decision" in browser.get("/?words=YARN").text
    browser.get(f"/proposals/{first}")
    assert browser.post(f"/proposals/{first}/approve").location == f"/proposals/{second}?told={first}"
    assert look(app, first).state == State.APPROVED
    browser.get(f"/proposals/{second}")
    browser.get(browser.post(f"/proposals/{second}/reject", {"reason": "no"}).location)
    assert browser.post("/reopen", {"id": str(second)}).status_code == 303
    assert look(app, second).state == State.PROPOSED
    assert '<option value="no">' in browser.get(f"/proposals/{second}").text


def test_links_and_answers_of_the_forum_work_once(app: App, page: Page) -> None:
    token = page.sign_ins.issue(Purpose.LINK, Person("mara"), page.now(), LINK)
    guest = Browser(create(page).test_client(), page)
    guest.get(f"/sign-in/link/{token}")
    assert guest.post(f"/sign-in/link/{token}").location == "/"
    assert guest.client.get(f"/sign-in/link/{token}", base_url=BASE).status_code == 403
    assert page.sign_ins.spend("nonce", page.now(), LINK)
    assert not page.sign_ins.spend("nonce", page.now(), LINK)
