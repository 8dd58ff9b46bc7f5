"""Two runs started together on one store, by two crontabs or on two hosts: one works, the other goes away."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.test_never_twice_on_a_forum import SETTINGS, WRITES, Place, community
from tests.servers.discourse import DiscourseServer
from tests.servers.proxy import Fault, Proxy


@dataclass(kw_only=True)
class AnyStore(Place):
    """Asks the program for what the store holds, whatever its database."""

    def states(self) -> dict[int, str]:
        listed = self.document("review", "list", "--state", "all", "--limit", 100)["proposals"]
        return {each["id"]: each["state"] for each in listed}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    """Everything is approved, on either database."""
    url = "sqlite:///ordito.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    forum = community(datetime.now(UTC))
    with DiscourseServer(forum) as server, Proxy(server.url) as proxy:
        settings = SETTINGS.format(url=proxy.url).replace("sqlite:///ordito.db", url)
        (tmp_path / "ordito.yaml").write_text(settings, encoding="utf-8")
        there = AnyStore(
            folder=tmp_path, variables={"FORUM_KEY": server.api_key}, forum=forum, proxy=proxy
        )
        there.approve_all()
        yield there


def test_the_second_of_two_runs_goes_away_silently_and_everything_is_done_once(place: AnyStore) -> None:
    held = place.proxy.add(Fault("hold", WRITES["set_labels"], taken="after"))
    runs = [place.start("run"), place.start("run")]
    loser = _first_to_end(runs)
    assert runs[1 - loser].poll() is None, "the other one is at work"
    assert held.reached.wait(60)
    late = place.ordito("run")
    held.release()
    ended = [run.communicate() for run in runs]
    assert (runs[loser].returncode, runs[1 - loser].returncode) == (4, 0)
    assert ended[loser] == ("", "")
    assert (late.code, late.out, late.err) == (4, "", "")
    place.assert_all_done_once()


def _first_to_end(runs: list[subprocess.Popen[str]]) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for number, run in enumerate(runs):
            if run.poll() is not None:
                return number
        time.sleep(0.01)
    raise AssertionError("both went on")
