"""`ordito run` for cron: what it says when something is wrong, to somebody who reads it in a mail."""

from __future__ import annotations

from datetime import UTC, datetime

from ordito.config.errors import SignInFailed, Unreachable
from ordito.policies.engine import Plan
from ordito.policies.run_command import troubles
from ordito.sync.mirror import SiteReport
from ordito.sync.outbox.bench import Failure, Report, SiteError
from ordito.sync.syncing import Synced

AWAY = Unreachable("the site cannot be reached: the connection is refused.", where="forum", hint="Wait.")
NOTHING = Plan(datetime(2026, 3, 1, tzinfo=UTC), (), ())


def failure(number: int, site: str = "wiki") -> Failure:
    return Failure(number, site, "forbidden", "the account may not.", retriable=False)


def lines(synced: Synced, plan: Plan = NOTHING, applied: Report | None = None) -> dict[str, str]:
    found = troubles(synced, plan, applied or Report(), [("wiki", 7, "The page was deleted since.")])
    return {site: " ".join(said) for site, said in found.items()}


def test_a_site_that_fails_everywhere_is_one_line() -> None:
    applied = Report()
    applied.stop("forum", AWAY)
    plan = Plan(NOTHING.as_of, (), (), errors=(SiteError.of("forum", AWAY),))
    reports = [SiteReport(site="forum", error=AWAY), SiteReport(site="wiki", complete=True)]
    assert lines(Synced(reports), plan, applied)["forum"] == (
        "the site cannot be reached: the connection is refused. Wait."
    )


def test_what_stands_against_a_plan_or_the_actions_only_is_said_too() -> None:
    applied = Report()
    applied.stop("forum", SignInFailed("the key was revoked.", where="forum"))
    assert lines(Synced([SiteReport(site="forum", complete=True)]), applied=applied)["forum"] == (
        "the key was revoked."
    )


def test_many_failures_are_one_sentence_with_the_command_that_shows_them() -> None:
    applied = Report(failed=[failure(3), failure(4), failure(5), failure(6, "forum")])
    said = lines(Synced([]), applied=applied)
    assert said["wiki"].startswith("3 actions failed, the first: the account may not. ")
    assert "ordito review show 3 4 5" in said["wiki"]
    assert said["forum"] == "Proposal 6 failed: the account may not. Look at it: ordito review show 6"


def test_what_was_perhaps_done_says_how_a_person_settles_it() -> None:
    assert lines(Synced([])) == {
        "wiki": "Proposal 7 was perhaps done: The page was deleted since. Look on the site, then say it: "
        "ordito review settle 7 --done (or --not-done)"
    }
    several = troubles(Synced([]), NOTHING, Report(), [("wiki", 7, "Gone."), ("wiki", 8, "Gone.")])
    assert several["wiki"][0].startswith("Proposals 7, 8 were perhaps done, the first: Gone. ")


def test_nothing_wrong_is_nothing_said() -> None:
    assert troubles(Synced([SiteReport(site="forum", complete=True)]), NOTHING, Report(), []) == {}
