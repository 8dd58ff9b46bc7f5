"""One running copy of the wiki."""

import hmac
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import requests

from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.php import MEDIAWIKI, Php
from tests.servers.mediawiki.template import (
    ADMIN,
    ADMIN_PASSWORD,
    BOT,
    BOT_APPLICATION,
    BOT_GRANTS,
    BOT_SECRET,
    Template,
    create_account,
    create_bot_password,
)

# PHP's server with workers leaves them behind when its master is killed. So a shell leads the process group
# and reads from a pipe whose other end this process holds: when that closes, by stop() or because this
# process died in whatever way, or when PHP ends by itself, the whole group goes.
_GUARD = '( "$@" </dev/null; kill -TERM 0 ) & read -r _; kill -TERM 0'
_STARTED = re.compile(r"\(http://127\.0\.0\.1:(\d+)\) started")
SECRET_KEY = "0123456789abcdef" * 4
"""`$wgSecretKey` of LocalSettings.php."""
_STATE = ("*.sqlite*", "settings.json", "read-only", "mail.jsonl")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a wiki at one moment: a folder with its files."""

    folder: Path


class Wiki:
    """A MediaWiki on loopback, to be used in a `with` statement.

    Tests change it as they like and `restore()` puts everything back in a few milliseconds, under the running
    server: every PHP request opens its files anew.
    """

    username = f"{BOT}@{BOT_APPLICATION}"
    """The bot password that every copy has, with the grants that Ordito asks for."""
    password = BOT_SECRET

    def __init__(self, template: Template, folder: Path, workers: int = 4) -> None:
        """A copy of `template` in `folder`, which must not exist yet; `workers` requests run side by side."""
        self.folder = folder
        self.php = Php(folder, template.shared)
        self._workers = workers
        self._origin = Snapshot(template.data)
        self._snapshots = 0
        self._clients: list[Client] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        shutil.copytree(template.data, folder)

    @property
    def url(self) -> str:
        """Where the running wiki answers, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """What settings call the wiki's `url`."""
        return f"{self.url}/api.php"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, timeout: float = 30) -> Self:
        """Serve; returns as soon as the server listens. Raises RuntimeError with its log if it does not."""
        log = self.folder / "server.log"
        command = [*self.php.arguments(), "-S", "127.0.0.1:0", "-t", str(MEDIAWIKI)]
        environment = {**self.php.environment(), "PHP_CLI_SERVER_WORKERS": str(self._workers)}
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["sh", "-c", _GUARD, "sh", *command],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            if started := _STARTED.search(log.read_text(errors="replace")):
                self._port = int(started[1])
                return self
            time.sleep(0.005)
        self.stop()
        raise RuntimeError(f"MediaWiki did not start: {log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End the server and every process it started."""
        self._close_clients()
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def snapshot(self) -> Snapshot:
        """Remember the present state. No request may be under way."""
        self._snapshots += 1
        folder = self.folder.with_name(f"{self.folder.name}-snapshot-{self._snapshots}")
        folder.mkdir()
        self._let_close()
        _copy_state(self.folder, folder)
        return Snapshot(folder)

    def restore(self, snapshot: Snapshot | None = None) -> None:
        """Put a state back; without one, that of the template. No request may be under way.

        Sessions are part of the state: who was signed in when the snapshot was made still is afterwards.
        """
        self._close_clients()
        self._let_close()
        for pattern in _STATE:
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)  # SQLite removes its own beside the databases
        _copy_state((snapshot or self._origin).folder, self.folder)

    def switch(self, **settings: Any) -> None:
        """Change settings from the next request on; None takes a change back.

        `wgRateLimits={…}` and the like replace settings, `extensions=[…]` loads extensions, `lag=7` reports
        seven seconds of replication lag, `private=True` lets members alone read. What a template has switched
        already stays.
        """
        path = self.folder / "settings.json"
        present = json.loads(path.read_text()) if path.exists() else {}
        merged = {name: value for name, value in {**present, **settings}.items() if value is not None}
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(merged))
        fresh.replace(path)

    def read_only(self, reason: str = "Maintenance") -> None:
        """Refuse every write with the error `readonly`, until `writable()`."""
        (self.folder / "read-only").write_text(reason)

    def writable(self) -> None:
        """End `read_only()`."""
        (self.folder / "read-only").unlink(missing_ok=True)

    def mails(self) -> list[dict[str, Any]]:
        """What the wiki has mailed: `to`, `from`, `subject`, `body`. Needs `switch(wgEnableEmail=True)`."""
        path = self.folder / "mail.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def run_jobs(self) -> None:
        """Carry out what MediaWiki has put off (links, categories, notifications); returns when it is done.

        MediaWiki's own page for that is ten times as fast as the maintenance script. It takes requests that
        carry a signature with the key of LocalSettings.php.
        """
        order = {
            "async": "", "maxjobs": "10000", "sigexpiry": str(int(time.time()) + 60), "stats": "1",
            "tasks": "jobs", "title": "Special:RunJobs",
        }  # fmt: skip
        signature = hmac.new(SECRET_KEY.encode(), urlencode(order).encode(), "sha1").hexdigest()
        done = requests.post(f"{self.url}/index.php", {**order, "signature": signature}, timeout=60)
        if not done.ok or done.json()["reached"] != "none-ready":
            raise RuntimeError(f"The jobs were not all carried out: {done.status_code} {done.text[:2000]}")

    def maintenance(self, script: str, *arguments: str) -> str:
        """Run one of MediaWiki's maintenance scripts on this copy; what it printed."""
        return self.php.maintenance(script, *arguments, server=self.url)

    def rows(self, query: str, *parameters: str | int) -> list[tuple[Any, ...]]:
        """What MediaWiki's own tables hold: the truth that the API is compared with."""
        with closing(sqlite3.connect(self.folder / "wiki.sqlite")) as db:
            return db.execute(query, parameters).fetchall()

    def create_account(self, name: str, password: str, groups: tuple[str, ...] = ()) -> Client:
        """An account in these groups, signed in."""
        create_account(self.php, name, password, groups)
        return self.client(name, password)

    def create_bot_password(
        self, name: str, application: str, secret: str, grants: tuple[str, ...] = BOT_GRANTS
    ) -> None:
        """Let the account sign in as `name@application` with `secret` (32 characters), for `grants`."""
        create_bot_password(self.php, name, application, secret, grants)

    def admin(self) -> Client:
        """The wiki's administrator, signed in."""
        return self.client(ADMIN, ADMIN_PASSWORD)

    def bot(self) -> Client:
        """Ordito's own account, signed in with its bot password: to look at what it sees."""
        return self.client(self.username, self.password)

    def client(self, name: str | None = None, password: str = "") -> Client:
        """The API as one account, or as nobody. It works until the wiki is restored or stopped."""
        client = Client(self.api_url)
        self._clients.append(client)
        if name is not None:
            client.login(name, password)
        return client

    def _let_close(self, timeout: float = 5) -> None:
        """PHP closes its databases after it has answered, and SQLite then removes what lies beside them."""
        deadline = time.monotonic() + timeout
        while any(self.folder.glob("*.sqlite-*")) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _close_clients(self) -> None:
        while self._clients:
            self._clients.pop().close()


def _copy_state(source: Path, target: Path) -> None:
    for pattern in _STATE:
        for path in source.glob(pattern):
            shutil.copyfile(path, target / path.name)
