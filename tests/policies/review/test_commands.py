"""`ordito review …` by id, as scripts use it."""

import json
from typing import Any

import pytest
from sqlalchemy import insert

from ordito.cli import COMMANDS
from ordito.config.errors import UsageError
from ordito.policies.review.commands import review
from ordito.sync.context import App
from ordito.sync.outbox import State, claim, decisions
from ordito.sync.store.tables import attempts, plans
from ordito.sync.store.times import micros
from tests.policies.review.community import (
    CLOSE,
    NOW,
    PAGE_EDIT,
    TAG,
    WARNING,
    WELCOME,
    YARN,
    Clock,
    draft,
    look,
    offer,
)


def test_the_short_help_is_the_one_of_the_program() -> None:
    assert review.get_short_help_str(100) == COMMANDS["review"][2]


def test_without_a_terminal_the_conversation_names_the_commands_instead(say: Any) -> None:
    with pytest.raises(UsageError, match="needs a terminal") as caught:
        say()
    assert "ordito review list" in caught.value.hint


# --- looking -----------------------------------------------------------------------------------------------


def test_the_list_names_items_in_the_words_of_the_platform(app: App, say: Any) -> None:
    offer(app, draft(WELCOME), draft(CLOSE, policy="tidy"), draft(TAG), draft(PAGE_EDIT))
    told = say("list")
    assert told.code == 0
    numbers = [line.split("  ")[0].strip() for line in told.out.splitlines() if line[:1] != " "]
    assert numbers == ["Id", "1", "2", "3", "4"]
    for words in ("Send anna a private message", "Close the topic “Which yarn?”", "“setup” to the topic",
                  "Edit the page “Looms”", "tidy", "7 days"):  # fmt: skip
        assert words in told.out
    assert max(map(len, told.out.splitlines())) <= 80


def test_a_list_in_pages_says_what_is_left(app: App, say: Any) -> None:
    offer(app, *(draft(TAG, occasion=str(number)) for number in range(5)))
    told = say("list", "--limit", "2", "--offset", "2")
    assert "3 to 4 of 5; --offset 4 shows more." in told.out
    assert "5 to 5 of 5." in say("list", "--limit", "2", "--offset", "4").out


def test_the_list_as_json_is_the_stable_document(app: App, script: App, say: Any) -> None:
    [id_] = offer(app, draft(WELCOME))
    with app.store.write() as conn:
        held = json.dumps([["greet", "forum:member:2", "budget", "written to 2 days ago"]])
        conn.execute(plans.insert().values(created_at=0, as_of=0, policies="[]", held=held))
    assert say("list", on=script).document == {
        "format": 1,
        "as_of": "2026-03-01T12:00:00+00:00",
        "proposals": [
            {
                "id": id_,
                "key": "greet forum:member:1 once send_message",
                "policy": "greet",
                "site": "forum",
                "item": "forum:member:1",
                "action": {
                    "verb": "send_message",
                    "site": "forum",
                    "to": ["1", "2"],
                    "subject": "Welcome, anna",
                    "text": "Hello anna!\n\nGood to have you here.\n",
                },
                "because": [{"fact": "posts", "condition": ">= 1", "value": "3"}],
                "state": "proposed",
                "undo": "withdraw",
                "created_at": "2026-03-01T12:00:00+00:00",
            }
        ],
        "held": [
            {"policy": "greet", "item": "forum:member:2", "by": "budget", "reason": "written to 2 days ago"}
        ],
    }


def test_the_list_has_filters(app: App, script: App, say: Any) -> None:
    welcome, close, tag, page = offer(
        app, draft(WELCOME), draft(CLOSE, policy="tidy"), draft(TAG), draft(PAGE_EDIT)
    )

    def ids(*words: str) -> list[int]:
        return [each["id"] for each in say("list", *words, on=script).document["proposals"]]

    assert ids() == [welcome, close, tag, page] == ids("--state", "all")
    assert ids("--policy", "tidy") == [close]
    assert ids("--site", "wiki") == [page]
    assert ids("--item", "forum:topic:11") == ids("--item", str(YARN)) == [close]
    assert ids("--item", "@anna") == [welcome]
    say("approve", str(tag))
    assert ids("--state", "approved") == [tag]
    assert ids("--state", "approved", "--state", "proposed", "--policy", "greet") == [welcome, tag, page]


def test_a_policy_that_there_is_not_is_named_with_the_nearest(say: Any) -> None:
    with pytest.raises(UsageError, match="no policy 'gret'") as caught:
        say("list", "--policy", "gret")
    assert caught.value.hint == "Did you mean 'greet'?"


def test_a_policy_that_left_the_settings_can_still_be_asked_for(app: App, script: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG, policy="retired"))
    listed = say("list", "--policy", "retired", on=script).document["proposals"]
    assert [each["id"] for each in listed] == [id_]
    assert say("approve", "--all", "retired").code == 0


def test_what_nobody_reviewed_in_time_is_not_listed_any_more(app: App, say: Any, clock: Clock) -> None:
    [id_] = offer(app, draft(TAG))
    clock.pass_(days=7)
    assert say("list").out == "Nothing waits for a decision.\n"
    assert look(app, id_).state == State.LAPSED


def test_show_tells_the_history(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    say("approve", "--as", "anna", "--reason", "looks right", str(id_))
    with app.store.write() as conn:
        conn.execute(
            insert(attempts).values(
                proposal=id_, doing="perform", by="anna", token="t", started_at=micros(NOW),
                outcome="not_done", error="Unreachable.",
            )
        )  # fmt: skip
    told = say("show", str(id_))
    assert "2026-03-01 12:00  anna approved it: looks right" in told.out
    assert "carrying it out: not carried out (Unreachable.)" in told.out


def test_show_as_json_has_what_is_answered_and_decided(app: App, script: App, say: Any) -> None:
    [id_] = offer(app, draft(WARNING))
    say("approve", str(id_))
    [shown] = say("show", str(id_), on=script).document["proposals"]
    assert shown["answers"]["text"] == "Wool or cotton?"
    assert shown["recipients"] == ["luca"]
    assert shown["sentence"] == "Reply in the topic “Which yarn?”"
    assert [(each["by"], each["decision"]) for each in shown["reviews"]] == [("mara", "approved")]
    assert shown["state"] == "approved"


# --- deciding ----------------------------------------------------------------------------------------------


def test_the_login_name_decides_unless_another_is_given(app: App, say: Any) -> None:
    first, second, third = offer(app, *(draft(TAG, occasion=each) for each in "abc"))
    say("approve", str(first))
    say("approve", str(second), "--as", "zoe")
    say("--as", "zoe", "approve", str(third))
    assert [look(app, id_).approved_by for id_ in (first, second, third)] == ["mara", "zoe", "zoe"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[2J", "x" * 81])
def test_a_reviewer_without_a_decent_name_decides_nothing(app: App, say: Any, name: str) -> None:
    [id_] = offer(app, draft(TAG))
    with pytest.raises(UsageError, match="needs a name"):
        say("approve", str(id_), "--as", name)
    assert look(app, id_).state == State.PROPOSED


def test_one_approval_is_single_and_several_are_bulk(app: App, say: Any) -> None:
    first, second, third, fourth = offer(app, *(draft(TAG, occasion=each) for each in "abcd"))
    say("approve", str(first))
    say("approve", str(second), str(third))
    say("approve", "--all", "greet")
    with app.store.read() as conn:
        bulk = [decisions(conn, id_)[0].bulk for id_ in (first, second, third, fourth)]
    assert bulk == [False, True, True, True]


def test_all_of_a_policy_leaves_the_others(app: App, say: Any) -> None:
    tag, close = offer(app, draft(TAG), draft(CLOSE, policy="tidy"))
    assert say("approve", "--all", "greet").code == 0
    assert (look(app, tag).state, look(app, close).state) == (State.APPROVED, State.PROPOSED)


def test_approving_nothing_is_wrong_usage_and_all_of_nothing_is_fine(say: Any) -> None:
    with pytest.raises(UsageError, match="Which proposals"):
        say("approve")
    told = say("approve", "--all", "greet")
    assert (told.code, told.err) == (0, "Nothing of it waits for a decision.\n")


def test_done_in_part_is_exit_3_and_each_failure_is_told(app: App, script: App, say: Any) -> None:
    first, second = offer(app, draft(TAG), draft(CLOSE))
    say("reject", str(first), "--reason", "no")
    told = say("approve", str(first), str(second), on=script)
    assert told.code == 3
    assert told.document["reviewed"] == [{"id": second, "decision": "approved", "state": "approved"}]
    [error] = told.document["errors"]
    assert (error["id"], error["kind"], error["hint"]) == (
        first, "transition-error", f"To decide anew: ordito review reopen {first}"
    )  # fmt: skip


def test_where_all_fail_it_is_exit_1(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    say("handled", str(id_))
    told = say("approve", str(id_))
    assert told.code == 1
    assert told.err == (
        f"ordito: Proposal {id_} is handled and cannot become approved. "
        f"To decide anew: ordito review reopen {id_}\n"
    )


def test_a_rejection_can_be_taken_back(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    say("reject", str(id_), "--reason", "no")
    assert say("reopen", str(id_)).code == 0
    assert look(app, id_).state == State.PROPOSED


def test_an_unknown_id_stops_everything_before_it_starts(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    with pytest.raises(UsageError, match="no proposal 99"):
        say("approve", str(id_), "99")
    assert look(app, id_).state == State.PROPOSED


def test_an_id_named_twice_is_decided_once(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    told = say("approve", str(id_), str(id_))
    assert told.code == 0
    with app.store.read() as conn:
        assert [each.bulk for each in decisions(conn, id_)] == [False]


def test_a_rejection_keeps_its_reason_on_one_line(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    say("reject", str(id_), "--reason", " not\nnow ")
    with app.store.read() as conn:
        [decided] = decisions(conn, id_)
    assert (decided.decision, decided.reason) == ("rejected", "not now")
    with pytest.raises(UsageError, match="needs a reason"):
        say("reject", str(id_), "--reason", " ")


def test_an_approval_can_be_taken_back(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    say("approve", str(id_))
    assert say("reopen", str(id_)).code == 0
    assert look(app, id_).state == State.PROPOSED


def test_what_somebody_else_claimed_is_left_to_them(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    assert "claimed" in say("claim", str(id_), "--as", "luca").out
    assert say("approve", str(id_)).code == 1
    assert say("claim", str(id_)).code == 1
    say("release", str(id_))
    assert look(app, id_).claimed_by == "luca", "nobody gives back the claim of another"
    say("release", str(id_), "--as", "luca")
    assert say("approve", str(id_)).code == 0


def test_the_hint_of_an_approval_names_the_undo_window(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    assert "carried out by 'ordito apply', after 10 minutes" in say("approve", str(id_)).out


def test_a_claim_taken_meanwhile_is_shown_in_the_list(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    assert "claimed by" in say("list").out
