"""How the stand-in limits, refuses and fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from tests.servers.discourse import Fault
from tests.servers.discourse.client import Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


def test_sixty_admin_requests_a_minute_for_all_keys_together(serve: Serve) -> None:
    site = serve("2022")
    site.forum.settings.max_admin_api_reqs_per_minute = 60
    other = site.server.key_for("alice")
    for number in range(60):
        site.server.clock.advance(0.5)
        key = {"Api-Key": other, "Api-Username": "alice"} if number % 2 else None
        assert site.session.get(site.server.url + "/site/basic-info.json", headers=key).status_code == 200
    refused = site.get("/latest.json")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(refused.json()["extras"]["wait_seconds"]) == "31"
    assert refused.headers["Discourse-Rate-Limit-Error-Code"] == "admin_api_key_rate_limit"
    site.server.clock.advance(31)
    assert site.get("/latest.json").status_code == 200
    site.server.app.reset_limits()
    assert [site.get("/latest.json").status_code for _ in range(61)] == [200] * 60 + [429]


def test_before_june_2021_each_key_had_its_own_limit(serve: Serve) -> None:
    site = serve("2021-may")
    site.forum.settings.max_admin_api_reqs_per_minute = 2
    other = {"Api-Key": site.server.key_for("alice"), "Api-Username": "alice"}
    for _ in range(2):
        assert site.get("/latest.json").status_code == 200
    assert site.get("/latest.json").status_code == 429
    assert site.session.get(site.server.url + "/latest.json", headers=other).status_code == 200


def test_the_limit_of_the_address_is_plain_text_without_type_at_first(serve: Serve) -> None:
    for dialect, kind in (("2021", None), ("2022", None), ("2026", "text/plain; charset=utf-8")):
        site = serve(dialect)
        site.forum.settings.max_reqs_per_ip_per_10_seconds = 3
        answers = [requests.get(site.server.url + "/latest.json", timeout=5) for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert answers[3].headers.get("Content-Type") == kind
        assert answers[3].headers["Retry-After"] == "10"
        code = answers[3].headers.get("Discourse-Rate-Limit-Error-Code")
        assert code == (None if dialect == "2021" else "ip_10_secs_limit")


def test_hammering_keeps_an_address_locked_out(serve: Serve) -> None:
    site = serve()
    site.forum.settings.max_reqs_per_ip_per_10_seconds = 3
    for _ in range(8):
        site.server.clock.advance(3)
        last = requests.get(site.server.url + "/latest.json", timeout=5).status_code
    assert last == 429


def test_too_many_searches_are_refused_in_two_ways(serve: Serve) -> None:
    for dialect in ("2021", "2026"):
        site = serve(dialect)
        site.forum.settings.rate_limit_search_user = 1
        site.json("/search.json", q="something")
        refused = site.get("/search.json", q="something")
        if dialect == "2021":
            assert refused.json()["grouped_search_result"]["error"].startswith("You’ve performed")
        else:
            assert (refused.status_code, set(refused.json())) == (429, {"failed", "message"})


def test_a_read_only_site_says_so_on_every_answer_and_refuses_writes(serve: Serve) -> None:
    site = serve()
    site.forum.settings.read_only = True
    assert site.get("/latest.json").headers["Discourse-Readonly"] == "true"
    refused = site.session.post(site.server.url + "/posts.json", data={"raw": "x"})
    assert (refused.status_code, refused.json()["error_type"]) == (503, "read_only")
    assert refused.headers["Discourse-Readonly"] == "true"


def test_a_browser_gets_html(serve: Serve) -> None:
    site = serve()
    page = site.session.get(site.server.url + "/latest", headers={"Accept": "*/*"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert site.get("/latest").headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_session_keeps_its_connection(serve: Serve) -> None:
    site = serve()
    for _ in range(5):
        site.json("/about.json")
    assert site.server.connections == 1


def test_faults_strike_before_or_after_the_request_took_effect(serve: Serve) -> None:
    site = serve()
    form = {"title": "A title of enough length", "raw": "Words that are enough for a topic."}
    for after, topics in ((False, 0), (True, 1)):
        site.server.faults.drop("/posts", method="POST", after=after)
        with pytest.raises(requests.ConnectionError):
            site.session.post(site.server.url + "/posts.json", data=form)
        assert len(site.forum.topics) == topics
    site.server.faults.truncate("/latest")
    with pytest.raises(requests.RequestException):
        site.get("/latest.json").json()
    site.server.faults.bad_gateway("/latest", times=2)
    assert [site.get("/latest.json").status_code for _ in range(3)] == [502, 502, 200]
    slow = site.server.faults.hang("/latest")
    with pytest.raises(requests.Timeout):
        site.session.get(site.server.url + "/latest.json", timeout=0.1)
    assert slow.reached.is_set()


def test_stopping_lets_go_what_hangs(serve: Serve) -> None:
    before = set(threading.enumerate())
    site = serve()
    site.server.faults.hang("/latest")
    with pytest.raises(requests.Timeout):
        site.session.get(site.server.url + "/latest.json", timeout=0.1)
    hanging = [thread for thread in threading.enumerate() if thread not in before]
    site.server.faults.clear()
    site.session.close()
    site.server.stop()
    for thread in hanging:
        thread.join(5)
    assert not any(thread.is_alive() for thread in hanging)


def test_a_fault_may_give_any_answer_and_the_log_has_every_request(serve: Serve) -> None:
    site = serve()
    site.server.faults.add(Fault(path="^/about", status=429, headers={"Retry-After": "7"}))
    assert site.get("/about.json").headers["Retry-After"] == "7"
    site.json("/about.json", x="1")
    assert [(e.path, e.query, e.status, e.user) for e in site.server.requests] == [
        ("/about.json", "", 429, None),
        ("/about.json", "x=1", 200, "system"),
    ]
    assert site.server.count("GET", "/about") == 2
