"""Coming in: with a link, with a personal link, with the forum."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from ordito.config.errors import Misconfigured
from ordito.config.loader import load
from ordito.connectors.registry import CONNECTORS
from ordito.policies.builtin import KINDS
from ordito.policies.review.web.application import create
from ordito.policies.review.web.connect import NotSignedIn
from ordito.policies.review.web.failures import LIMIT
from ordito.policies.review.web.guard import SESSION_COOKIE, VISIT_COOKIE
from ordito.policies.review.web.page import Page
from ordito.policies.review.web.sign_ins import LINK, Person, Purpose
from ordito.sync.context import App
from ordito.sync.outbox import State
from tests.policies.review.community import SETTINGS, WELCOME, Clock, draft, look, offer
from tests.policies.review.web.conftest import BASE, Browser
from tests.servers.discourse.client import Site, serving
from tests.shared import shared

SECRET = "a-secret-of-the-page"


def session_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie(SESSION_COOKIE, domain="127.0.0.1")
    return cookie.value if cookie else ""


# --- links --------------------------------------------------------------------------------------------------


def link(page: Page, name: str = "mara", purpose: Purpose = Purpose.LINK) -> str:
    return f"/sign-in/link/{page.sign_ins.issue(purpose, Person(name), page.now(), LINK)}"


def test_a_link_lets_in_once_and_only_looking_at_it_uses_nothing_up(visitor: Browser, page: Page) -> None:
    path = link(page)
    for _ in range(3):
        assert "Continue as mara" in visitor.get(path).text
    assert visitor.post(path).location == "/"
    assert "mara" in visitor.get("/").text
    other = Browser(create(page).test_client(), page)
    answer = other.get(path)
    assert answer.status_code == 403 and "This link does not work." in answer.text


def test_two_who_use_a_link_at_once_do_not_both_get_in(page: Page) -> None:
    path = link(page)
    both = [Browser(create(page).test_client(), page) for _ in range(2)]
    for each in both:
        each.get(path)
    assert [each.post(path).status_code for each in both] == [303, 403]


def test_a_link_expires(visitor: Browser, page: Page, clock: Clock) -> None:
    path = link(page)
    clock.pass_(minutes=10)
    assert visitor.get(path).status_code == 403


def test_a_personal_link_works_until_it_expires_and_its_sessions_end_with_it(
    visitor: Browser, page: Page, clock: Clock
) -> None:
    path = link(page, "zoe", Purpose.INVITATION)
    for _ in range(2):
        visitor.client.delete_cookie(SESSION_COOKIE, domain="127.0.0.1")
        visitor.get(path)
        assert visitor.post(path).location == "/"
        assert "zoe" in visitor.get("/").text
    clock.pass_(minutes=10)
    assert visitor.get("/").location == "/sign-in"
    assert visitor.get(path).status_code == 403


def test_a_personal_link_that_is_withdrawn_ends_its_sessions(visitor: Browser, page: Page) -> None:
    path = link(page, "zoe", Purpose.INVITATION)
    visitor.get(path)
    visitor.post(path)
    assert visitor.get("/").status_code == 200
    assert page.sign_ins.withdraw("zoe") == 1
    assert visitor.get("/").location == "/sign-in"
    assert visitor.get(path).status_code == 403


def test_a_token_of_one_kind_is_none_of_another(visitor: Browser, page: Page) -> None:
    session = visitor.sign_in(Person("mara"))
    assert Browser(create(page).test_client(), page).get(f"/sign-in/link/{session}").status_code == 403
    token = link(page).rpartition("/")[2]
    visitor.client.set_cookie(SESSION_COOKIE, token, domain="127.0.0.1")
    assert visitor.get("/").location == "/sign-in"


def test_guessing_links_is_braked_for_this_address_alone(visitor: Browser, page: Page, clock: Clock) -> None:
    path = link(page)
    for number in range(LIMIT):
        assert visitor.get(f"/sign-in/link/guess-{number}").status_code == 403
    assert visitor.get("/sign-in/link/guess").status_code == 429
    assert visitor.get(path).status_code == 429, "even a right one: who guesses learns nothing"
    elsewhere = visitor.client.get(path, base_url=BASE, environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    assert elsewhere.status_code == 200
    clock.pass_(minutes=10)
    assert visitor.get("/sign-in/link/guess").status_code == 403


def test_a_session_that_was_there_before_is_not_taken_over(visitor: Browser, page: Page) -> None:
    for planted in ("planted-by-somebody-else", page.sign_ins.issue(
        Purpose.SESSION, Person("attacker"), page.now(), LINK
    )):  # fmt: skip
        visitor.client.set_cookie(SESSION_COOKIE, planted, domain="127.0.0.1")
        path = link(page)
        visitor.get(path)
        visitor.post(path)
        assert session_of(visitor) not in ("", planted)
        assert page.sign_ins.find(Purpose.SESSION, planted, page.now()) is None
        assert "mara" in visitor.get("/").text


# --- the forum ----------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as serve:
        made = serve()
        made.forum.settings.enable_discourse_connect_provider = True
        made.forum.settings.discourse_connect_provider_secrets["127.0.0.1"] = SECRET
        made.forum.new_user("mod", moderator=True)
        helper = made.forum.new_user("helper")
        made.forum.new_group("helpers").members[helper.id] = made.forum.clock()
        made.forum.new_user("leader", trust_level=4)
        made.forum.new_user("regular", trust_level=3)
        yield made


@pytest.fixture
def with_forum(app: App, folder: Path, site: Site) -> App:
    """The same community, with a forum that people sign in with."""
    talk = f"talk: {{connector: discourse, url: {site.server.url}, username: system, api_key: {{env: KEY}}}}"
    text = SETTINGS.replace("sites:\n", f"sites:\n  {talk}\n")
    text += "review: {site: talk, secret: {env: SECRET}, groups: [helpers, trust_level_4]}\n"
    (folder / "ordito.yaml").write_text(text, encoding="utf-8")
    environ = {"SECRET": SECRET, "KEY": site.server.api_key}
    return replace(
        app,
        load_settings=lambda: load(
            folder / "ordito.yaml",
            environ,
            kinds={name: kind.Parameters for name, kind in KINDS.items()},
            connectors={name: entry.settings() for name, entry in CONNECTORS.items()},
        ),
        _connectors={},
        _platforms={},
    )


@pytest.fixture
def forum_page(with_forum: App) -> Iterator[Page]:
    made = Page.make(with_forum, BASE)
    yield made
    made.close()
    with_forum.close()


@pytest.fixture
def guest(forum_page: Page) -> Browser:
    return Browser(create(forum_page).test_client(), forum_page)


def at_the_forum(browser: Browser, name: str) -> str:
    """Begin, sign in at the forum, and get the address that it sends the browser back to."""
    assert "Sign in with 127.0.0.1" in browser.get("/sign-in").text
    begun = browser.get("/sign-in/forum").location
    with requests.Session() as session:
        session.get(begun, timeout=5)
        url = f"{urlsplit(begun).scheme}://{urlsplit(begun).netloc}/login"
        signed = session.get(url, params={"as": name}, allow_redirects=False, timeout=5)
        home = session.get(signed.headers["Location"], allow_redirects=False, timeout=5)
    back = home.headers["Location"]
    assert back.startswith(f"{BASE}/sign-in/forum/back?sso=")
    return back.removeprefix(BASE)


@pytest.mark.parametrize("name", ["mod", "adminuser", "helper", "leader"])
def test_who_may_review_comes_in_through_the_forum(guest: Browser, name: str) -> None:
    answer = guest.get(at_the_forum(guest, name))
    assert (answer.status_code, answer.location) == (303, "/")
    assert f"<bdi>{name}</bdi>" in guest.get("/").text


@pytest.mark.parametrize("name", ["alice", "regular"])
def test_who_may_not_is_told_so(guest: Browser, name: str) -> None:
    answer = guest.get(at_the_forum(guest, name))
    assert answer.status_code == 403 and f"{name} may not review." in answer.text
    assert guest.get("/").location == "/sign-in"


def test_an_answer_works_once(guest: Browser) -> None:
    back = at_the_forum(guest, "mod")
    cookie = guest.client.get_cookie(VISIT_COOKIE, domain="127.0.0.1")
    assert cookie is not None
    visit = cookie.value
    assert guest.get(back).status_code == 303
    guest.client.delete_cookie(SESSION_COOKIE, domain="127.0.0.1")
    guest.client.set_cookie(VISIT_COOKIE, visit, domain="127.0.0.1")
    again = guest.get(back)
    assert again.status_code == 409 and "was used before" in again.text
    assert guest.get("/").location == "/sign-in"


def test_an_answer_for_another_browser_lets_nobody_in(guest: Browser, forum_page: Page) -> None:
    back = at_the_forum(guest, "mod")
    victim = Browser(create(forum_page).test_client(), forum_page)
    assert victim.get(back).status_code == 409
    victim.get("/sign-in")
    refused = victim.get(back)
    assert refused.status_code == 409 and "not asked for in this browser" in refused.text
    assert victim.get("/").location == "/sign-in"


def test_an_answer_that_comes_late_is_refused(guest: Browser, clock: Clock) -> None:
    back = at_the_forum(guest, "mod")
    clock.pass_(minutes=10, seconds=1)
    assert "took too long" in guest.get(back).text


def test_the_answer_of_a_real_forum_is_understood(forum_page: Page) -> None:
    recorded = json.loads(shared("contract", "discourse-connect", "payload_admin.json").read_text("utf-8"))
    connect = forum_page.connect
    assert connect is not None
    real = replace(connect, secret=recorded["secret"])
    query = parse_qs(urlsplit(recorded["location"]).query)
    with pytest.raises(NotSignedIn, match="not asked for in this browser"):  # but signed well
        real.finish(query["sso"][0], query["sig"][0], "visit", forum_page.now())
    begun = parse_qs(urlsplit(real.begin("visit", forum_page.now())).query)["sso"][0]
    nonce = parse_qs(base64.b64decode(begun).decode())["nonce"][0]
    back = urlsplit(forged(recorded["location"], recorded["secret"], nonce=nonce))
    answered = {key: values[0] for key, values in parse_qs(back.query).items()}
    answer = real.finish(answered["sso"], answered["sig"], "visit", forum_page.now())
    assert answer.person == Person("adminuser", "talk", "1") and answer.staff
    assert answer.groups == {"admins", "staff", *(f"trust_level_{level}" for level in range(5))}


def forged(back: str, secret: str, **changes: str) -> str:
    payload = parse_qs(urlsplit(back).query)["sso"][0]
    fields = {key: values[0] for key, values in parse_qs(base64.b64decode(payload).decode()).items()}
    new = base64.b64encode(urlencode({**fields, **changes}).encode()).decode()
    signature = hmac.new(secret.encode(), new.encode(), hashlib.sha256).hexdigest()
    return f"/sign-in/forum/back?{urlencode({'sso': new, 'sig': signature})}"


def test_what_the_forum_did_not_sign_is_refused(guest: Browser) -> None:
    back = at_the_forum(guest, "alice")
    query = parse_qs(urlsplit(back).query)
    admin = parse_qs(urlsplit(forged(back, SECRET, admin="true")).query)
    mixed = f"/sign-in/forum/back?{urlencode({'sso': admin['sso'][0], 'sig': query['sig'][0]})}"
    for path in (
        forged(back, "another secret", admin="true"),
        mixed,
        "/sign-in/forum/back",
        "/sign-in/forum/back?sso=é&sig=é",
        f"/sign-in/forum/back?sso={query['sso'][0]}",
    ):
        answer = guest.get(path)
        assert answer.status_code == 409 and "not signed by the forum" in answer.text
    assert guest.get("/").location == "/sign-in"


def test_a_signed_answer_without_a_nonce_of_ours_is_refused(guest: Browser) -> None:
    back = at_the_forum(guest, "mod")
    for nonce in ("", "1", "1-2-3", "é"):
        assert "not asked for" in guest.get(forged(back, SECRET, nonce=nonce)).text
    assert "not signed in at the forum" in guest.get(forged(back, SECRET, failed="true")).text


def test_failed_answers_are_braked(guest: Browser) -> None:
    for _ in range(LIMIT):
        guest.get("/sign-in/forum/back?sso=x&sig=y")
    assert guest.get(at_the_forum(guest, "mod")).status_code == 429


def test_the_address_to_come_back_to_is_that_of_the_settings(guest: Browser) -> None:
    begun = guest.get("/sign-in/forum?return_sso_url=https://evil.example", Referer="https://evil.example")
    payload = base64.b64decode(parse_qs(urlsplit(begun.location).query)["sso"][0]).decode()
    assert parse_qs(payload)["return_sso_url"] == [f"{BASE}/sign-in/forum/back"]
    assert set(parse_qs(payload)) == {"nonce", "return_sso_url"}


@pytest.mark.parametrize(
    "path", ["/proposals/1/approve", "/together", "/reopen", "/history/apply", "/history/1/undo"]
)
def test_a_right_that_is_withdrawn_after_the_page_was_shown_ends_the_session(
    guest: Browser, with_forum: App, site: Site, clock: Clock, path: str
) -> None:
    [id_] = offer(with_forum, draft(WELCOME))
    guest.get(guest.get(at_the_forum(guest, "mod")).location)
    moderator = site.forum.user("mod")
    assert moderator is not None
    guest.get(f"/proposals/{id_}")
    moderator.moderator = False
    clock.pass_(minutes=5)
    refused = guest.post(path, {"id": str(id_), "do": "approve"})
    assert refused.status_code == 403 and "may not review" in refused.text
    assert look(with_forum, id_).state == State.PROPOSED
    assert guest.get("/").location == "/sign-in"


def test_a_trust_level_that_is_lost_ends_the_right(
    guest: Browser, with_forum: App, site: Site, clock: Clock
) -> None:
    [id_] = offer(with_forum, draft(WELCOME))
    guest.get(guest.get(at_the_forum(guest, "leader")).location)
    guest.get(f"/proposals/{id_}")
    leader = site.forum.user("leader")
    assert leader is not None
    leader.trust_level = 3
    clock.pass_(minutes=5)
    assert guest.post(f"/proposals/{id_}/approve").status_code == 403
    assert look(with_forum, id_).state == State.PROPOSED


@pytest.mark.parametrize("name", ["mod", "helper", "adminuser", "leader"])
def test_rights_that_stand_are_read_again_at_most_every_five_minutes(
    guest: Browser, with_forum: App, site: Site, clock: Clock, name: str
) -> None:
    ids = offer(with_forum, *(draft(WELCOME, occasion=str(number)) for number in range(3)))
    guest.get(guest.get(at_the_forum(guest, name)).location)
    clock.pass_(minutes=5)
    before = len(site.server.requests)
    for id_ in ids:
        guest.get(f"/proposals/{id_}")
        assert guest.post(f"/proposals/{id_}/approve").status_code == 303
    assert len(site.server.requests) - before <= 2
    assert look(with_forum, ids[0]).approved_by == name


def test_while_the_forum_does_not_answer_nothing_is_decided_and_nobody_thrown_out(
    guest: Browser, with_forum: App, site: Site, clock: Clock
) -> None:
    [id_] = offer(with_forum, draft(WELCOME))
    guest.get(guest.get(at_the_forum(guest, "mod")).location)
    guest.get(f"/proposals/{id_}")
    clock.pass_(minutes=5)
    site.server.stop()
    answer = guest.post(f"/proposals/{id_}/approve")
    assert answer.status_code == 503 and "cannot be asked" in answer.text
    assert look(with_forum, id_).state == State.PROPOSED
    assert guest.get(f"/proposals/{id_}").status_code == 200


def test_a_wiki_is_no_forum_to_sign_in_with(app: App, folder: Path) -> None:
    path = folder / "ordito.yaml"
    text = path.read_text(encoding="utf-8") + "review: {site: wiki, secret: {env: HOME}}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured, match="'wiki' is not a Discourse forum") as caught:
        Page.make(replace(app), BASE)
    assert re.search(r"ordito.yaml:\d+:\d+$", caught.value.where)
