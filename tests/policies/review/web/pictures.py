"""Take the pictures of the documentation from the real review, over the demo.

    python -m tests.policies.review.web.pictures

Writes docs/images/review*.
"""

import io
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page
from rich.console import Console

from ordito.cli import build
from ordito.policies.review.queue import card
from ordito.policies.review.show import layout
from ordito.policies.review.terminal import PROMPT
from ordito.sync.outbox import get
from tests.policies.review.web.running import CHROMIUM, DESK, PHONE, Running, chromium, serving
from tests.program import run

IMAGES = Path(__file__).resolve().parents[4] / "docs" / "images"


def main() -> None:
    """Needs Chromium."""
    if not CHROMIUM.exists():
        raise SystemExit(f"{CHROMIUM} is missing (apt-get install chromium)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("--quiet", "demo", ".", cwd=folder)
        in_a_terminal(folder)
        with chromium() as browser:
            with serving(folder) as served:
                on_a_phone(browser, served)
            with serving(folder) as served:
                on_a_desk(browser, served)


def in_a_terminal(folder: Path) -> None:
    """The first proposal. The picture names fonts of the reader's machine: it loads none from elsewhere."""
    app = build(str(folder / "ordito.yaml"))
    with app.store.read() as conn:
        first = card(conn, get(conn, 1), app.platforms(), app.now())
    app.close()
    console = Console(
        record=True, width=82, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in layout(first, heading="1 of 23"):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(PROMPT, style="bold", markup=False)
    svg = re.sub(r"\s*@font-face \{.*?\}\s*(?=\n)", "", console.export_svg(title="ordito review"), flags=re.S)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("arial", "sans-serif")
    (IMAGES / "review.svg").write_text(svg, encoding="utf-8")


def on_a_phone(browser: Browser, served: Running) -> None:
    page = signed_in(browser, served, PHONE, scale=1.5)
    page.goto("proposals/1")
    page.screenshot(path=IMAGES / "review-phone.png")
    page.goto("")
    page.screenshot(path=IMAGES / "review-phone-list.png")


def on_a_desk(browser: Browser, served: Running) -> None:
    page = signed_in(browser, served, DESK)
    page.goto("proposals/1")
    for number in (2, 3):
        page.locator("#approve button").click()
        page.wait_for_url(f"**/proposals/{number}?*")
    page.screenshot(path=IMAGES / "review-one.png")
    page.goto("policies")
    page.screenshot(path=IMAGES / "review-policies.png")


def signed_in(browser: Browser, served: Running, size: dict[str, int], scale: float = 1) -> Page:
    page = browser.new_page(viewport=size, base_url=served.address, device_scale_factor=scale)  # type: ignore[arg-type]
    page.goto(served.link)
    page.get_by_role("button", name="Continue as").click()
    page.wait_for_url(served.address)
    return page


if __name__ == "__main__":
    main()
