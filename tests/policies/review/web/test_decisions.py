"""Deciding on the page ends as deciding in the terminal does."""

import re
from dataclasses import replace

from sqlalchemy import insert

from ordito.connectors.actions import SendMessage
from ordito.sync.context import App
from ordito.sync.outbox import Decision, State, claim, decisions, lapse, review
from ordito.sync.store.tables import attempts, proposals
from ordito.sync.store.times import micros
from tests.policies.review.community import CLOSE, NOW, PAGE_EDIT, TAG, WELCOME, Clock, draft, look, offer
from tests.policies.review.web.conftest import Browser


def test_approving_opens_the_next_one_and_offers_the_way_back(app: App, browser: Browser) -> None:
    first, second = offer(app, draft(WELCOME), draft(CLOSE, policy="tidy"))
    browser.get(f"/proposals/{first}")
    answer = browser.post(f"/proposals/{first}/approve")
    assert (answer.status_code, answer.location) == (303, f"/proposals/{second}?told={first}")
    approved = look(app, first)
    assert (approved.state, approved.approved_by, approved.approved_at) == (State.APPROVED, "mara", NOW)
    browser.get(answer.location)
    assert "Approved:" in browser.text and "Take it back" in browser.text and "until 12:10" in browser.text
    browser.post("/reopen", {"id": str(first)})
    assert look(app, first).state == State.PROPOSED
    with app.store.read() as conn:
        made = [(each.decision, each.by, each.bulk) for each in decisions(conn, first)]
    assert made == [("approved", "mara", False), ("reopened", "mara", False)]


def test_after_the_undo_window_the_way_back_is_not_offered(app: App, browser: Browser, clock: Clock) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    told = browser.post(f"/proposals/{id_}/approve").location
    clock.pass_(minutes=10)
    assert "Take it back" not in browser.get(told).text


def test_the_filters_of_the_list_stay_on_the_way(app: App, browser: Browser) -> None:
    first, _, third = offer(app, draft(TAG), draft(CLOSE, policy="tidy"), draft(TAG, occasion="2"))
    browser.get(f"/proposals/{first}?policy=greet")
    answer = browser.post(f"/proposals/{first}/approve")
    assert answer.location == f"/proposals/{third}?policy=greet&told={first}"
    browser.get(answer.location)
    assert browser.post(f"/proposals/{third}/approve").location == f"/?policy=greet&told={third}"


def test_what_somebody_else_has_claimed_is_passed_over(app: App, browser: Browser) -> None:
    first, second, third = offer(app, *(draft(TAG, occasion=str(number)) for number in range(3)))
    with app.store.write() as conn:
        claim(conn, second, "luca", app.now())
    browser.get(f"/proposals/{first}")
    answer = browser.post(f"/proposals/{first}/approve")
    assert answer.location == f"/proposals/{third}?told={first}"


def test_a_claim_that_came_meanwhile_is_respected(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(TAG))
    browser.get(f"/proposals/{id_}")
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    refused = browser.post(f"/proposals/{id_}/approve")
    assert refused.status_code == 409 and "is being reviewed by luca" in refused.text
    assert look(app, id_).state == State.PROPOSED


def test_a_rejection_needs_a_reason_and_keeps_it(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    empty = browser.post(f"/proposals/{id_}/reject", {"reason": "  "})
    assert empty.status_code == 400 and "A rejection needs a reason." in empty.text
    assert look(app, id_).state == State.PROPOSED
    browser.post(f"/proposals/{id_}/reject", {"reason": "she is\nstaff"})
    assert look(app, id_).state == State.REJECTED
    with app.store.read() as conn:
        assert decisions(conn, id_)[0].reason == "she is staff"


def test_handled_by_hand(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    browser.post(f"/proposals/{id_}/handled")
    assert look(app, id_).state == State.HANDLED


def test_a_text_that_was_rewritten_meanwhile_is_not_approved(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    with app.store.write() as conn:
        other = replace(WELCOME, text="Something else.\n")
        review(conn, id_, Decision.EDITED, by="luca", now=app.now(), action=other)
    refused = browser.post(f"/proposals/{id_}/approve")
    assert refused.status_code == 409 and "has been rewritten since you saw it" in refused.text
    assert look(app, id_).state == State.PROPOSED
    browser.post(f"/proposals/{id_}/approve")
    assert look(app, id_).state == State.APPROVED, "the page that refused shows the new text"


def test_a_decision_without_what_was_seen_is_refused(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    assert browser.post(f"/proposals/{id_}/approve", {"seen": ""}).status_code == 409
    assert look(app, id_).state == State.PROPOSED


def test_what_lapsed_meanwhile_is_not_decided(app: App, browser: Browser, clock: Clock) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    clock.pass_(days=7)
    with app.store.write() as conn:
        lapse(conn, app.now())
    browser.sign_in_again()
    browser.get(f"/proposals/{id_}")
    assert browser.post(f"/proposals/{id_}/approve").status_code == 409
    assert look(app, id_).state == State.LAPSED


def test_a_rejection_can_be_taken_back_within_the_undo_window_and_later_from_its_page(
    app: App, browser: Browser, clock: Clock
) -> None:
    first, second = offer(app, draft(WELCOME), draft(TAG))
    browser.get(f"/proposals/{first}")
    browser.get(browser.post(f"/proposals/{first}/reject", {"reason": "no"}).location)
    assert "Rejected:" in browser.text and "until 12:10" in browser.text
    browser.post("/reopen", {"id": str(first)})
    assert look(app, first).state == State.PROPOSED
    browser.get(f"/proposals/{second}")
    told = browser.post(f"/proposals/{second}/handled").location
    clock.pass_(minutes=10)
    assert "Take it back" not in browser.get(told).text
    assert "Put it back for a decision" in browser.get(f"/proposals/{second}").text
    browser.post("/reopen", {"id": str(second)})
    assert look(app, second).state == State.PROPOSED


def test_reasons_given_before_are_offered_for_the_same_policy(app: App, browser: Browser) -> None:
    one, two, three, other, last = offer(
        app, *(draft(WELCOME, occasion=str(n), policy="tidy" if n == 3 else "greet") for n in range(5))
    )
    with app.store.write() as conn:
        given = {one: "works here", two: '"too" late', three: "works here", other: "other"}
        for id_, reason in given.items():
            review(conn, id_, Decision.REJECTED, by="luca", now=app.now(), reason=reason)
    for path in (f"/proposals/{last}", "/together?policy=greet"):
        options = re.findall(r'<option value="([^"]*)"></option>', browser.get(path).text)
        assert options == ["works here", "&#34;too&#34; late"]


def test_what_somebody_else_rejected_is_not_offered_as_ones_own(app: App, browser: Browser) -> None:
    first, second = offer(app, draft(WELCOME), draft(TAG))
    with app.store.write() as conn:
        review(conn, first, Decision.REJECTED, by="luca", now=app.now(), reason="no")
    assert "Take it back" not in browser.get(f"/proposals/{second}?told={first}").text


# --- editing ------------------------------------------------------------------------------------------------


def test_editing_with_a_preview_then_approving(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}/edit")
    fields = {"subject": "Ciao,\nanna", "text": "Ciao **anna**!\r\n\r\nBenvenuta.", "do": "preview"}
    shown = browser.post(f"/proposals/{id_}/edit", {**fields})
    assert shown.status_code == 200 and "Ciao <strong>anna</strong>!" in shown.text
    assert look(app, id_).action == WELCOME
    answer = browser.post(f"/proposals/{id_}/edit", {**fields, "do": "approve"})
    assert answer.status_code == 303
    approved = look(app, id_)
    assert approved.state == State.APPROVED and approved.edited
    assert isinstance(approved.action, SendMessage)
    assert (approved.action.subject, approved.action.text) == ("Ciao, anna", "Ciao **anna**!\n\nBenvenuta.\n")
    with app.store.read() as conn:
        assert decisions(conn, id_)[0].before == WELCOME


def test_keeping_a_text_leaves_the_decision_open(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(PAGE_EDIT))
    browser.get(f"/proposals/{id_}/edit")
    answer = browser.post(
        f"/proposals/{id_}/edit", {"summary": "Tidied up", "text": "One\nTwo\nFive\n", "do": "save"}
    )
    assert answer.location == f"/proposals/{id_}"
    kept = look(app, id_)
    assert kept.state == State.PROPOSED
    assert kept.action == replace(PAGE_EDIT, text="One\nTwo\nFive\n", summary="Tidied up")


def test_an_empty_text_or_subject_is_refused_and_nothing_that_was_typed_is_lost(
    app: App, browser: Browser
) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}/edit")
    empty = browser.post(f"/proposals/{id_}/edit", {"subject": "My subject", "text": " ", "do": "approve"})
    assert empty.status_code == 400 and "The text is empty." in empty.text and "My subject" in empty.text
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    taken = browser.post(f"/proposals/{id_}/edit", {"subject": "S", "text": "A long text", "do": "approve"})
    assert taken.status_code == 409 and "reviewed by luca" in taken.text and "A long text" in taken.text


def test_an_action_without_a_text_has_no_editor(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(CLOSE, policy="tidy"))
    assert 'id="edit"' not in browser.get(f"/proposals/{id_}").text
    refused = browser.get(f"/proposals/{id_}/edit")
    assert refused.status_code == 404 and "posts no text" in refused.text


# --- together, claims, what nobody knows --------------------------------------------------------------------


def test_similar_ones_are_decided_together_and_taken_back_together(app: App, browser: Browser) -> None:
    ids = offer(app, *(draft(TAG, occasion=str(number)) for number in range(12)), draft(CLOSE, policy="tidy"))
    assert "More than ten" in browser.get(f"/proposals/{ids[0]}").text
    browser.get("/together?policy=greet&verb=set_labels")
    assert browser.text.count('type="checkbox"') == 10 and "2 more like them afterwards" in browser.text
    assert "checked" not in browser.text
    chosen = [str(id_) for id_ in ids[:3]]
    answer = browser.post("/together", {"id": chosen, "do": "approve"})
    assert answer.status_code == 303
    assert [look(app, id_).state for id_ in ids[:4]] == [State.APPROVED] * 3 + [State.PROPOSED]
    with app.store.read() as conn:
        assert [each.bulk for id_ in ids[:3] for each in decisions(conn, id_)] == [True] * 3
    browser.get(answer.location)
    assert "3 decided:" in browser.text
    browser.post("/reopen", {"id": chosen})
    assert [look(app, id_).state for id_ in ids[:3]] == [State.PROPOSED] * 3


def test_one_alone_is_no_bulk_decision(app: App, browser: Browser) -> None:
    [id_, _] = offer(app, draft(TAG), draft(TAG, occasion="2"))
    browser.get("/together?policy=greet&verb=set_labels")
    browser.post("/together", {"id": str(id_), "do": "approve"})
    with app.store.read() as conn:
        assert [each.bulk for each in decisions(conn, id_)] == [False]


def test_deciding_together_says_what_could_not_be(app: App, browser: Browser) -> None:
    first, second = offer(app, draft(TAG), draft(TAG, occasion="2"))
    browser.get(f"/together?id={first}&id={second}")
    with app.store.write() as conn:
        claim(conn, second, "luca", app.now())
    answer = browser.post("/together", {"id": [str(first), str(second)], "do": "approve"})
    assert answer.status_code == 409 and "is being reviewed by luca" in answer.text
    assert (look(app, first).state, look(app, second).state) == (State.APPROVED, State.PROPOSED)


def test_together_needs_ticks_and_a_rejection_a_reason(app: App, browser: Browser) -> None:
    first, _ = offer(app, draft(TAG), draft(TAG, occasion="2"))
    browser.get("/together?policy=greet&verb=set_labels")
    assert "Nothing is ticked." in browser.post("/together", {"do": "approve"}).text
    assert "needs a reason" in browser.post("/together", {"do": "reject", "id": str(first)}).text
    browser.post("/together", {"do": "reject", "id": str(first), "reason": "not these"})
    assert look(app, first).state == State.REJECTED


def test_claiming_and_giving_back(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    browser.get(f"/proposals/{id_}")
    browser.post(f"/proposals/{id_}/claim")
    assert look(app, id_).claimed_by == "mara"
    assert "Claimed by you" in browser.get(f"/proposals/{id_}").text
    browser.post(f"/proposals/{id_}/release")
    assert look(app, id_).claimed_by is None


def test_what_nobody_knows_is_settled_by_a_person(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    with app.store.write() as conn:
        conn.execute(proposals.update().values(state=State.UNSETTLED))
        conn.execute(
            insert(attempts).values(
                proposal=id_, doing="perform", by="x", token="t", started_at=micros(NOW), outcome="unsettled"
            )
        )
    browser.get(f"/proposals/{id_}")
    assert "Was it carried out?" in browser.text
    assert browser.post(f"/proposals/{id_}/settle").status_code == 400
    browser.post(f"/proposals/{id_}/settle", {"done": "yes", "reason": "I see it"})
    assert look(app, id_).state == State.APPLIED


def test_what_failed_can_be_approved_for_another_try(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    with app.store.write() as conn:
        conn.execute(proposals.update().values(state=State.FAILED, error="the account lacks a right"))
    browser.get(f"/proposals/{id_}")
    assert "the account lacks a right" in browser.text and "Approve another try" in browser.text
    browser.post(f"/proposals/{id_}/approve")
    assert look(app, id_).state == State.APPROVED


def test_ids_are_checked(app: App, browser: Browser) -> None:
    offer(app, draft(WELCOME))
    browser.get("/proposals/1")
    assert browser.get("/proposals/77").status_code == 404
    assert browser.get("/proposals/99999999999999999999999").status_code == 404
    assert browser.get("/proposals/-1").status_code == 404
    assert browser.get("/together?id=abc").status_code == 404
    browser.get("/proposals/1")
    for ids in (["x"], ["-1"], ["99999999999999999999"], ["²"], [str(each) for each in range(60)]):
        assert browser.post("/reopen", {"id": ids}).status_code == 400, ids
        browser.get("/proposals/1")
    assert browser.post("/reopen").status_code == 400
