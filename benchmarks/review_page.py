"""How long the server needs for the pages of the review when many proposals wait.

    python -m benchmarks.review_page [--proposals 10000] [--rounds 20]

Prints one line of JSON with the median milliseconds of each page, on the wall and on the processor (database
and page are one process); ends with 1 if the list needs 150 or more of the processor's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from ordito.connectors.actions import CloseThread, SendMessage
from ordito.connectors.records import Kind, Member, Ref, Space, Thread, ThreadKind
from ordito.policies.review.web.application import create
from ordito.policies.review.web.guard import SESSION_COOKIE
from ordito.policies.review.web.page import Page
from ordito.policies.review.web.sign_ins import SESSION, Person, Purpose
from ordito.sync.context import App
from ordito.sync.store import rows
from ordito.sync.store.tables import members, spaces, threads
from tests.policies.review.community import NOW, Clock, draft, make_app, offer, write_settings

LIMIT = 150.0
BASE = "http://127.0.0.1:8480"
PAGES = {
    "list": "/",
    "list, last page": "/?page=400",
    "list, filtered": "/?policy=tidy&site=forum&verb=close_thread",
    "list, searched": "/?words=number+77",
    "one": "/proposals/5000",
    "together": "/together?policy=tidy&verb=close_thread",
    "policies": "/policies",
}


def fill(app: App, count: int) -> None:
    """So many proposals, half of them messages to members, half about topics."""
    people = [
        Member(site="forum", id=str(n), username=f"member{n}", name=f"Number {n}") for n in range(count)
    ]
    topics = [
        Thread(
            site="forum", id=str(n), kind=ThreadKind.TOPIC, space="5", title=f"Question number {n}",
            author=str(n), created_at=NOW, last_activity_at=NOW,
        )
        for n in range(count)
    ]  # fmt: skip
    with app.store.write() as conn:
        rows.upsert(conn, spaces, rows.space_rows("forum", [Space(site="forum", id="5", name="Weaving")], ""))
        rows.upsert(conn, members, rows.member_rows("forum", people, ""))
        rows.upsert(conn, threads, rows.thread_rows("forum", topics, ""))
    text = "Nobody has written here for a long time. " * 20
    drafts = []
    for number in range(count // 2):
        who = SendMessage(site="forum", to=(str(number),), subject="Welcome", text=text)
        drafts.append(draft(who))
        close = CloseThread(site="forum", thread=str(number))
        drafts.append(draft(close, Ref("forum", Kind.THREAD, str(number)), policy="tidy"))
    offer(app, *drafts)


def measure(page: Page, rounds: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds at the server, on the wall and on the processor, by page."""
    client = create(page).test_client()
    token = page.sign_ins.issue(Purpose.SESSION, Person("mara"), page.now(), SESSION)
    client.set_cookie(SESSION_COOKIE, token, domain="127.0.0.1")
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in PAGES}
    for _ in range(rounds):
        for name, path in PAGES.items():
            began, worked = time.perf_counter(), time.process_time()
            answer = client.get(path, base_url=BASE)
            took[name].append((time.perf_counter() - began, time.process_time() - worked))
            assert answer.status_code == 200, path
    return {
        name: (_milliseconds([wall for wall, _ in times]), _milliseconds([cpu for _, cpu in times]))
        for name, times in took.items()
    }


def _milliseconds(seconds: list[float]) -> float:
    return round(median(seconds) * 1000, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time the pages of the review.")
    parser.add_argument("--proposals", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_settings(Path(folder))
        app = make_app(Path(folder), Clock())
        fill(app, options.proposals)
        page = Page.make(app, BASE)
        result = measure(page, options.rounds)
        page.close()
        app.close()
    told = {name: {"wall": wall, "processor": cpu} for name, (wall, cpu) in result.items()}
    print(json.dumps({"proposals": options.proposals, "milliseconds": told}))
    return 1 if result["list"][1] >= LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
