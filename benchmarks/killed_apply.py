"""Killing `ordito apply` while it acts on a real server, and counting on that server what came of it.

The forum is the stand-in of the tests in a process of its own, the wiki a real MediaWiki on PHP's server. The
program dies at moments that are chosen, in turn (see `mortal`). Between two runs the store is made a quarter
of an hour older, because only then a run believes that what it finds nowhere cannot land any more; and no run
begins before the server has dealt with all that the one before asked of it.
"""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.cron import House
from tests.program import environment
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.seed import seed as plant
from tests.servers.mediawiki.template import make_template
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Proxy
from tests.servers.proxy.server import Answer, Headers

from . import crowd
from .measure import ROOT
from .mortal import MOMENTS

Done = tuple[str, str]
"""A verb, and the name or title that it was done to."""

BEFORE, SETTLING = "before an attempt, or after a receipt", "while asking about an attempt left open"
BEGUN, ASKING, ANSWERED = "between attempt and request", "during the request", "between answer and receipt"
WHERE = (BEFORE, BEGUN, ASKING, ANSWERED, SETTLING)
"""Where a run can die."""
TURNS = (("reads", 12, 0.02), ("decides", 2, 0.0), ("begun", 2, 0.01), ("asks", 2, None), ("asks", 3, None),
          ("answered", 2, 0.002), ("recorded", 2, 0.005))  # fmt: skip
"""Moment, the highest number of times that it may have come before, and the longest time after it in seconds;
None: as long as this server needs to answer."""
_SECRET = "abcdefghijklmnopqrstuv0123456789"  # noqa: S105 - of a wiki that lives as long as the run


@dataclass(slots=True)
class Killed:
    """`where` counts the runs that were killed, by `WHERE`; `ended` those that came to their end before.

    `done` has how often the server was made to do each action. `lost`, `twice`: what is not there once;
    `stray`: what is there and nobody approved. `unfinished`: how many kills left an attempt open.
    """

    expected: set[Done]
    kills: int = 0
    ended: int = 0
    where: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    done: Counter[Done] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        return len(self.expected - set(self.done))

    @property
    def stray(self) -> int:
        return len(set(self.done) - self.expected)

    @property
    def twice(self) -> int:
        return sum(1 for often in self.done.values() if often > 1)


class Watched(Proxy):
    """A proxy that knows whether the server is still at work for anybody.

    As one before a real site, it keeps a request to itself that was never sent to its end.
    """

    def forward(self, method: str, path: str, headers: Headers, body: bytes) -> Answer:
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        if len(body) < length:
            raise ConnectionResetError("whoever sent it died meanwhile")
        return super().forward(method, path, headers, body)

    def wait_until_idle(self, seconds: float = 60) -> None:
        """Until every connection is closed: those of a killed process are, once their last request is dealt
        with. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        time.sleep(0.02)
        while self._server._open:
            if time.monotonic() > deadline:
                raise TimeoutError("a killed run's requests do not end")
            time.sleep(0.005)


@dataclass(kw_only=True)
class Place(House):
    """The program, a server with a crowd all of whom is to be acted upon, and what lies between them.

    `answers_in`: seconds that the server takes to do something, about. `count` tells what it was made to do.
    """

    proxy: Watched
    answers_in: float
    count: Callable[[], Iterator[Done]]
    reader: Callable[[], Client] | None = None
    """Of a wiki: somebody who sees everything."""

    def attempt_is_open(self) -> bool:
        with closing(sqlite3.connect(self.folder / "ordito.db")) as store:
            rows = store.execute("SELECT count(*) FROM attempts WHERE outcome IS NULL").fetchone()
        return bool(rows[0])


def kill_on(site: str, folder: Path, kills: int, seed: int) -> Killed:
    """Start runs on the forum or on the wiki and kill them, `kills` times; then let one end, and count."""
    people = max(3, kills // 3)
    with PLACES[site](folder, people) as place:
        planned = {(each["action"]["verb"], each["id"]) for each in place.approve_all()}
        result = Killed(expected=crowd.expected(site, people))
        if len(planned) != len(result.expected):
            raise RuntimeError(f"{len(planned)} proposals instead of {len(result.expected)}")
        chance = random.Random(seed)
        for turn in itertools.cycle(TURNS):
            if result.kills + result.ended >= kills:
                break
            run_and_kill(place, turn, chance, result)
            place.proxy.wait_until_idle()
            place.age()
        place.apply_until_done()
        result.states = Counter(place.states().values())
        result.done = Counter(place.count())
    return result


def run_and_kill(
    place: Place, turn: tuple[str, int, float | None], chance: random.Random, result: Killed, *words: str
) -> None:
    """Start a run (of `apply`, unless `words` say otherwise), and note where it died."""
    moment, most, longest = turn
    after = chance.uniform(0, place.answers_in if longest is None else longest)
    log = place.folder / "moments"
    log.write_text("")
    when = [moment, str(chance.randint(1, most)), f"{after:.4f}", str(log)]
    command = [sys.executable, "-m", "benchmarks.mortal", *when, "--", *(words or ("--json", "apply"))]
    variables = environment(place.folder, **place.variables)
    done = subprocess.run(command, cwd=place.folder, env=variables, capture_output=True, text=True)
    if done.returncode == -signal.SIGKILL:
        result.kills += 1
        left_open = place.attempt_is_open()
        result.unfinished += left_open
        result.where[_where(log.read_text(), left_open)] += 1
    elif done.returncode in (0, 3):
        result.ended += 1
    else:
        raise RuntimeError(f"a run ended with {done.returncode}: {done.stderr}{done.stdout[-500:]}")


def _where(moments: str, open_attempt: bool) -> str:
    """By the letters of `mortal` and by what the store then held."""
    if not open_attempt:
        return BEFORE
    _, decided, since = moments.rpartition(MOMENTS["decides"])
    if not decided:
        return SETTLING
    if MOMENTS["answered"] in since:
        return ANSWERED
    return ASKING if MOMENTS["asks"] in since else BEGUN


# --- the forum


@contextmanager
def _forum(folder: Path, people: int) -> Iterator[Place]:
    command = [sys.executable, "-m", "benchmarks.crowd", str(people)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - for the type checker
    with process:
        url, key = process.stdout.readline().split()
        with Watched(url) as proxy:
            account = f"connector: discourse\n    url: {proxy.url}\n    username: system\n"
            account += "    api_key: {env: KEY}"
            _write_settings(folder, "forum", account)
            yield Place(folder=folder, variables=_variables(key), proxy=proxy, answers_in=0.01,
                        count=lambda: _on_forum(url, key, people))  # fmt: skip
        process.stdin.close()


def _on_forum(url: str, key: str, people: int) -> Iterator[Done]:
    """What the account `system` has done there, as an admin reads it."""
    session = requests.Session()
    session.headers.update({"Api-Key": key, "Api-Username": "system", "Accept": "application/json"})

    def get(path: str, **params: object) -> Any:
        answer = session.get(f"{url}{path}", params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def pages(path: str, **params: object) -> Iterator[Any]:
        for page in itertools.count():
            rows = get(path, page=page, **params)["topic_list"]["topics"]
            if not rows:
                return
            yield from (get(f"/t/{row['id']}.json") for row in rows)

    for topic in pages("/topics/private-messages-sent/system.json"):
        if topic["details"].get("allowed_groups"):
            yield "notify_moderators", topic["title"].removeprefix("A note on ")
        else:
            to = [user["username"] for user in topic["details"]["allowed_users"]]
            yield "send_message", next(name for name in to if name != "system")
    for topic in pages("/latest.json", order="created", ascending="true"):
        yield from _in_topic(topic, get)
    yield from _of_people(get, people)


def _in_topic(topic: Any, get: Callable[..., Any]) -> Iterator[Done]:
    for post in topic["post_stream"]["posts"]:
        if post["username"] == "system" and post.get("action_code"):
            yield _SMALL_ACTIONS.get(post["action_code"], post["action_code"]), topic["title"]
        elif post["username"] == "system" and post["post_number"] > 1:
            yield "reply", topic["title"]
    first = topic["post_stream"]["posts"][0]
    for version in range(2, int(first["version"]) + 1):
        changed = get(f"/posts/{first['id']}/revisions/{version}.json").get("tags_changes") or {}
        if changed.get("previous") != changed.get("current"):  # a revision may hold a change and its undoing
            yield "set_labels", topic["title"]


def _of_people(get: Callable[..., Any], people: int) -> Iterator[Done]:
    for offset in itertools.count(step=25):
        answer = get(f"/groups/{crowd.GROUP['forum']}/logs.json", offset=offset)
        for row in answer["logs"]:
            verb = "add_to_group" if row["action"] == "add_user_to_group" else row["action"]
            yield verb, row["target_user"]["username"]
        if answer["all_loaded"]:
            break
    for name in crowd.names(people):
        answer = get(f"/user-badges/{name}.json")
        ours = [badge["id"] for badge in answer["badges"] if badge["name"] == crowd.BADGE]
        yield from (("grant_badge", name) for row in answer["user_badges"] if row["badge_id"] in ours)


_SMALL_ACTIONS = {"closed.enabled": "close_thread"}


# --- the wiki


@contextmanager
def _wiki(folder: Path, people: int) -> Iterator[Place]:
    template = make_template(folder / "template")
    with Wiki(template, folder / "wiki") as wiki:
        plant(wiki.folder / "wiki.sqlite", crowd.history(people, datetime.now(UTC)))
        wiki.maintenance("createAndPromote.php", "--force", "--sysop", "--bot", "Ordito")
        wiki.create_bot_password("Ordito", "steward", _SECRET)
        group = {"sysop": [crowd.GROUP["wiki"]]}
        wiki.switch(wgAddGroups=group, wgRemoveGroups=group)
        with Watched(wiki.url) as proxy:
            account = f"connector: mediawiki\n    url: {proxy.url}/api.php\n    username: Ordito@steward\n"
            account += "    password: {env: KEY}\n    edits_per_minute: 600"
            _write_settings(folder, "wiki", account)
            yield Place(folder=folder, variables=_variables(_SECRET), proxy=proxy, answers_in=0.1,
                        count=lambda: _on_wiki(wiki.admin()), reader=wiki.admin)  # fmt: skip


def _on_wiki(reader: Client) -> Iterator[Done]:
    """What the account Ordito has done there: its revisions, and its entries in the log of rights."""
    edits = reader.everything("usercontribs", ucuser="Ordito", ucprop=["title", "comment"], uclimit="max")
    for row in edits:
        yield meant_on_wiki(row["title"], row["comment"])
    log = reader.everything("logevents", letype="rights", leuser="Ordito", leprop=["title"], lelimit="max")
    yield from (("add_to_group", row["title"].removeprefix("User:")) for row in log)


def meant_on_wiki(title: str, comment: str) -> Done:
    if title == "Project:Notices":
        return "notify_moderators", _heading(comment).removeprefix("A note on ")
    if title.startswith("User talk:"):
        return "send_message", title.removeprefix("User talk:")
    if title.startswith("Talk:"):
        return "reply", title.removeprefix("Talk:")
    return ("set_labels" if " to label " in title else "archive_thread"), title


def _heading(comment: str) -> str:
    return comment.partition("/* ")[2].partition(" */")[0]


def _variables(key: str) -> dict[str, str]:
    """For every run: the program of this checkout, not of another one that the environment knows."""
    return {"KEY": key, "PYTHONPATH": f"{ROOT}:{ROOT / '.dev'}"}


PLACES = {"forum": _forum, "wiki": _wiki}


def _write_settings(folder: Path, site: str, account: str) -> None:
    text = f"""\
store: sqlite:///ordito.db
sites:
  {site}:
    {account}
    requests_per_minute: 60000
{crowd.law(site)}"""
    (folder / "ordito.yaml").write_text(text, encoding="utf-8")
