"""The conversation on a terminal: every key, and what may happen between two of them."""

from collections.abc import Callable

import pytest

from ordito.config.errors import TransitionError
from ordito.connectors.actions import SendMessage
from ordito.policies.review.deciding import Reviewer
from ordito.policies.review.terminal import Session
from ordito.sync.context import App
from ordito.sync.outbox import Decision, Filters, State, claim, decisions, review
from ordito.sync.store.tables import proposals
from tests.policies.review.community import (
    CLOSE,
    TAG,
    WARNING,
    WELCOME,
    Clock,
    FakeScreen,
    Sit,
    draft,
    look,
    offer,
    states,
)


def test_with_nothing_to_do_it_says_so_and_ends(sit: Sit) -> None:
    assert sit("a").out == "Nothing waits for a decision.\n"


def test_a_approves_and_the_next_one_opens(app: App, sit: Sit) -> None:
    first, second = offer(app, draft(WELCOME), draft(TAG))
    out = sit("a", "q").out
    assert states(app, first, second) == ["approved", "proposed"]
    assert out.index("Send anna") < out.index("Approved.") < out.index("Add the tag “setup”")
    assert out.endswith(
        "1 approved; 1 still waiting.\n"
        "'ordito apply' carries out what is approved, after 10 minutes at the earliest.\n"
    )
    with app.store.read() as conn:
        [decided] = decisions(conn, first)
    assert (decided.by, decided.bulk) == ("mara", False)


def test_r_rejects_with_a_reason(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(TAG))
    out = sit("r", "not a set-up question", "q").out
    with app.store.read() as conn:
        [decided] = decisions(conn, id_)
    assert (decided.decision, decided.reason) == ("rejected", "not a set-up question")
    assert out.endswith("1 rejected; 0 still waiting.\n")


@pytest.mark.parametrize("answer", ["", "  "])
def test_r_without_a_reason_leaves_it(app: App, sit: Sit, answer: str) -> None:
    [id_] = offer(app, draft(TAG))
    assert "Left as it is." in sit("r", answer, "q").out
    assert states(app, id_) == ["proposed"]


def test_h_notes_what_was_done_by_hand(app: App, sit: Sit) -> None:
    first, second, third = offer(app, *(draft(TAG, occasion=each) for each in "abc"))
    sit("h", "moved it myself", "h", "", "h", ".", "q")
    assert states(app, first, second, third) == ["handled", "handled", "proposed"]
    with app.store.read() as conn:
        assert decisions(conn, first)[0].reason == "moved it myself"


def test_e_rewrites_the_text_and_shows_it_again(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(WELCOME))
    screen = sit("e", "a", "q", edits=["Subject: Welcome\n\nDear anna!\n"])
    assert "editing.md: Subject: Welcome, anna\n\nHello anna!" in screen.out
    after = look(app, id_)
    assert after.action == SendMessage(site="forum", to=("1", "2"), subject="Welcome", text="Dear anna!\n")
    assert after.state == State.APPROVED
    assert screen.out.index("The text is rewritten.") < screen.out.index("│ Dear anna!")


def test_e_without_a_change_changes_nothing(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(WELCOME))
    text = "Subject: Welcome, anna\n\nHello anna!\n\nGood to have you here.\n"
    assert "Nothing is changed." in sit("e", "q", edits=[text]).out
    assert not look(app, id_).edited


def test_e_where_there_is_no_text_says_so(app: App, sit: Sit) -> None:
    offer(app, draft(CLOSE))
    assert "! This proposal posts no text that could be edited." in sit("e", "q").out


def test_an_emptied_text_is_refused(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(WELCOME))
    assert "! The text is empty." in sit("e", "q", edits=[""]).out
    assert look(app, id_).action == WELCOME


def test_s_leaves_it_for_later(app: App, sit: Sit) -> None:
    first, second = offer(app, draft(WELCOME), draft(TAG))
    out = sit("s", "a", "q").out
    assert states(app, first, second) == ["proposed", "approved"]
    assert "That was the last one. 1 left for later." in out


def test_n_and_p_go_forth_and_back(app: App, sit: Sit) -> None:
    ids = offer(app, *(draft(TAG, occasion=each) for each in "abc"))
    out = sit("n", "\n", "p", "a", "q").out
    assert states(app, *ids) == ["proposed", "approved", "proposed"]
    assert "This is the first one." in sit("p", "q").out
    assert "2 of 3" in out


def test_p_comes_back_from_the_end(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(TAG))
    sit("n", "p", "a", "q")
    assert states(app, id_) == ["approved"]


def test_c_claims_and_gives_back(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(TAG))
    assert "Yours until 12:15 UTC." in sit("c", "q").out
    assert look(app, id_).claimed_by == "mara"
    assert "Your claim is given back." in sit("c", "q").out
    assert look(app, id_).claimed_by is None


def test_what_another_claimed_is_shown_and_cannot_be_decided(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(TAG))
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    out = sit("a", "q").out
    assert "! claimed by luca until 12:15 UTC" in out
    assert f"! Proposal {id_} is being reviewed by luca." in out
    assert states(app, id_) == ["proposed"]


# --- taking back -------------------------------------------------------------------------------------------


def test_u_takes_the_last_decision_back_and_shows_it_again(app: App, sit: Sit) -> None:
    first, second = offer(app, draft(WELCOME), draft(TAG))
    out = sit("a", "u", "q").out
    assert states(app, first, second) == ["proposed", "proposed"]
    assert f"Taken back: proposal {first} waits for a decision again." in out
    assert out.endswith("Nothing decided; 2 still waiting.\n")
    with app.store.read() as conn:
        assert [each.decision for each in decisions(conn, first)] == ["approved", "reopened"]


def test_u_again_takes_the_one_before_back(app: App, sit: Sit, clock: Clock) -> None:
    ids = offer(app, *(draft(TAG, occasion=each) for each in "ab"))
    sit("a", "q")
    clock.pass_(seconds=5)
    sit("a", "u", "u", "q")
    assert states(app, *ids) == ["proposed", "proposed"]


def test_u_works_at_the_end_and_in_the_next_session(app: App, sit: Sit, clock: Clock) -> None:
    [id_] = offer(app, draft(TAG))
    sit("a", "u", "q")
    assert states(app, id_) == ["proposed"]
    sit("a", "q")
    offer(app, draft(WELCOME))
    clock.pass_(minutes=9)
    sit("u", "q")
    assert states(app, id_) == ["proposed"]


def test_u_leaves_what_is_older_than_the_undo_window(app: App, sit: Sit, clock: Clock) -> None:
    first, _ = offer(app, draft(TAG), draft(WELCOME))
    sit("a", "q")
    clock.pass_(minutes=11)
    assert "! There is no decision of yours within the undo window" in sit("u", "q").out
    assert states(app, first) == ["approved"]


def test_u_leaves_the_decisions_of_others(app: App, sit: Sit) -> None:
    first, _ = offer(app, draft(TAG), draft(WELCOME))
    sit("a", "q", name="luca")
    assert "! There is no decision of yours" in sit("u", "q").out
    assert states(app, first) == ["approved"]


@pytest.mark.parametrize("typed", [("r", "no"), ("h", "")])
def test_u_takes_a_rejection_or_a_note_of_work_by_hand_back_as_well(
    app: App, sit: Sit, typed: tuple[str, str]
) -> None:
    first, second = offer(app, draft(TAG), draft(WELCOME))
    out = sit(*typed, "u", "a", "q").out
    assert f"Taken back: proposal {first} waits for a decision again." in out
    assert states(app, first, second) == ["approved", "proposed"]


def test_u_leaves_what_somebody_else_has_decided_anew(app: App, sit: Sit) -> None:
    [first] = offer(app, draft(TAG))
    sit("r", "no", "q")
    with app.store.write() as conn:
        review(conn, first, Decision.REOPENED, by="luca", now=app.now())
        review(conn, first, Decision.APPROVED, by="luca", now=app.now())
    with pytest.raises(TransitionError, match="no decision of yours"):
        Reviewer(app.store, "mara").take_back(app.now(), app.now())
    assert states(app, first) == ["approved"]


def test_u_names_the_undo_of_what_is_carried_out_already(app: App, sit: Sit) -> None:
    first, _ = offer(app, draft(TAG), draft(WELCOME))
    sit("a", "q")
    with app.store.write() as conn:
        conn.execute(proposals.update().where(proposals.c.id == first).values(state=State.APPLIED))
    assert f"ordito undo {first}" in sit("u", "q").out
    assert states(app, first) == ["applied"]


def test_u_takes_later_steps_back_with_the_first(app: App, sit: Sit) -> None:
    [warning] = offer(app, draft(WARNING, policy="tidy"))
    [close] = offer(app, draft(CLOSE, policy="tidy", after=warning))
    sit("a", "u", "q")
    assert states(app, warning, close) == ["proposed", "proposed"]


# --- all of a policy ---------------------------------------------------------------------------------------


def test_capital_a_approves_all_of_a_policy_when_their_number_is_typed(app: App, sit: Sit) -> None:
    first, other, second = offer(
        app, draft(TAG, occasion="a"), draft(CLOSE, policy="tidy"), draft(TAG, occasion="b")
    )
    out = sit("A", "2", "q").out
    assert "2 wait of greet, 1 of which you have not seen" in out
    assert "Approved 2 of 2." in out
    assert states(app, first, other, second) == ["approved", "proposed", "approved"]
    with app.store.read() as conn:
        assert decisions(conn, first)[0].bulk


@pytest.mark.parametrize("answer", ["", "y", "3", "yes"])
def test_capital_a_leaves_them_for_anything_else(app: App, sit: Sit, answer: str) -> None:
    ids = offer(app, draft(TAG, occasion="a"), draft(TAG, occasion="b"))
    assert "Left as they are." in sit("A", answer, "q").out
    assert states(app, *ids) == ["proposed", "proposed"]


def test_capital_a_shows_those_not_seen_on_request(app: App, sit: Sit) -> None:
    ids = offer(app, draft(TAG), draft(WARNING), draft(WELCOME))
    screen = sit("A", "v", "\n", "\n", "3", "q")
    assert "Nobody has written here for 180 days." in screen.out
    assert "3 wait of greet. Type 3 to approve them all" in screen.out
    assert states(app, *ids) == ["approved"] * 3


def test_looking_at_them_can_be_left(app: App, sit: Sit) -> None:
    ids = offer(app, draft(TAG), draft(WARNING), draft(WELCOME))
    screen = sit("A", "v", "q", "q")
    assert "Left as they are." in screen.out
    assert states(app, *ids) == ["proposed"] * 3


def test_capital_a_passes_over_what_another_claimed(app: App, sit: Sit) -> None:
    first, second = offer(app, draft(TAG, occasion="a"), draft(TAG, occasion="b"))
    with app.store.write() as conn:
        claim(conn, second, "luca", app.now())
    sit("A", "1", "q")
    assert states(app, first, second) == ["approved", "proposed"]


def test_u_takes_all_of_them_back_together(app: App, sit: Sit) -> None:
    ids = offer(app, *(draft(TAG, occasion=each) for each in "abc"))
    out = sit("A", "3", "u", "q").out
    assert "Taken back: 3 proposals wait for a decision again." in out
    assert states(app, *ids) == ["proposed"] * 3


def test_the_place_stays_when_what_came_before_is_approved(app: App, sit: Sit) -> None:
    first, close, second = offer(
        app, draft(TAG, occasion="a"), draft(CLOSE, policy="tidy"), draft(TAG, occasion="b")
    )
    sit("n", "n", "A", "2", "r", "no", "q")
    assert states(app, first, close, second) == ["approved", "proposed", "approved"]
    sit("r", "no", "q")
    assert states(app, close) == ["rejected"]


# --- meanwhile ---------------------------------------------------------------------------------------------


class Meddled(FakeScreen):
    """While the reviewer thinks about the first key, something happens."""

    meanwhile: Callable[[], None] | None = None

    def key(self, prompt: str) -> str:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return super().key(prompt)


def meddle(app: App, typed: list[str], happens: Callable[[], None]) -> Meddled:
    screen = Meddled(typed)
    screen.meanwhile = happens
    Session(app, Reviewer(app.store, "mara"), screen, Filters(states=(State.PROPOSED,))).run()
    return screen


def test_what_another_decided_meanwhile_falls_out(app: App) -> None:
    first, second = offer(app, draft(TAG), draft(WELCOME))

    def luca_rejects() -> None:
        with app.store.write() as conn:
            review(conn, first, Decision.REJECTED, by="luca", now=app.now())

    screen = meddle(app, ["a", "a", "q"], luca_rejects)
    assert f"! Proposal {first} is rejected and cannot become approved." in screen.out
    assert f"Proposal {first} is rejected meanwhile." in screen.out
    assert states(app, first, second) == ["rejected", "approved"]


def test_a_text_that_was_rewritten_meanwhile_is_shown_before_it_is_approved(app: App) -> None:
    [id_] = offer(app, draft(WELCOME))
    other = SendMessage(site="forum", to=("1", "2"), subject="Hi", text="Something else\n")

    def luca_edits() -> None:
        with app.store.write() as conn:
            review(conn, id_, Decision.EDITED, by="luca", now=app.now(), action=other)

    screen = meddle(app, ["a", "q"], luca_edits)
    assert "has been rewritten since you saw it" in screen.out
    assert "│ Something else" in screen.out
    assert states(app, id_) == ["proposed"]


def test_what_lapsed_before_is_not_shown(app: App, sit: Sit, clock: Clock) -> None:
    offer(app, draft(TAG))
    clock.pass_(days=8)
    assert sit("a").out == "Nothing waits for a decision.\n"


def test_an_unknown_key_does_nothing(app: App, sit: Sit) -> None:
    [id_] = offer(app, draft(TAG))
    assert "That key means nothing here" in sit("x", "q").out
    assert states(app, id_) == ["proposed"]


def test_the_end_of_the_input_ends_the_review(app: App, sit: Sit) -> None:
    offer(app, draft(TAG))
    assert sit().out.endswith("Nothing decided; 1 still waiting.\n")
    assert sit("s").out.endswith("Nothing decided; 1 still waiting.\n")


def test_only_what_the_filters_let_through_is_reviewed(app: App) -> None:
    offer(app, draft(TAG), draft(CLOSE, policy="tidy"))
    screen = FakeScreen(["q"])
    tidy = Filters(states=(State.PROPOSED,), policies=("tidy",))
    Session(app, Reviewer(app.store, "mara"), screen, tidy).run()
    assert "── 1 of 1 ──" in screen.out
    assert "Close the topic" in screen.out
