"""The review page in a real browser: by touch, by keyboard, without JavaScript, and through a forum."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.policies.review.web.running import DESK, PHONE, Running, chromium, serving
from tests.program import run
from tests.servers.discourse.client import Site
from tests.servers.discourse.client import serving as discourse

SECRET = "a-secret-of-the-page"
PAGES = ("", "proposals/1", "proposals/1/edit", "proposals/13", "together", "history", "policies", "health")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's community with its proposals, made once."""
    folder = tmp_path_factory.mktemp("demo")
    done = run("--quiet", "demo", ".", cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def folder(demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Running]:
    with serving(folder) as running:
        yield running


def context(browser: Browser, served: Running, size: dict[str, int] = DESK, **more: Any) -> BrowserContext:
    """A browser window of its own, in which every request must go to the page itself."""
    made = browser.new_context(viewport=size, base_url=served.address, **more)  # type: ignore[arg-type]
    made.set_default_timeout(10_000)

    def check(request: Request) -> None:
        assert request.url.startswith(served.address), request.url

    made.on("request", check)
    return made


def signed_in(window: BrowserContext, served: Running) -> Page:
    page = window.new_page()
    page.goto(served.link)
    page.get_by_role("button", name="Continue as").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting for a decision")
    return page


def states(folder: Path) -> dict[int, str]:
    listed = run("--json", "review", "list", "--state", "all", cwd=folder).document
    return {each["id"]: each["state"] for each in listed["proposals"]}


def test_a_whole_review_on_a_phone(browser: Browser, served: Running, folder: Path) -> None:
    with context(browser, served, PHONE, has_touch=True, is_mobile=True) as window:
        page = signed_in(window, served)
        page.get_by_role("link", name="Start with the first").tap()
        heading = page.get_by_role("heading", level=1)
        page.wait_for_url("**/proposals/1")
        for number in (1, 2, 3):
            expect(page.locator(".post .text").first).to_be_visible()
            begins, bar = (page.locator(each).first.bounding_box() for each in (".post .text", ".bar"))
            assert begins and bar and begins["y"] < bar["y"], "on the first screen"
            page.get_by_role("button", name="Approve", exact=True).tap()
            page.wait_for_url(f"**/proposals/{number + 1}?*")
        page.get_by_role("button", name="Take it back").tap()
        page.wait_for_url("**/proposals/3")
        page.get_by_role("link", name="Edit").tap()
        text = page.get_by_label("Text")
        text.fill(text.input_value().replace("Thank you", "Many **thanks**"))
        page.get_by_role("button", name="Preview").tap()
        expect(page.locator(".post strong")).to_have_text("thanks")
        page.get_by_role("button", name="Approve it so").tap()
        page.wait_for_url("**/proposals/4?*")
        page.get_by_text("Reject", exact=True).tap()
        page.get_by_label("Why not?").fill("she works here")
        page.get_by_role("button", name="Reject it").tap()
        page.wait_for_url("**/proposals/5?*")
        page.get_by_text("It was done by hand").tap()
        page.get_by_role("button", name="Done by hand").tap()
        page.wait_for_url("**/proposals/6?*")
        expect(heading).to_be_visible()
        page.get_by_role("link", name="look at them together").tap()
        page.wait_for_url("**/together?*")
        boxes = page.get_by_label("This one")
        assert boxes.count() > 1
        boxes.nth(0).tap()
        boxes.nth(1).tap()
        page.get_by_role("button", name="Approve ticked (2)").tap()
        expect(page.get_by_role("status")).to_contain_text("2 decided")
    counted = states(folder)
    assert [counted[number] for number in range(1, 6)] == ["approved"] * 3 + ["rejected", "handled"]
    assert sum(state == "approved" for state in counted.values()) == 5
    shown = run("--json", "review", "show", "3", cwd=folder).document["proposals"][0]
    assert shown["edited"] and "Many **thanks**" in shown["action"]["text"]


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, served: Running) -> None:
    with context(browser, served, PHONE) as window:
        page = signed_in(window, served)
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            if "proposals/" in path and "edit" not in path:
                approve = page.get_by_role("button", name="Approve", exact=True).bounding_box()
                assert approve is not None and approve["height"] >= 44, "a thumb hits it"
                assert approve["y"] + approve["height"] <= PHONE["height"], "and it is on the screen"


def test_without_javascript_everything_works(browser: Browser, served: Running, folder: Path) -> None:
    with context(browser, served, java_script_enabled=False) as window:
        page = signed_in(window, served)
        page.get_by_role("link", name="Start with the first").click()
        page.get_by_role("button", name="Approve", exact=True).click()
        page.get_by_text("Reject", exact=True).click()
        page.get_by_label("Why not?").fill("no")
        page.get_by_role("button", name="Reject it").click()
        page.get_by_role("link", name="Review").click()
        for tick in page.locator("li input[type=checkbox]").all()[:3]:
            tick.check()
        page.get_by_role("button", name="Look at the ticked ones together").click()
        for box in page.get_by_label("This one").all():
            box.check()
        page.get_by_role("button", name="Approve ticked").click()
        expect(page.get_by_role("status")).to_contain_text("3 decided")
    counted = list(states(folder).values())
    assert (counted.count("approved"), counted.count("rejected")) == (4, 1)


def focused(page: Page) -> str:
    words = "(e => (e.labels?.[0]?.innerText || e.innerText || e.value || '').trim())(document.activeElement)"
    return str(page.evaluate(words))


def press_until(page: Page, words: str, key: str = "Tab") -> None:
    for _ in range(80):
        page.keyboard.press(key)
        if focused(page).startswith(words):
            return
    raise AssertionError(f"{words} is not reached with {key}")


def test_with_the_keyboard_alone(browser: Browser, served: Running, folder: Path) -> None:
    with context(browser, served) as window:
        page = window.new_page()
        page.goto(served.link)
        page.keyboard.press("Enter")  # the button has the focus
        expect(page.get_by_role("heading", level=1)).to_contain_text("waiting for a decision")
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        press_until(page, "Start with the first")
        page.keyboard.press("Enter")
        page.wait_for_url("**/proposals/1")
        press_until(page, "Approve")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "the focus is seen"
        page.keyboard.press("Enter")
        page.wait_for_url("**/proposals/2?*")
        page.keyboard.press("j")
        page.wait_for_url("**/proposals/3")
        page.keyboard.press("k")
        page.wait_for_url("**/proposals/2")
        page.keyboard.press("a")
        page.wait_for_url("**/proposals/3?*")
        page.keyboard.press("r")
        page.keyboard.type("a just reason")
        page.keyboard.press("Enter")
        page.wait_for_url("**/proposals/4?*")
        page.keyboard.press("e")
        page.wait_for_url("**/proposals/4/edit")
        press_until(page, "Back without changing it")
        page.keyboard.press("Enter")
        page.wait_for_url("**/proposals/4")
    counted = states(folder)
    assert [counted[number] for number in range(1, 5)] == ["approved", "approved", "rejected", "proposed"]


def test_single_keys_can_be_switched_off(browser: Browser, served: Running, folder: Path) -> None:
    with context(browser, served) as window:
        page = signed_in(window, served)
        page.goto("proposals/1")
        page.get_by_role("button", name="Switch them off").click()
        page.keyboard.press("a")
        page.goto("proposals/2")
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Switch the keys on")).to_be_visible()
    assert set(states(folder).values()) == {"proposed"}


TOPS = """
    [...document.querySelectorAll("main a, main button, main input:not([type=hidden]), main summary")]
        .filter((each) => each.checkVisibility())
        .map((each) => each.closest("li, .bar, .search, .sides, section") || each)
        .map((each) => Math.round(each.getBoundingClientRect().top + scrollY))
"""
"""How far down the page what can have the focus is, or the row or column that it stands in."""


def test_the_focus_goes_down_the_page(browser: Browser, served: Running) -> None:
    with context(browser, served) as window:
        page = signed_in(window, served)
        for path in ("", "proposals/1", "history", "policies"):
            page.goto(path)
            tops = page.evaluate(TOPS)
            assert tops == sorted(tops), path


# --- the forum ----------------------------------------------------------------------------------------------


@pytest.fixture
def forum() -> Iterator[Site]:
    with discourse() as serve:
        made = serve()
        made.forum.settings.enable_discourse_connect_provider = True
        made.forum.settings.discourse_connect_provider_secrets["127.0.0.1"] = SECRET
        made.forum.new_user("mod", moderator=True)
        yield made


def test_signing_in_through_the_forum_and_deciding(browser: Browser, folder: Path, forum: Site) -> None:
    path = folder / "ordito.yaml"
    talk = f"talk: {{connector: discourse, url: {forum.server.url}, username: system, api_key: {{env: KEY}}}}"
    text = path.read_text(encoding="utf-8").replace("sites:\n", f"sites:\n  {talk}\n")
    path.write_text(f"{text}\nreview: {{site: talk, secret: {{env: SECRET}}}}\n", encoding="utf-8")
    with (
        serving(folder, variables={"KEY": forum.server.api_key, "SECRET": SECRET}) as served,
        browser.new_context(viewport=PHONE, base_url=served.address) as window,  # type: ignore[arg-type]
    ):
        page = window.new_page()
        page.goto("")
        page.get_by_role("link", name="Sign in with 127.0.0.1").click()
        page.get_by_label("Username").fill("mod")
        page.get_by_role("button", name="Log In").click()
        page.wait_for_url(served.address)
        expect(page.locator(".who")).to_contain_text("mod")
        page.get_by_role("link", name="Start with the first").click()
        page.get_by_role("button", name="Approve", exact=True).click()
        page.wait_for_url("**/proposals/2?told=1")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        page.go_back()
        expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    [shown] = run(
        "--json", "review", "show", "1", cwd=folder, variables={"KEY": "k", "SECRET": SECRET}
    ).document["proposals"]
    assert (shown["state"], shown["approved_by"]) == ("approved", "mod")


# --- accessibility ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The source of axe-core, from the npm registry, kept in pytest's cache."""
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir("axe-core")
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs npm to install axe-core (apt-get install npm)")
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
        environ = {**os.environ, "npm_config_cache": str(folder / "npm"), "HOME": str(folder)}
        done = subprocess.run(
            [*install, "axe-core@4"], env=environ, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            pytest.skip(f"axe-core cannot be installed from the npm registry: {done.stderr.strip()[-200:]}")
    return source.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_serious(
    browser: Browser, served: Running, axe: str, scheme: str, size: dict[str, int]
) -> None:
    with context(browser, served, size, color_scheme=scheme) as window:
        page = window.new_page()
        found = {path: serious(page, axe, path) for path in (served.link, "sign-in", "nowhere")}
        page = signed_in(window, served)
        found |= {path: serious(page, axe, path) for path in PAGES}
        page.goto("proposals/1")
        page.get_by_role("button", name="Approve", exact=True).click()
        page.wait_for_url("**/proposals/2?*")
        page.get_by_text("Reject", exact=True).click()
        found["after a decision"] = violations(page, axe)
    assert found == dict.fromkeys(found, []), json.dumps(found, indent=1)


def serious(page: Page, axe: str, path: str) -> list[str]:
    page.goto(path)
    return violations(page, axe)


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    result = page.evaluate("axe.run()")
    return [
        f"{each['impact']} {each['id']}: {node['html'][:120]}"
        for each in result["violations"]
        for node in each["nodes"]
        if each["impact"] in ("serious", "critical", "moderate")
    ]
