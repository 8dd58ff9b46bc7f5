"""Take the pictures of the documentation from the real page, over the demo.

    python -m tests.policies.review.web.pictures

Writes docs/images/review-*.png.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

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
        with chromium() as browser:
            with serving(folder) as served:
                on_a_phone(browser, served)
            with serving(folder) as served:
                on_a_desk(browser, served)


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
