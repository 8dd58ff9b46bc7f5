"""MediaWiki for tests. Each xdist worker runs a server of its own; what is installed, they share."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.servers.mediawiki.export import read_export
from tests.servers.mediawiki.history import History
from tests.servers.mediawiki.php import missing
from tests.servers.mediawiki.template import Template, make_template, with_history
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.once import shared_folder


@pytest.fixture(scope="session")
def mediawiki_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A fresh wiki to copy; skips the test where this machine cannot run one."""
    if reason := missing():
        pytest.skip(reason)
    return make_template(shared_folder(tmp_path_factory) / "mediawiki")


@pytest.fixture(scope="session")
def _mediawiki_server(
    mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Wiki]:
    with Wiki(mediawiki_template, tmp_path_factory.mktemp("mediawiki") / "wiki") as wiki:
        yield wiki


@pytest.fixture
def mediawiki(_mediawiki_server: Wiki) -> Iterator[Wiki]:
    """A running wiki as it is after its installation, with the accounts Admin and Ordito and one page."""
    _mediawiki_server.restore()
    yield _mediawiki_server
    _mediawiki_server.restore()


@pytest.fixture
def mediawiki_with(
    mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[History], Wiki]]:
    """Start a wiki in which the given history has happened; it ends with the test."""
    with ExitStack() as running:

        def start(history: History) -> Wiki:
            folder = tmp_path_factory.mktemp("mediawiki")
            template = with_history(mediawiki_template, folder / "template", lambda: history)
            return running.enter_context(Wiki(template, folder / "wiki"))

        yield start


@pytest.fixture
def mediawiki_from_export(
    mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path, datetime], Wiki]]:
    """Start a wiki with the pages of an export file whose last edit falls at the given time.

    The import is made once for each file and time, whatever the number of tests and workers.
    """
    with ExitStack() as running:

        def start(export: Path, newest: datetime) -> Wiki:
            key = hashlib.sha256(f"{export.resolve()} {newest.isoformat()}".encode()).hexdigest()[:12]
            folder = shared_folder(tmp_path_factory) / "mediawiki" / f"export-{key}"
            template = with_history(mediawiki_template, folder, lambda: read_export(export, newest))
            return running.enter_context(Wiki(template, tmp_path_factory.mktemp("mediawiki") / "wiki"))

        yield start
