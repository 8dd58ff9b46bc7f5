"""`apply`, `undo` and `log` over the sandbox: their words, their documents, their exit codes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from ordito.config.errors import LockHeld, Unreachable, UsageError
from ordito.config.loader import load
from ordito.connectors.actions import CloseThread, Reply, SendMessage
from ordito.connectors.base import World, receipt_from_json
from ordito.connectors.records import Kind, Ref
from ordito.connectors.sandbox.connector import SandboxConnector
from ordito.connectors.sandbox.settings import SandboxSettings
from ordito.sync.context import App
from ordito.sync.locks import Holder, run_lock
from ordito.sync.naming import address
from ordito.sync.outbox import Decision, Draft, Go, State, Supersede, Verdict, Wait, get, propose, review
from ordito.sync.outbox_commands import apply, log, undo
from ordito.sync.output import Output
from tests.sync.outbox.fakes import FakeGate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = """
store: sqlite:///{folder}/ordito.db
sites:
  forum: {{connector: sandbox, file: "{folder}/sandbox.db", side: forum, now: 2026-03-01T09:00:00Z,
           members: 40, threads: 40, contributions: 100}}
constitution: {{undo_window: 0 minutes, stop: "forum:thread:40"}}
policies: {{}}
"""


class Program:
    """The commands with a gate that says what the test wants."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._path = folder / "ordito.yaml"
        self._path.write_text(SETTINGS.format(folder=folder))
        self.now = NOW
        self.gate = FakeGate()
        self.app = self._make()
        self._capsys = capsys

    def _make(self) -> App:
        path = str(self._path)
        return App(
            load_settings=lambda: load(path, {}, kinds={}, connectors={"sandbox": SandboxSettings}),
            world=World(now=lambda: self.now, monotonic=lambda: 0.0, sleep=lambda seconds: None),
            user="anna",
            out=Output(width=200),
            make_gate=lambda app: self.gate,
        )

    def run(self, command: click.Command, *args: str | int) -> tuple[int, str]:
        """Exit code, and what was said on stdout."""
        self._capsys.readouterr()
        code: int = command.main([str(a) for a in args], obj=self.app, standalone_mode=False)
        return code, self._capsys.readouterr().out

    def document(self, command: click.Command, *args: str | int) -> tuple[int, dict[str, Any]]:
        self.app.out.json = True
        code, out = self.run(command, *args)
        self.app.out.json = False
        document = json.loads(out)
        assert document.pop("format") == 1
        return code, document

    def approved(self, *drafts: Draft, by: str = "bob") -> list[int]:
        with self.app.store.write() as conn:
            made = propose(conn, drafts, plan=None, now=self.now, expire=None).new
            for proposal in made:
                review(conn, proposal.id, Decision.APPROVED, by=by, now=self.now)
        return [proposal.id for proposal in made]

    def rename_the_site(self) -> None:
        """The settings of the next command know the forum by another name."""
        self._path.write_text(self._path.read_text().replace("forum:", "other:"))
        self.app.close()
        self.app = self._make()

    def state(self, proposal: int) -> State:
        with self.app.store.read() as conn:
            return get(conn, proposal).state


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Program]:
    program = Program(tmp_path, capsys)
    yield program
    program.app.close()


def close(thread: int) -> Draft:
    action = CloseThread(site="forum", thread=str(thread))
    return Draft("archive-stale", Ref("forum", Kind.THREAD, str(thread)), "q", "close", action, ())


def reply(thread: int) -> Draft:
    action = Reply(site="forum", thread=str(thread), text="Still open?")
    return Draft("archive-stale", Ref("forum", Kind.THREAD, str(thread)), "q", "warn", action, ())


def test_apply_says_what_was_done_and_where(program: Program) -> None:
    [proposal] = program.approved(reply(3))
    code, out = program.run(apply)
    assert code == 0
    assert out.splitlines()[0] == "Carried out (1)"
    line = out.splitlines()[1]
    assert line.startswith(f"  {proposal} archive-stale: reply, topic “")
    assert "https://forum.sandbox.example/p/" in line


def test_apply_with_nothing_to_do_says_so(program: Program) -> None:
    assert program.run(apply) == (0, "Nothing to carry out.\n")
    assert program.document(apply) == (
        0,
        {"applied": [], "superseded": [], "held": [], "failed": [], "unsettled": []},
    )


def test_what_was_fetched_is_in_the_mirror_before_anything_is_done(program: Program) -> None:
    from sqlalchemy import select

    from ordito.sync.store.tables import threads

    program.approved(reply(3))
    program.gate.waits = None
    program.gate.verdict = Supersede("quiet no more")
    program.run(apply)
    with program.app.store.read() as conn:
        assert "3" in conn.execute(select(threads.c.id)).scalars().all()


def test_the_document_of_apply(program: Program) -> None:
    ids = program.approved(close(1), close(2), close(3), close(99999))
    later = NOW + timedelta(hours=8)
    verdicts: dict[int, Verdict] = {ids[1]: Supersede("somebody replied"), ids[2]: Wait(later, "quiet hours")}
    program.gate.verdict = lambda proposal: verdicts.get(proposal.id, Go())
    code, document = program.document(apply)
    assert code == 3
    [applied] = document.pop("applied")
    assert applied["id"] == ids[0]
    assert receipt_from_json(applied["receipt"]).verb == "close_thread"
    [failed] = document.pop("failed")
    assert (failed["id"], failed["retriable"], set(failed)) == (ids[3], False, {"id", "error", "retriable"})
    assert document == {
        "superseded": [{"id": ids[1], "reason": "somebody replied"}],
        "held": [{"id": ids[2], "until": "2026-03-01T20:00:00+00:00", "reason": "quiet hours"}],
        "unsettled": [],
    }


def test_every_run_is_remembered_with_how_it_ended(program: Program) -> None:
    from sqlalchemy import select

    from ordito.sync.store.tables import runs

    [proposal] = program.approved(close(1))
    program.run(apply)
    program.run(undo, proposal)
    with program.app.store.read() as conn:
        remembered = conn.execute(select(runs.c.command, runs.c.exit_code, runs.c.summary)).all()
    assert [(run.command, run.exit_code) for run in remembered] == [("apply", 0), ("undo", 0)]
    assert json.loads(remembered[0].summary)["applied"] == 1
    assert json.loads(remembered[1].summary)["undone"] == 1


def test_what_is_held_together_is_shown_together(program: Program) -> None:
    program.approved(close(1), close(2))
    program.gate.waits = Wait(NOW + timedelta(hours=8), "quiet hours")
    code, out = program.run(apply)
    assert code == 0
    assert out.splitlines()[0] == "Held: quiet hours (2)"
    assert [line.endswith("  until 2026-03-01 20:00 UTC") for line in out.splitlines()[1:]] == [True, True]


def test_a_site_that_fails_is_an_error_of_the_document(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    [proposal] = program.approved(close(1))

    def down(self: SandboxConnector, ref: Ref) -> None:
        raise Unreachable("No answer from the forum.", where="forum", hint="Look at its server.")

    monkeypatch.setattr(SandboxConnector, "fetch", down)
    code, document = program.document(apply)
    assert code == 3
    assert document["held"] == [{"id": proposal, "until": None, "reason": "No answer from the forum."}]
    assert document["errors"] == [
        {
            "site": "forum",
            "kind": "unreachable",
            "message": "No answer from the forum.",
            "hint": "Look at its server.",
        }
    ]
    assert program.state(proposal) == State.APPROVED


def test_a_second_run_is_told_whose_lock_it_is(program: Program) -> None:
    holder = Holder("sync", "bob", "web1", "elsewhere", 1)
    with run_lock(program.app.store, holder, lambda: NOW):
        for command, args in ((apply, ()), (undo, (1,))):
            with pytest.raises(LockHeld, match="ordito sync by bob on web1") as caught:
                program.run(command, *args)
            assert caught.value.exit_code == 4


def test_undo_brings_the_state_before_back(program: Program) -> None:
    [proposal] = program.approved(close(1))
    program.run(apply)
    code, document = program.document(undo, proposal)
    assert code == 0
    [entry] = document["entries"]
    assert set(document) == {"entries"}
    assert (entry["id"], entry["state"], entry["verb"]) == (proposal, "undone", "close_thread")
    assert receipt_from_json(entry["receipt"]).site == "forum"
    _, out = program.run(log)
    assert out.splitlines()[0] == "2026-03-01 12:00 UTC  undone by anna, approved by bob"


def test_members_are_linked_to_by_a_page_that_everybody_may_open(program: Program) -> None:
    member = Ref("forum", Kind.MEMBER, "7")
    action = SendMessage(site="forum", to=("7",), subject="Welcome", text="How nice that you are here.")
    program.approved(Draft("welcome", member, "once", "send", action, ()))
    platform = program.app.platform("forum")
    with program.app.store.read() as conn:
        assert address(conn, member, platform) == platform.url(member)  # its name is not known yet
    program.run(apply)
    with program.app.store.read() as conn:
        assert address(conn, member, platform) == "https://forum.sandbox.example/u/hugo_mason"


def test_undo_names_what_it_could_not_undo(program: Program) -> None:
    [fine, changed] = program.approved(close(1), close(2))
    program.run(apply)
    program.now += timedelta(minutes=1)
    connector = program.app.connector("forum")
    forum_reopens(connector, "2")
    code, document = program.document(undo, fine, changed)
    assert code == 3
    assert [entry["id"] for entry in document["entries"]] == [fine]
    [error] = document["errors"]
    assert (error["site"], error["kind"]) == ("forum", "conflict")
    assert error["message"].startswith(f"Proposal {changed} was not undone. Somebody has changed")
    assert program.state(changed) == State.APPLIED


def forum_reopens(connector: Any, thread: str) -> None:
    """A person does it, behind our back."""
    from ordito.connectors.sandbox.forum import ForumMember

    admin = next(row["id"] for row in connector._sandbox.rows("SELECT id FROM member WHERE admin = 1"))
    ForumMember(connector._sandbox, admin).set_status(thread, "closed", False)


def test_what_was_not_applied_cannot_be_undone(program: Program) -> None:
    [proposal] = program.approved(close(1))
    with pytest.raises(UsageError, match="is approved; only what was applied") as caught:
        program.run(undo, proposal)
    assert (caught.value.exit_code, caught.value.hint) == (2, f"ordito review reopen {proposal}")
    with pytest.raises(UsageError, match="no proposal 99"):
        program.run(undo, 99)


def test_what_was_applied_is_not_applied_again_by_naming_it(program: Program) -> None:
    [proposal] = program.approved(close(1))
    program.run(apply)
    with pytest.raises(UsageError, match="is applied; only what is approved") as caught:
        program.run(apply, proposal)
    assert caught.value.exit_code == 2


def test_the_log_tells_what_was_done_when_and_by_whom_approved(program: Program) -> None:
    [first] = program.approved(close(1), by="bob")
    program.run(apply)
    program.now += timedelta(days=3)
    [second] = program.approved(reply(2), by="carl")
    program.run(apply)
    program.approved(close(3))
    _, document = program.document(log)
    assert [entry["id"] for entry in document["entries"]] == [second, first]
    entry = document["entries"][1]
    assert set(entry) == {"id", "item", "verb", "state", "at", "approved_by", "receipt"}
    assert (entry["item"], entry["verb"], entry["state"]) == ("forum:thread:1", "close_thread", "applied")
    assert (entry["at"], entry["approved_by"]) == ("2026-03-01T12:00:00+00:00", "bob")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["forum:topic:1"], [1]),
        (["https://forum.sandbox.example/t/2"], [2]),
        (["--by", "carl"], [2]),
        (["--policy", "archive-stale"], [2, 1]),
        (["--policy", "other"], []),
        (["--since", "2026-03-02"], [2]),
        (["--since", "1 day"], [2]),
        (["--until", "2026-03-02T00:00"], [1]),
        (["--state", "approved"], [3]),
        (["--state", "approved", "--state", "applied"], [3, 2, 1]),
        (["--limit", "1"], [2]),
        (["--member", "forum:user:5"], []),
    ],
)
def test_the_log_is_narrowed(program: Program, args: list[str], expected: list[int]) -> None:
    program.approved(close(1))
    program.run(apply)
    program.now += timedelta(days=3)
    program.approved(reply(2), by="carl")
    program.run(apply)
    program.approved(close(3))
    _, document = program.document(log, *args)
    assert [entry["id"] for entry in document["entries"]] == expected


@pytest.mark.parametrize(
    ("args", "raised"),
    [
        (["--since", "yesterday"], UsageError),
        (["@nobody-of-that-name"], UsageError),
        (["--limit", "0"], click.BadParameter),
        (["--state", "donne"], click.BadParameter),
    ],
)
def test_a_filter_that_is_not_understood_is_said(
    program: Program, args: list[str], raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        program.run(log, *args)


def test_an_empty_log_is_said(program: Program) -> None:
    assert program.run(log) == (0, "Nothing was done yet, or nothing that fits.\n")


def test_of_a_site_that_left_the_settings_the_log_stays_and_the_approvals_wait(program: Program) -> None:
    [done, waiting] = program.approved(close(1), close(2))
    program.run(apply, done)
    program.rename_the_site()
    code, out = program.run(log)
    assert code == 0
    assert "forum:thread:1" in out
    code, document = program.document(apply)
    assert document["held"] == [
        {"id": waiting, "until": None, "reason": "There is no site 'forum' in the settings."}
    ]
    assert (code, program.state(waiting)) == (0, State.APPROVED)
    code, document = program.document(undo, done)
    assert (code, program.state(done)) == (3, State.APPLIED)
    assert document["errors"][0]["message"].startswith(f"Proposal {done} was not undone. There is no site")


def test_an_edit_summary_names_the_policy_and_where_to_stop_it(program: Program) -> None:
    from ordito.sync.workbench import workbench

    [proposal] = program.approved(close(1))
    with workbench(program.app, "apply") as bench, program.app.store.read() as conn:
        note = bench.note(get(conn, proposal))
    assert note == "policy archive-stale; to stop: https://forum.sandbox.example/t/40"
