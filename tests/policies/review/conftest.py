"""A program with a mirrored community, whose clock stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ordito.sync.context import App
from tests.policies.review.community import Clock, make_app, mirror, write_settings


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[App]:
    write_settings(tmp_path)
    app = make_app(tmp_path, clock)
    mirror(app)
    yield app
    app.close()
