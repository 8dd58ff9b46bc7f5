"""Signing in through the stand-in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.servers.discourse import DIALECTS
from tests.servers.discourse.client import Site, serving
from tests.shared import shared

SECRET = "a-secret-of-the-page"
BACK = "http://127.0.0.1:8099/sign-in/back"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as serve:
        made = serve()
        made.forum.settings.enable_discourse_connect_provider = True
        made.forum.settings.discourse_connect_provider_secrets["127.0.0.1"] = SECRET
        yield made


def signed(secret: str = SECRET, **fields: str) -> dict[str, str]:
    payload = base64.b64encode(urlencode(fields).encode()).decode()
    return {"sso": payload, "sig": hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()}


def ask(site: Site, query: dict[str, str], cookies: dict[str, str] | None = None) -> requests.Response:
    url = site.server.url + "/session/sso_provider"
    return requests.get(url, params=query, cookies=cookies, allow_redirects=False, timeout=5)


def test_a_member_comes_back_signed_in_after_the_login(site: Site) -> None:
    first = ask(site, signed(nonce="n1", return_sso_url=BACK))
    assert (first.status_code, urlsplit(first.headers["Location"]).path) == (302, "/login")
    with requests.Session() as browser:
        browser.get(f"{site.server.url}/session/sso_provider", params=signed(nonce="n1", return_sso_url=BACK))
        login = browser.get(f"{site.server.url}/login", params={"as": "alice"}, allow_redirects=False)
        home = browser.get(login.headers["Location"], allow_redirects=False)
    back = urlsplit(home.headers["Location"])
    answer = {key: values[0] for key, values in parse_qs(back.query).items()}
    assert hmac.new(SECRET.encode(), answer["sso"].encode(), hashlib.sha256).hexdigest() == answer["sig"]
    fields = parse_qs(base64.b64decode(answer["sso"]).decode())
    assert (fields["username"], fields["nonce"], fields["admin"]) == (["alice"], ["n1"], ["false"])
    assert fields["groups"] == ["trust_level_0,trust_level_1,trust_level_2"]
    assert home.headers["Location"].startswith(BACK + "?sso=")


def test_what_is_refused(site: Site) -> None:
    assert ask(site, signed(secret="another", nonce="n", return_sso_url=BACK)).status_code == 422
    assert ask(site, signed(nonce="n")).status_code == 422
    assert ask(site, {"sso": "not base64!", "sig": "0"}).status_code == 422
    evil = ask(site, signed(nonce="n", return_sso_url="http://evil.example/back"))
    assert (evil.status_code, "missing secret" in evil.text) == (400, True)
    site.forum.settings.enable_discourse_connect_provider = False
    assert ask(site, signed(nonce="n", return_sso_url=BACK)).status_code == 404


def test_prompt_none_comes_back_at_once_in_later_dialects(site: Site) -> None:
    asked = signed(nonce="n", return_sso_url=BACK, prompt="none")
    assert urlsplit(ask(site, asked).headers["Location"]).path == "/login"
    site.forum.dialect = DIALECTS["2026"]
    answer = parse_qs(urlsplit(ask(site, asked).headers["Location"]).query)
    assert parse_qs(base64.b64decode(answer["sso"][0]).decode())["failed"] == ["true"]


def test_logout_ends_the_session(site: Site) -> None:
    out = ask(site, signed(return_sso_url=BACK, logout="true"), {"_t": "alice"})
    assert out.headers["Location"] == BACK
    assert "expires=Thu, 01 Jan 1970" in out.headers["Set-Cookie"]


def test_recorded_sign_ins_are_answered_alike(site: Site) -> None:
    """To the byte where the member comes back: the same fields in the same order, signed."""
    folder = shared("contract", "discourse-connect")
    secret = json.loads((folder / "payload_admin.json").read_text())["secret"]
    site.forum.settings.discourse_connect_provider_secrets["127.0.0.1"] = secret
    for file in sorted(folder.glob("[01]*.json")):
        recorded = json.loads(file.read_text())
        site.forum.settings.enable_discourse_connect_provider = "provider_off" not in file.stem
        headers = dict(recorded["response_headers"])
        signed_in = {"_t": headers["X-Discourse-Username"]} if "X-Discourse-Username" in headers else None
        query = {key: values[0] for key, values in parse_qs(urlsplit(recorded["url"]).query).items()}
        given = ask(site, query, signed_in)
        assert given.status_code == recorded["status"], file.stem
        assert given.headers["Content-Type"] == headers["Content-Type"], file.stem
        assert _place(given.headers.get("Location")) == _place(headers.get("Location")), file.stem
        if given.status_code >= 400:
            assert given.text == recorded["response_body"], file.stem


def _place(location: str | None) -> str | None:
    """The login page without its host, other addresses whole."""
    return "/login" if location is not None and location.endswith("/login") else location
