"""What forty decisions on a phone cost: taps, pages, and how long the server needs for each.

    python -m benchmarks.review_session [--proposals 10000]

A real Chromium, 360 pixels wide, goes through forty of many waiting proposals as a moderator would:
twenty-six are approved one by one, four rejected with a reason, the last ten looked at together and decided
at once.
Prints one line of JSON and ends with 1 if a decision needs more than the taps that are meant for it: one to
approve, three to reject with a reason that was given before, one for each and one for all that are decided
together, and two to get there.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.review_page import fill
from playwright.sync_api import Locator, Page, Response
from waitress.server import create_server

from ordito.policies.review.web.application import create
from ordito.policies.review.web.page import Page as ReviewPage
from ordito.policies.review.web.sign_ins import LINK, Person, Purpose
from ordito.sync.outbox import Filters, State, count
from tests.policies.review.community import Clock, make_app, write_settings
from tests.policies.review.web.running import CHROMIUM, PHONE, chromium

SINGLE, TOGETHER = 30, 10
REJECTED = frozenset({7, 13, 20, 27})
MOST_TAPS = (SINGLE - len(REJECTED)) + 3 * len(REJECTED) + 2 + TOGETHER + 1
REASON = "it was settled elsewhere"


@dataclass(slots=True)
class Session:
    """A moderator with a phone. `answers`: of pages and forms; `screens`: how far down each text ends."""

    page: Page
    taps: int = 0
    typed: int = 0
    answers: list[Response] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)

    def watch(self) -> None:
        def note(response: Response) -> None:
            if response.request.is_navigation_request():
                self.answers.append(response)

        self.page.on("response", note)

    def waits(self) -> list[float]:
        """Milliseconds from each request to the beginning of its answer."""
        timings = [answer.request.timing for answer in self.answers]
        return [timing["responseStart"] - timing["requestStart"] for timing in timings]

    def sizes(self) -> list[int]:
        """Bytes of each page that came."""
        came = [answer for answer in self.answers if answer.status == 200]
        return [int(answer.header_value("content-length") or 0) for answer in came]

    def tap(self, what: Locator) -> None:
        what.tap()
        self.taps += 1

    def look(self) -> None:
        """Note how many screens down the text goes on; the buttons are always there."""
        script = """() => {
            const ends = [...document.querySelectorAll(".about, .post > .text")];
            const bar = document.querySelector(".bar").getBoundingClientRect().height;
            return Math.max(...ends.map((each) => each.getBoundingClientRect().bottom + scrollY))
                / (innerHeight - bar);
        }"""
        self.screens.append(self.page.evaluate(script))


def decide(session: Session, address: str) -> None:
    """Forty decisions."""
    page = session.page
    page.goto(f"{address}/?policy=greet")
    session.watch()
    session.tap(page.get_by_role("link", name="Start with the first"))
    session.taps -= 1  # getting there is none of a decision
    page.wait_for_url("**/proposals/*")
    for number in range(1, SINGLE + 1):
        page.wait_for_load_state()
        session.look()
        before = page.url
        if number in REJECTED:
            session.tap(page.locator("#reject summary"))
            field = page.get_by_label("Why not?")
            session.tap(field)
            field.fill(REASON)  # offered from the second time on
            session.typed += len(REASON) if number == min(REJECTED) else 0
            session.tap(page.get_by_role("button", name="Reject it"))
        else:
            session.tap(page.get_by_role("button", name="Approve", exact=True))
        page.wait_for_url(lambda url, before=before: url != before)
    session.tap(page.get_by_role("link", name="look at them together"))
    page.wait_for_url("**/together?*")
    for box in page.get_by_label("This one").all():
        session.tap(box)
    session.tap(page.get_by_role("button", name=f"Approve ticked ({TOGETHER})"))
    page.get_by_role("status").wait_for()


@contextmanager
def served(page: ReviewPage, listening: socket.socket) -> Iterator[None]:
    """The page behind the server that `ordito serve` uses, in a thread."""
    server = create_server(create(page), sockets=[listening], threads=4, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()
        page.close()


def run(proposals: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        write_settings(Path(folder))
        app = make_app(Path(folder), Clock())
        fill(app, proposals)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        review = ReviewPage.make(app, address)
        token = review.sign_ins.issue(Purpose.LINK, Person("mara"), review.now(), LINK)
        with served(review, listening), chromium() as browser:
            tab = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
            tab.goto(f"{address}/sign-in/link/{token}")
            tab.get_by_role("button", name="Continue as").click()
            tab.wait_for_url(f"{address}/")
            session = Session(tab)
            decide(session, address)
            waits, sizes = session.waits(), session.sizes()
        with app.store.read() as conn:
            decided = proposals - count(conn, Filters(states=(State.PROPOSED,)))
        app.close()
    return {
        "waiting": proposals,
        "decided": decided,
        "taps": session.taps,
        "characters typed": session.typed,
        "pages": len(sizes),
        "kilobytes of a page": round(median(sizes) / 1024, 1),
        "milliseconds at the server": {
            "median of a request": round(median(waits), 1),
            "longest": round(max(waits), 1),
            "of a decision": round(sum(waits) / decided, 1),
        },
        "screens to the end of the text": round(median(session.screens), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Time forty decisions on a phone.")
    parser.add_argument("--proposals", type=int, default=10_000)
    options = parser.parse_args()
    if not CHROMIUM.exists():
        print(f"{CHROMIUM} is missing (apt-get install chromium)", file=sys.stderr)
        return 0
    result = run(options.proposals)
    print(json.dumps(result))
    taps = result["taps"]
    assert isinstance(taps, int)  # noqa: S101
    return 1 if result["decided"] != SINGLE + TOGETHER or taps > MOST_TAPS else 0


if __name__ == "__main__":
    sys.exit(main())
