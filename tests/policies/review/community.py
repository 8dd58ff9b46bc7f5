"""A small community in a real store, with proposals about it: what a review has to deal with."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text as Styled

from ordito.config.durations import Duration
from ordito.config.loader import load
from ordito.connectors.actions import Action, CloseThread, EditText, Reply, SendMessage, SetLabels
from ordito.connectors.base import World
from ordito.connectors.records import Contribution, Kind, Member, Ref, Space, Thread, ThreadKind
from ordito.connectors.registry import CONNECTORS
from ordito.policies.builtin import KINDS
from ordito.sync.context import App
from ordito.sync.outbox import Because, Draft, Gate, Proposal, get, propose
from ordito.sync.output import Output
from ordito.sync.store import rows
from ordito.sync.store.tables import contributions, members, spaces, texts, threads

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA, LUCA = Ref("forum", Kind.MEMBER, "1"), Ref("forum", Kind.MEMBER, "2")
LOOM, YARN = Ref("forum", Kind.THREAD, "10"), Ref("forum", Kind.THREAD, "11")
PAGE = Ref("wiki", Kind.THREAD, "20")

SETTINGS = """
store: sqlite:///ordito.db
sites:
  forum: {connector: sandbox, file: sandbox.db, side: forum}
  wiki: {connector: sandbox, file: sandbox.db, side: wiki}
constitution: {undo_window: 10 minutes}
policies:
  greet: {use: welcome, on: [forum, wiki]}
  tidy: {use: stale, on: [forum], then: [close]}
"""


@dataclass
class Clock:
    """Moves only when it is told to."""

    now: datetime = NOW

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def write_settings(folder: Path) -> Path:
    path = folder / "ordito.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def make_app(folder: Path, clock: Clock, *, json: bool = False, terminal: bool = False) -> App:
    """The program in a folder that has settings, as `cli.py` builds it."""

    def no_gate(app: App) -> Gate:
        raise AssertionError("a review asks no gate")

    return App(
        load_settings=lambda: load(
            folder / "ordito.yaml",
            {},
            kinds={name: kind.Parameters for name, kind in KINDS.items()},
            connectors={name: entry.settings() for name, entry in CONNECTORS.items()},
        ),
        world=World(now=lambda: clock.now, monotonic=lambda: 0.0, sleep=lambda seconds: None),
        user="mara",
        out=Output(json=json, width=80, colour=False),
        make_gate=no_gate,
        stdin_terminal=terminal,
    )


def mirror(app: App) -> None:
    """Three people, two topics and a page."""
    day = timedelta(days=1)
    people = [
        Member(site="forum", id="1", username="anna", name="Anna Rossi", joined_at=NOW - 3 * day),
        Member(site="forum", id="2", username="luca", name="Luca", joined_at=NOW - 900 * day),
    ]
    zoe = Member(site="wiki", id="3", username="Zoe")
    topics = [
        _topic("10", "How do I set up the loom?", "1", NOW - day),
        _topic("11", "Which yarn?", "2", NOW - 200 * day),
    ]
    page = Thread(site="wiki", id="20", kind=ThreadKind.PAGE, space="0", title="Looms", author=None)
    posts = [
        _post("100", "10", "1", 1, NOW - 2 * day, "Hello! I am new here.\n\nHow do I set up the loom?"),
        _post("101", "11", "2", 1, NOW - 200 * day, "Wool or cotton?"),
    ]
    with app.store.write() as conn:
        for site, areas in (("forum", [("5", "Weaving")]), ("wiki", [("0", "Main")])):
            records = [Space(site=site, id=id_, name=name) for id_, name in areas]
            rows.upsert(conn, spaces, rows.space_rows(site, records, ""))
        rows.upsert(conn, members, rows.member_rows("forum", people, ""))
        rows.upsert(conn, members, rows.member_rows("wiki", [zoe], ""))
        rows.upsert(conn, threads, rows.thread_rows("forum", topics, ""))
        rows.upsert(conn, threads, rows.thread_rows("wiki", [page], ""))
        rows.upsert(conn, contributions, rows.contribution_rows("forum", posts, ""))
        rows.upsert(conn, texts, [("forum", post.id, post.text) for post in posts])


def _topic(id_: str, title: str, author: str, at: datetime) -> Thread:
    return Thread(
        site="forum", id=id_, kind=ThreadKind.TOPIC, space="5", title=title, author=author, created_at=at,
        last_activity_at=at,
    )  # fmt: skip


def _post(id_: str, thread: str, author: str, position: int, at: datetime, text: str) -> Contribution:
    return Contribution(
        site="forum", id=id_, thread=thread, author=author, created_at=at, position=position, text=text
    )


WELCOME = SendMessage(
    site="forum", to=("1", "2"), subject="Welcome, anna", text="Hello anna!\n\nGood to have you here.\n"
)
WARNING = Reply(site="forum", thread="11", text="Nobody has written here for 180 days.\n")
CLOSE = CloseThread(site="forum", thread="11")
TAG = SetLabels(site="forum", thread="10", add=("setup",))
PAGE_EDIT = EditText(
    site="wiki", thread="20", text="One\nTwo\nFour\n", expected="One\nTwo\nThree\n", summary="Tidied"
)


def draft(
    action: Action,
    item: Ref | None = None,
    *,
    policy: str = "greet",
    occasion: str = "once",
    because: Sequence[Because] = (Because("posts", ">= 1", "3"),),
    after: int | None = None,
) -> Draft:
    return Draft(policy, item or action.item, occasion, action.verb, action, tuple(because), after)


def offer(app: App, *drafts: Draft) -> list[int]:
    """Propose the drafts, in this order; their ids."""
    with app.store.write() as conn:
        made = [
            propose(conn, [each], plan=None, now=app.now(), expire=Duration(7, "day")).new for each in drafts
        ]
    return [proposal.id for new in made for proposal in new]


def look(app: App, proposal: int) -> Proposal:
    with app.store.read() as conn:
        return get(conn, proposal)


@dataclass
class Told:
    """How a command ended and what it said."""

    code: Any
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass
class FakeScreen:
    """A reviewer who knows beforehand what to type: a key, or a line for a question.

    `edits`: what the editor makes of the texts. Everything shown is in `out`.
    """

    typed: list[str]
    edits: list[str] = field(default_factory=list)
    out: str = ""
    width: int = 80
    height: int = 0

    def show(self, lines: Sequence[Styled]) -> None:
        self.out += "".join(f"{line.plain.rstrip()}\n" for line in lines)

    def say(self, text: str = "") -> None:
        self.out += f"{text}\n"

    def key(self, prompt: str) -> str:
        self.out += f"{prompt}\n"
        return self.typed.pop(0) if self.typed else ""

    def line(self, prompt: str) -> str | None:
        self.out += f"{prompt}\n"
        return self.typed.pop(0) if self.typed else None

    def edit(self, text: str, extension: str) -> str:
        self.out += f"editing{extension}: {text}\n"
        return self.edits.pop(0)


Sit = Callable[..., FakeScreen]
"""Sits down at a review and types: keys, and lines where a question is asked; then the input ends."""


def states(app: App, *ids: int) -> list[str]:
    return [look(app, id_).state.value for id_ in ids]
