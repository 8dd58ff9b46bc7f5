"""What keeps others out: sessions, tokens of forms, headers, addresses."""

import re

import pytest

from ordito.policies.review.web import guard
from ordito.policies.review.web.application import create
from ordito.policies.review.web.page import Page
from ordito.policies.review.web.sign_ins import SESSION, Person, Purpose
from ordito.sync.context import App
from ordito.sync.outbox import State
from ordito.sync.store.tables import sign_ins
from tests.policies.review.community import WELCOME, Clock, draft, look, offer
from tests.policies.review.web.conftest import BASE, Browser, inputs

PAGES = ("/", "/proposals/1", "/proposals/1/edit", "/together", "/history", "/policies", "/health")
FORMS = (
    "/proposals/1/approve",
    "/proposals/1/reject",
    "/proposals/1/handled",
    "/proposals/1/claim",
    "/proposals/1/release",
    "/proposals/1/settle",
    "/proposals/1/edit",
    "/together",
    "/reopen",
    "/history/1/undo",
    "/history/apply",
    "/sign-out",
)


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_sign_in(app: App, visitor: Browser, path: str) -> None:
    offer(app, draft(WELCOME))
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "anna" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_without_a_session_no_form_does_anything(app: App, visitor: Browser, path: str) -> None:
    [id_] = offer(app, draft(WELCOME))
    visitor.get("/sign-in")
    assert visitor.client.post(path, base_url=BASE, data={"id": "1"}).status_code in (303, 403)
    assert look(app, id_).state == State.PROPOSED


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_is_refused(app: App, browser: Browser, path: str) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    fields = {**inputs(browser.text), "reason": "x", "id": "1", "do": "approve"}
    for token in ("", "0" * 64, "é"):
        answer = browser.client.post(path, base_url=BASE, data={**fields, "csrf": token})
        assert answer.status_code == 403 and "did not come from here" in answer.text
    assert look(app, id_).state == State.PROPOSED


def test_the_token_of_another_session_is_refused(app: App, browser: Browser, page: Page) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    browser.sign_in(Person("luca"))
    assert browser.post(f"/proposals/{id_}/approve").status_code == 403
    assert look(app, id_).state == State.PROPOSED


def test_a_form_sent_from_another_site_is_refused_even_with_its_token(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    answer = browser.post(f"/proposals/{id_}/approve", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert look(app, id_).state == State.PROPOSED


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/sign-in/link/wrong", "/nowhere"])
def test_every_answer_has_its_headers(app: App, browser: Browser, path: str) -> None:
    offer(app, draft(WELCOME))
    headers = browser.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/sign-in"])
def test_nothing_inline_stands_in_a_page(app: App, browser: Browser, path: str) -> None:
    offer(app, draft(WELCOME))
    html = browser.get(path).text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"<(?:script|img|link)[^>]*(?:src|href)=\"https?:", html)


def test_files_of_the_page_may_be_kept_by_a_browser(visitor: Browser) -> None:
    with visitor.get("/static/page.css") as answer:
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "public, max-age=86400"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8480"])
def test_a_page_asked_for_by_another_name_is_refused(browser: Browser, host: str) -> None:
    for path in ("/", "/sign-in", "/static/page.css"):
        answer = browser.get(path, Host=host)
        assert answer.status_code == 400 and "evil" not in answer.text


def test_a_session_ends_after_eight_hours(browser: Browser, clock: Clock) -> None:
    clock.pass_(hours=7, minutes=59)
    assert browser.get("/").status_code == 200
    clock.pass_(minutes=1)
    assert browser.get("/").status_code == 303


def test_signing_out_ends_the_session_for_good(browser: Browser, page: Page) -> None:
    token = browser.sign_in(Person("mara"))
    browser.get("/")
    answer = browser.post("/sign-out")
    assert answer.location == "/sign-in"
    assert page.sign_ins.find(Purpose.SESSION, token, page.now()) is None
    browser.client.set_cookie(guard.SESSION_COOKIE, token, domain="127.0.0.1")
    assert browser.get("/").status_code == 303


def test_the_store_knows_no_token(browser: Browser, app: App) -> None:
    token = browser.sign_in(Person("mara"))
    with app.store.read() as conn:
        stored = str(conn.execute(sign_ins.select()).all())
    assert "mara" in stored and token not in stored


def test_cookies_are_for_this_page_alone_and_on_https_for_nothing_else(app: App) -> None:
    page = Page.make(app, "https://review.example.org/ordito")
    try:
        client = create(page).test_client()
        link = page.sign_ins.issue(Purpose.LINK, Person("mara"), page.now(), SESSION)
        shown = client.get(f"/sign-in/link/{link}", base_url="https://review.example.org/ordito")
        visit = shown.headers["Set-Cookie"]
        answer = client.post(
            f"/sign-in/link/{link}", base_url="https://review.example.org/ordito", data=inputs(shown.text)
        )
        assert answer.location == "/ordito/"
        session = next(each for each in answer.headers.getlist("Set-Cookie") if "ordito_session" in each)
    finally:
        page.close()
    for cookie in (visit, session):
        assert {"Secure", "HttpOnly", "Path=/ordito", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(browser: Browser, method: str) -> None:
    assert browser.client.open("/", method=method, base_url=BASE).status_code == 405


def test_forms_cannot_be_sent_by_a_link(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    assert browser.get(f"/proposals/{id_}/approve").status_code == 405
    assert look(app, id_).state == State.PROPOSED


def test_a_form_of_many_megabytes_is_refused(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}/edit")
    answer = browser.post(f"/proposals/{id_}/edit", {"text": "x" * 5_000_000})
    assert answer.status_code == 413 and "too long" in answer.text


def test_a_fault_of_the_program_shows_nothing_of_itself(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a secret detail")

    monkeypatch.setattr("ordito.policies.review.web.proposals.facets", broken)
    answer = browser.get("/")
    assert answer.status_code == 500 and "Something is wrong" in answer.text
    assert "secret detail" not in answer.text and "Traceback" not in answer.text
    assert "ValueError: a secret detail" in capsys.readouterr().err


def test_what_a_hidden_field_says_leads_nowhere_else(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    for target in ("https://evil.example/", "//evil.example", "policy=x&next=https://evil.example"):
        browser.get(f"/proposals/{id_}")
        answer = browser.post(f"/proposals/{id_}/claim", {"in": target, "next": target})
        assert answer.location.startswith(f"/proposals/{id_}") and "evil" not in answer.location
