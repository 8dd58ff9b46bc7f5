"""The review page in a process of its own, and a real browser in front of it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.program import command, environment

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@dataclass
class Running:
    """A page that is being served. `link` signs in, once."""

    process: subprocess.Popen[str]
    address: str
    link: str


@contextmanager
def serving(
    folder: Path, *options: str, variables: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """`ordito serve` with the settings in a folder, on a port of its own, until the end of the block."""
    process = subprocess.Popen(
        command("--json", "--quiet", "serve", "--port", "0", *options),
        cwd=folder,
        env=environment(folder, **(variables or {})),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield Running(process, told["address"], told.get("link", ""))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skips the calling test where it is missing."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs a browser: {CHROMIUM} is missing (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()
