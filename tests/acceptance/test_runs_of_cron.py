"""`ordito run` as cron calls it: silent, or one line for each site; locked, bounded, with an exit code."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.acceptance.test_never_twice_on_a_forum import EVERYTHING, Place, approved, place
from tests.servers.proxy import Fault

__all__ = ["approved", "place"]

NOBODY_THERE = """\
  wiki:
    connector: mediawiki
    url: http://127.0.0.1:9/api.php
    username: Ordito@cron
    password: {env: FORUM_KEY}
constitution:
"""


def test_a_run_that_does_all_it_should_says_nothing(place: Place) -> None:
    done = place.ordito("run")
    assert (done.code, done.out, done.err) == (0, "", "")
    place.assert_all_done_once()
    told = place.ordito("--verbose", "run")
    assert (told.code, told.out) == (0, "")
    assert "forum: " in told.err


def test_actions_that_fail_are_one_line_for_their_site_and_the_rest_is_done(place: Place) -> None:
    refuse = Fault("answer", r"^PUT /groups/", status=403, times=9, body='{"errors": ["not you"]}',
                   headers={"Content-Type": "application/json; charset=utf-8"})  # fmt: skip
    place.proxy.add(refuse)
    done = place.ordito("run")
    assert (done.code, done.out) == (3, "")
    line = r"forum: 3 actions failed, the first: not you.* ordito review show \d+ \d+ \d+\n"
    assert re.fullmatch(line, done.err), done.err
    assert Counter(place.states().values()) == {"applied": EVERYTHING - 3, "failed": 3}


def test_a_site_that_cannot_be_reached_is_one_line_and_holds_the_actions(place: Place) -> None:
    """Whether somebody there asks us to stop cannot be read."""
    settings = place.folder / "ordito.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("constitution:\n", NOBODY_THERE, 1), encoding="utf-8")
    done = place.ordito("run")
    assert (done.code, done.out) == (3, "")
    assert re.fullmatch(r"wiki: the site cannot be reached: [^\n]*\n", done.err), done.err
    assert Counter(place.states().values()) == {"approved": EVERYTHING}


def test_where_no_site_can_be_read_the_run_has_failed(place: Place) -> None:
    place.variables = {"FORUM_KEY": "0" * 64}
    done = place.ordito("run")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"forum: the forum does not accept the key [^\n]*\n", done.err), done.err


def test_a_run_leaves_what_it_has_no_time_for_to_the_next(place: Place) -> None:
    """The sync alone takes longer than the whole run may."""
    slow = place.proxy.add(Fault("hold", "^GET ", taken="never"))
    run = place.start("--json", "run", "--max-seconds", "1")
    assert slow.reached.wait(60)
    slow.over.wait(1.1)
    slow.release()
    out, _ = run.communicate()
    assert run.returncode == 0
    held = json.loads(out)["apply"]["held"]
    assert len(held) == EVERYTHING
    assert {each["reason"] for each in held} == {"the time given to this run is over"}


@pytest.mark.parametrize("command", ["run", "apply"])
def test_who_is_at_work_is_named_to_people_and_kept_from_cron(place: Place, command: str) -> None:
    held = place.proxy.add(Fault("hold", r"^PUT /t/-/", taken="after"))
    first = place.start("apply")
    assert held.reached.wait(60)
    second = place.ordito(command)
    held.release()
    first.communicate()
    assert second.code == 4
    if command == "run":
        assert (second.out, second.err) == ("", "")
    else:
        who = r"Another run is at work: ordito apply by \S+ on \S+ \(process \d+\), since "
        assert re.search(who, second.err)


def test_the_lock_of_a_dead_process_does_not_keep_the_next_run_from_working(place: Place) -> None:
    held = place.proxy.add(Fault("hold", r"^PUT /t/-/", taken="never"))
    place.kill_when(lambda: held.reached.wait(60))
    held.release()
    place.age()
    assert [outcome.code for outcome in place.apply_until_done()] == [0]
    place.assert_all_done_once()
