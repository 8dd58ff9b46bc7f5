"""What it costs to mirror a MediaWiki, beside Perceval.

    python -m benchmarks.reading_wiki [--export FILE] [--repeats 3] [--perceval FOLDER]

The server is a real MediaWiki, which the machinery of the tests installs, with the real wiki of
../shared/data/wiki (or of any export file); requests are counted by the wiki's own log of them.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from tests.servers.mediawiki.export import read_export
from tests.servers.mediawiki.php import missing
from tests.servers.mediawiki.template import make_template, with_history
from tests.servers.mediawiki.wiki import Wiki

from . import perceval
from .measure import ROOT, Figure, Spent, in_turn, middle, ordito, show

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  wiki:
    connector: mediawiki
    url: {url}
    username: {username}
    password: {{env: WIKI_PASSWORD}}
    namespaces: {namespaces}
    requests_per_minute: 1000000
"""
CHANGED = 50
PEER = "Perceval"
_SIGNING_IN = ("action=login", "type=login")
PLAIN, SECRET = "Plain", "0123456789abcdefghijklmnopqrstuv"


class Log:
    """The wiki's own log of API requests, which tells those that sign somebody in from the others."""

    def __init__(self, wiki: Wiki) -> None:
        self._file = wiki.folder / "api.log"
        self._seen = 0
        wiki.switch(wgDebugLogGroups={"api": str(self._file)})

    def __call__(self) -> int:
        """Requests since the last question, without signing in."""
        lines = self._file.read_text(errors="replace").splitlines() if self._file.exists() else []
        fresh, self._seen = lines[self._seen :], len(lines)
        return sum(" API " in line and not any(mark in line for mark in _SIGNING_IN) for line in fresh)


class Reader:
    """A folder for each mirror of the wiki, as one of its accounts."""

    def __init__(self, wiki: Wiki, log: Log, folder: Path, username: str, password: str) -> None:
        self._log, self._folder, self._password, self._numbers = log, folder, password, count()
        spaces = [number for (number,) in wiki.rows("SELECT DISTINCT page_namespace FROM page ORDER BY 1")]
        self._settings = SETTINGS.format(url=wiki.api_url, username=username, namespaces=spaces)

    def first(self) -> tuple[Spent, int]:
        """A first sync into an empty store."""
        self._place = self._folder / f"mirror-{next(self._numbers)}"
        self._place.mkdir()
        (self._place / "ordito.yaml").write_text(self._settings, encoding="utf-8")
        return self.again()

    def again(self) -> tuple[Spent, int]:
        """One more sync into the store of the last."""
        self._log()
        took = ordito("sync", cwd=self._place, WIKI_PASSWORD=self._password)
        return took, self._log()

    def pages(self) -> int:
        """How many pages the last mirror holds."""
        with closing(sqlite3.connect(self._place / "ordito.db")) as store:
            return int(store.execute("SELECT count(*) FROM threads WHERE deleted_at IS NULL").fetchone()[0])


@contextmanager
def running(export: Path) -> Iterator[tuple[Wiki, Path]]:
    """The wiki, its last edit a day ago, and a folder to work in."""
    newest = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = make_template(folder / "template")
        template = with_history(template, folder / "imported", lambda: read_export(export, newest))
        with Wiki(template, folder / "wiki") as wiki:
            wiki.create_account(PLAIN, "Plain-password-1")
            wiki.create_bot_password(PLAIN, "cron", SECRET)
            yield wiki, folder


def compare(wiki: Wiki, folder: Path, executable: Path, repeats: int) -> int:
    """The table. Of the two accounts, the bot may ask for ten times as much at once (`apihighlimits`)."""
    log = Log(wiki)
    for name in ("bot", "ordinary"):
        (folder / name).mkdir()
    bot = Reader(wiki, log, folder / "bot", wiki.username, wiki.password)
    ordinary = Reader(wiki, log, folder / "ordinary", f"{PLAIN}@cron", SECRET)

    def peer(since: datetime | None = None) -> tuple[Spent, int]:
        log()
        took = perceval.fetch(executable, folder, "mediawiki", wiki.url, since=since, limit=1800)
        return took, log()

    firsts, of_ordinary, peers = in_turn(repeats, bot.first, ordinary.first, peer)
    ours, theirs = (middle([took for took, _ in runs]) for runs in (firsts, peers))
    (total,) = wiki.rows("SELECT count(*) FROM page WHERE NOT page_is_redirect")[0]
    got = len(theirs.out.splitlines())
    whole = peers[-1][1]
    figures = [
        Figure("first sync, with apihighlimits", firsts[-1][1], "requests", whole, PEER, 0.2),
        Figure("first sync, ordinary account", of_ordinary[-1][1], "requests", whole, PEER, 0.2),
        Figure("pages got", bot.pages(), "pages", got, PEER, total, at_least=True, ratio=False),
        Figure("first sync, time", ours.seconds, "s", theirs.seconds, PEER),
        Figure("first sync, processor", ours.cpu, "s", theirs.cpu, PEER),
        Figure("first sync, memory", ours.memory, "MB", theirs.memory, PEER),
    ]
    before = datetime.now(UTC)
    idle = peer(before)[1]
    for who, reader in (("apihighlimits", bot), ("ordinary", ordinary)):
        requests = reader.again()[1]
        figures.append(Figure(f"nothing new ({who})", requests, "requests", idle, PEER, 3, ratio=False))
    change_pages(wiki)
    changed = peer(before - timedelta(seconds=2))[1]
    for who, reader in (("apihighlimits", bot), ("ordinary", ordinary)):
        what, requests = f"{CHANGED} changed pages ({who})", reader.again()[1]
        figures.append(Figure(what, requests, "requests", changed, PEER, 4, ratio=False))
    title = f"MediaWiki 1.39, {total:,} pages (redirects apart); requests without those of signing in"
    return show(title, figures)


def change_pages(wiki: Wiki) -> None:
    """Edit `CHANGED` content pages, each once."""
    titles = wiki.rows(
        "SELECT page_title FROM page WHERE page_namespace = 0 AND NOT page_is_redirect LIMIT ?",
        CHANGED,
    )
    editor = wiki.admin()
    for (title,) in titles:
        editor.edit(str(title), "Something else.")


def main() -> int:
    parser = argparse.ArgumentParser(description="Requests and time of mirroring a MediaWiki.")
    export = ROOT.parent / "shared" / "data" / "wiki" / "wiki.xml.gz"
    parser.add_argument("--export", type=Path, default=export)
    parser.add_argument("--repeats", type=int, default=3, help="of the first sync")
    perceval.add_options(parser)
    options = parser.parse_args()
    lacking = missing() or (None if options.export.exists() else f"there is no export {options.export}")
    if lacking:
        print(f"skipped: {lacking}")
        return 0
    with tempfile.TemporaryDirectory() as made:
        executable = perceval.program(options.perceval or Path(made) / "perceval")
        with running(options.export) as (wiki, folder):
            return compare(wiki, folder, executable, options.repeats)


if __name__ == "__main__":
    sys.exit(main())
