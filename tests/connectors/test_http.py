"""The polite session, against a scripted transport: nothing here opens a socket or sleeps."""

from __future__ import annotations

import io
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from requests import exceptions as trouble
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from urllib3.exceptions import SSLError as TLSError
from urllib3.response import HTTPResponse

from ordito.config.errors import (
    Misconfigured,
    NotThisPlatform,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
)
from ordito.connectors.base import World
from ordito.connectors.http import PoliteSession
from ordito.connectors.pacing import Bucket, Budget

URL = "https://forum.test/posts.json"
KEY = "0123456789abcdef0123456789abcdef"
Answer = tuple[int, dict[str, str], bytes] | Exception


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2024, 5, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def world(self, contact: str = "admin@example.org") -> World:
        return World(now=self.now, monotonic=lambda: self.seconds, sleep=self.sleep, contact=contact)


class Script(BaseAdapter):
    """Gives the answers in turn, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        self.timeouts.append(kwargs["timeout"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        raw = HTTPResponse(
            body=io.BytesIO(body), status=status, headers=headers, preload_content=False, reason="Reason"
        )
        return requests.adapters.HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        pass


Open = Callable[..., tuple[PoliteSession, Script, Clock]]


@pytest.fixture
def opened() -> Open:
    def opened(*answers: Answer, **options: Any) -> tuple[PoliteSession, Script, Clock]:
        clock, script = Clock(), Script(*answers)
        session = PoliteSession("forum", world=clock.world(), **options)
        session.mount("https://", script)
        return session, script, clock

    return opened


OK: Answer = (200, {"Content-Type": "application/json; charset=utf-8"}, b"{}")
BAD_GATEWAY: Answer = (502, {"Content-Type": "text/html"}, b"<html>")
REFUSED = trouble.ConnectionError(
    MaxRetryError(None, "/", NewConnectionError(HTTPConnection("forum.test"), "refused"))  # type: ignore[arg-type]
)
RESET = trouble.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")))
LATE = trouble.ReadTimeout("no answer")

ADMIN_LIMIT: Answer = (
    429,
    {"Content-Type": "application/json; charset=utf-8", "Retry-After": "37"},
    b'{"errors":["Please wait."],"error_type":"rate_limit","extras":{"wait_seconds":37}}',
)


def test_requests_are_spread_over_the_minute_after_a_small_burst(opened: Open) -> None:
    session, script, clock = opened(OK, requests_per_minute=30)
    for _ in range(40):
        session.get(URL)
    assert len(script.asked) == 40
    assert clock.seconds == pytest.approx((40 - 10) * 2)
    assert session.statistics == {"requests": 40, "retries": 0, "waited": pytest.approx(60)}


def test_after_being_told_to_slow_down_the_pace_is_halved_for_ten_minutes() -> None:
    clock = Clock()
    bucket = Bucket(Budget("forum", 60, burst=10), lambda: clock.seconds)
    bucket.slow_down()
    assert [bucket.take(99) for _ in range(3)] == pytest.approx([2.0, 4.0, 6.0])
    clock.seconds = 600.0
    waits = [bucket.take(99) for _ in range(13)]
    assert waits[9:] == pytest.approx([0.0, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (ADMIN_LIMIT, 38),
        ((429, {"Retry-After": "9"}, b"Slow down, too many requests from this IP address"), 10),
        ((429, {"Content-Type": "application/json"}, b'{"failed":"FAILED","message":"slow down"}'), 12),
        ((429, {"Content-Type": "text/html"}, b"<html>429 Too Many Requests</html>"), 12),
        ((429, {"Retry-After": "Wed, 01 May 2024 00:00:20 GMT"}, b""), 21),
        (
            (429, {"Retry-After": "Wed, 01 May 2024 00:09:20 GMT",
                   "Date": "Wed, 01 May 2024 00:09:00 GMT"}, b""), 21,
        ),
        (
            (429, {"Retry-After": "Tue, 30 Apr 2024 23:55:20 GMT",
                   "Date": "Tue, 30 Apr 2024 23:55:00 GMT"}, b""), 21,
        ),
        ((429, {}, b'{"extras":{"wait_seconds":5}}'), 6),
    ],
)
def test_every_shape_of_429_is_waited_for_and_tried_again(opened: Open, answer: Answer, wait: float) -> None:
    session, script, clock = opened(answer, OK)
    assert session.get(URL).status_code == 200
    assert clock.slept == [pytest.approx(wait)]
    assert session.statistics["retries"] == 1


def test_a_refused_write_is_repeated_as_it_was_after_a_429(opened: Open) -> None:
    session, script, _ = opened(ADMIN_LIMIT, OK)
    session.post(URL, data={"raw": "text", "topic_id": 4})
    assert len(script.asked) == 2
    assert script.asked[0].body == script.asked[1].body


def test_a_limit_for_the_rest_of_the_day_is_not_slept_through(opened: Open) -> None:
    session, script, clock = opened((429, {"Retry-After": "40000"}, b""))
    with pytest.raises(RateLimited) as caught:
        session.get(URL)
    assert clock.slept == []
    assert caught.value.until == clock.now() + timedelta(seconds=40000)
    assert caught.value.where == "forum"


def test_a_pause_that_is_not_over_is_not_broken_into(opened: Open) -> None:
    session, script, clock = opened((429, {"Retry-After": "600"}, b""), OK)
    for _ in range(2):
        with pytest.raises(RateLimited, match="wait|pause") as caught:
            session.get(URL)
        assert caught.value.until is not None
        assert "00:10 UTC" in caught.value.hint
    assert len(script.asked) == 1
    clock.seconds += 602
    assert session.get(URL).status_code == 200


def test_a_long_limit_of_one_kind_of_write_keeps_nobody_from_reading(opened: Open) -> None:
    session, _, clock = opened((429, {"Retry-After": "18000"}, b""), OK)
    with pytest.raises(RateLimited):
        session.post(URL, data={"raw": "text"})
    assert session.get(URL).status_code == 200
    assert clock.seconds < 10


@pytest.mark.parametrize("fault", [BAD_GATEWAY, REFUSED, RESET, LATE])
def test_a_read_is_tried_again_after_any_fault_on_the_way(opened: Open, fault: Answer) -> None:
    session, script, _ = opened(fault, fault, OK)
    assert session.get(URL).status_code == 200
    assert session.statistics == {"requests": 3, "retries": 2, "waited": pytest.approx(6)}


def test_a_read_that_never_succeeds_ends_as_unreachable(opened: Open) -> None:
    session, script, _ = opened(BAD_GATEWAY)
    with pytest.raises(Unreachable, match="502"):
        session.get(URL)
    assert len(script.asked) == 5


def test_a_maintenance_page_says_how_long_to_wait(opened: Open) -> None:
    session, _, clock = opened((503, {"Retry-After": "30", "Content-Type": "text/html"}, b"soon"), OK)
    session.get(URL)
    assert clock.slept == [30]


@pytest.mark.parametrize("fault", [RESET, LATE, BAD_GATEWAY, trouble.ChunkedEncodingError("short")])
def test_a_write_whose_answer_was_lost_is_never_repeated(opened: Open, fault: Answer) -> None:
    session, script, _ = opened(fault, OK)
    with pytest.raises(OutcomeUnknown):
        session.post(URL, data={"raw": "text"})
    assert len(script.asked) == 1


def test_a_write_that_the_caller_calls_harmless_is_repeated(opened: Open) -> None:
    session, script, _ = opened(RESET, OK)
    assert session.request("POST", URL, data={"action": "query"}, repeat=True).status_code == 200


def test_a_write_that_never_left_is_tried_again_and_then_surely_not_done(opened: Open) -> None:
    session, script, _ = opened(REFUSED)
    with pytest.raises(Unreachable, match="refused"):
        session.post(URL, data={"raw": "text"})
    assert len(script.asked) == 3


def test_the_platforms_own_5xx_answer_to_a_write_comes_back(opened: Open) -> None:
    read_only = (503, {"Content-Type": "application/json"}, b'{"error_type":"read_only"}')
    session, script, _ = opened(read_only)
    assert session.put(URL, data={}).json() == {"error_type": "read_only"}
    assert len(script.asked) == 1


def test_a_read_follows_a_redirect_within_the_host_only(opened: Open) -> None:
    session, script, _ = opened((301, {"Location": "/t/slug/5.json?page=2"}, b""), OK)
    session.get("https://forum.test/t/5.json", params={"page": 2})
    assert script.asked[1].url == "https://forum.test/t/slug/5.json?page=2"

    session, script, _ = opened((302, {"Location": "https://elsewhere.test/login"}, b""), OK)
    with pytest.raises(NotThisPlatform, match=r"https://elsewhere\.test/login"):
        session.get(URL, headers={"Api-Key": KEY})
    assert len(script.asked) == 1


def test_redirects_are_given_to_a_caller_who_wants_them(opened: Open) -> None:
    session, _, _ = opened((301, {"Location": "https://forum.test/t/slug/5"}, b""))
    assert session.request("GET", URL, redirects="return").headers["Location"] == "https://forum.test/t/slug/5"


def test_a_write_is_never_redirected(opened: Open) -> None:
    session, script, _ = opened((308, {"Location": "/elsewhere"}, b""), OK)
    with pytest.raises(NotThisPlatform):
        session.post(URL, data={})
    assert len(script.asked) == 1


def test_a_circle_of_redirects_ends(opened: Open) -> None:
    session, _, _ = opened((302, {"Location": "/posts.json"}, b""))
    with pytest.raises(NotThisPlatform, match="circle"):
        session.get(URL)


def test_an_encrypted_connection_that_breaks_off_is_a_broken_one(opened: Open) -> None:
    """As behind a balancer that is started anew; it has nothing to do with the certificate."""
    inner = TLSError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol"))
    broken = trouble.SSLError(MaxRetryError(None, "/", inner))  # type: ignore[arg-type]
    session, script, _ = opened(broken, OK)
    assert session.get(URL).status_code == 200
    session, script, _ = opened(broken)
    with pytest.raises(OutcomeUnknown):
        session.post(URL)
    assert len(script.asked) == 1


def test_a_wrong_certificate_is_for_somebody_to_mend(opened: Open) -> None:
    session, script, _ = opened(trouble.SSLError("certificate verify failed"))
    with pytest.raises(Misconfigured, match="certificate"):
        session.get(URL)
    assert len(script.asked) == 1


def test_an_address_without_a_host_is_for_somebody_to_mend(opened: Open) -> None:
    session, _, _ = opened(OK)
    with pytest.raises(Misconfigured):
        session.get("https://")


def test_everything_has_a_timeout(opened: Open) -> None:
    session, script, _ = opened(OK)
    session.get(URL)
    session.get(URL, timeout=3)
    assert script.timeouts == [(5, 60), 3]


def test_the_user_agent_names_the_program_and_whom_to_ask(opened: Open) -> None:
    session, script, _ = opened(OK)
    session.get(URL)
    agent = script.asked[0].headers["User-Agent"]
    assert agent.startswith("ordito/")
    assert "(admin@example.org; bot) python-requests/" in agent


def test_a_contact_cannot_break_the_header() -> None:
    clock = Clock()
    session = PoliteSession("forum", world=clock.world("Zoë\r\nX-Evil: (1)"))
    assert "\n" not in str(session.headers["User-Agent"])
    assert "(ZoX-Evil: 1; bot)" in str(session.headers["User-Agent"])


def test_no_secret_reaches_the_log_or_an_error(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session, _, _ = opened(OK, LATE, headers={"Api-Key": KEY})
    session.get(URL, params={"token": "sesame"})
    with pytest.raises(OutcomeUnknown) as caught:
        session.post(URL, data={"password": "sesame"})
    told = caplog.text + str(caught.value) + repr(caught.value)
    assert KEY not in told
    assert "sesame" not in told
    assert "GET /posts.json: 200" in caplog.text


def test_cookies_are_kept_only_where_sign_in_needs_them(opened: Open) -> None:
    cookie: Answer = (200, {"Set-Cookie": "_t=abc; path=/"}, b"")
    session, script, _ = opened(cookie, cookies=False)
    session.get(URL)
    session.get(URL)
    assert "Cookie" not in script.asked[1].headers
