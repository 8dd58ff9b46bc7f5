"""A program with a mirrored community, whose clock stands still."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ordito.policies.review.commands import review
from ordito.policies.review.deciding import Reviewer
from ordito.policies.review.terminal import Session
from ordito.sync.context import App
from ordito.sync.outbox import Filters, State
from tests.policies.review.community import Clock, FakeScreen, Sit, Told, make_app, mirror, write_settings


@pytest.fixture(scope="session")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with settings and a store, made once and copied for every test."""
    folder = tmp_path_factory.mktemp("mirrored")
    write_settings(folder)
    app = make_app(folder, Clock())
    mirror(app)
    app.close()
    return folder


@pytest.fixture
def folder(mirrored: Path, tmp_path: Path) -> Path:
    """A folder of the test's own."""
    shutil.copytree(mirrored, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(folder: Path, clock: Clock) -> Iterator[App]:
    app = make_app(folder, clock)
    yield app
    app.close()


@pytest.fixture
def say(app: App, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `ordito review` with these words."""

    def run(*words: str, on: App = app) -> Told:
        capsys.readouterr()
        code = review.main(list(words), prog_name="ordito review", obj=on, standalone_mode=False)
        out, err = capsys.readouterr()
        return Told(code, out, err)

    return run


@pytest.fixture
def script(app: App, folder: Path, clock: Clock) -> Iterator[App]:
    """The same community, for a program that reads JSON."""
    other = make_app(folder, clock, json=True)
    yield other
    other.close()


@pytest.fixture
def sit(app: App) -> Sit:
    """Sit down at a review and type: keys, and lines where a question is asked; then the input ends."""

    def session(
        *typed: str, name: str = "mara", edits: list[str] | None = None, height: int = 0
    ) -> FakeScreen:
        screen = FakeScreen(list(typed), edits or [], height=height)
        waiting = Filters(states=(State.PROPOSED,))
        assert Session(app, Reviewer(app.store, name), screen, waiting).run() == 0
        return screen

    return session
