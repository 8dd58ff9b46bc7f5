"""Deciding: every form of the page that changes a proposal. The right to do so is asked for each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ....config.errors import TransitionError, UsageError
from ....connectors.actions import Action
from ....sync import outbox
from ....sync.outbox import Decision, Proposal
from ..deciding import let_lapse
from ..editing import as_file, from_file
from ..queue import card, text_of
from .finding import Search, following
from .page import page, person, reviewer
from .proposals import address, fingerprint, read_ids, show_one, show_together

views = Blueprint("decisions", __name__)

_ID = "<int(max=9223372036854775807):id_>"
_LONGEST_REASON = 2000
_Answer = Response | str | tuple[str, int]


@views.before_request
def _confirm() -> None:
    """Whoever lost the right since the sign-in decides nothing any more."""
    if request.method == "POST":
        page().rights.confirm(person(), page().now())
        let_lapse(page().app.store, page().now())


@views.post(f"/proposals/{_ID}/approve")
def approve(id_: int) -> _Answer:
    return _decide(id_, Decision.APPROVED, _reason())


@views.post(f"/proposals/{_ID}/reject")
def reject(id_: int) -> _Answer:
    if not _reason():
        return show_one(id_, _search(), "A rejection needs a reason."), 400
    return _decide(id_, Decision.REJECTED, _reason())


@views.post(f"/proposals/{_ID}/handled")
def handled(id_: int) -> _Answer:
    return _decide(id_, Decision.HANDLED, _reason())


@views.post("/reopen")
def reopen() -> _Answer:
    """Take approvals back, those that were given together together."""
    ids, now = read_ids(request.form.getlist("id")), page().now()
    if not ids:
        raise UsageError("Which proposals?")
    for id_ in ids:
        reviewer().decide(id_, Decision.REOPENED, now)
    return redirect(address("proposals.one", _search(), id_=ids[0]), 303)


@views.post(f"/proposals/{_ID}/claim")
def claim(id_: int) -> _Answer:
    def take() -> None:
        with page().app.store.write() as conn:
            outbox.claim(conn, id_, person().name, page().now())

    return _stay(id_, take)


@views.post(f"/proposals/{_ID}/release")
def release(id_: int) -> _Answer:
    def give_back() -> None:
        with page().app.store.write() as conn:
            outbox.release(conn, id_, person().name)

    return _stay(id_, give_back)


@views.post(f"/proposals/{_ID}/settle")
def settle(id_: int) -> _Answer:
    """Say whether something of which nobody knows was carried out."""
    done = {"yes": True, "no": False}.get(request.form.get("done", ""))
    if done is None:
        return show_one(id_, _search(), "Was it carried out, yes or no?"), 400

    def resolve() -> None:
        with page().app.store.write() as conn:
            outbox.resolve(conn, id_, done=done, by=person().name, now=page().now(), reason=_reason())

    return _stay(id_, resolve)


@views.route(f"/proposals/{_ID}/edit", methods=["GET", "POST"])
def edit(id_: int) -> _Answer:
    """Rewrite the text; look at it, keep it, or approve it so."""
    proposal = _load(id_)
    if request.method == "GET":
        as_file(proposal.action)  # refuses what has no text
        return _editor(proposal, proposal.action)
    try:
        action = from_file(proposal.action, _content())
    except UsageError as error:
        return _editor(proposal, proposal.action, str(error)), 400
    decision = {"approve": Decision.APPROVED, "save": Decision.EDITED}.get(request.form.get("do", ""))
    if decision is None:
        return _editor(proposal, action, preview=True)
    if decision == Decision.EDITED and action == proposal.action:
        return _back_to(id_)
    try:
        _review(proposal, decision, action=action)
    except (TransitionError, UsageError) as error:
        return _editor(proposal, action, str(error), preview=True), 409
    return _onward(id_) if decision == Decision.APPROVED else _back_to(id_)


@views.post("/together")
def together() -> _Answer:
    """Decide on all that are ticked."""
    ids, now = read_ids(request.form.getlist("id")), page().now()
    decision = {"approve": Decision.APPROVED, "reject": Decision.REJECTED}.get(request.form.get("do", ""))
    shown = read_ids(request.form.getlist("shown"))
    if decision is None or not ids:
        problem = "Approve or reject?" if ids else "Nothing is ticked."
        return show_together(shown, _search(), [problem]), 400
    if decision == Decision.REJECTED and not _reason():
        return show_together(shown, _search(), ["A rejection needs a reason."]), 400
    done, problems, failed = [], [], []
    for id_ in ids:
        try:
            _review(_load(id_), decision, _reason(), bulk=len(ids) > 1, seen=f"seen-{id_}", at=now)
            done.append(id_)
        except (TransitionError, UsageError) as error:
            problems.append(str(error))
            failed.append(id_)
    if failed:
        return show_together(failed, _search(), [f"Decided: {len(done)}.", *problems]), 409
    return redirect(address("proposals.together", _search(), told=_joined(done)), 303)


# --- what they have in common ----------------------------------------------------------------------------


def _decide(id_: int, decision: Decision, reason: str = "") -> _Answer:
    """Record it and open the next one; where that fails, the proposal is shown as it is now, and why."""
    proposal = _load(id_)
    try:
        _review(proposal, decision, reason)
    except (TransitionError, UsageError) as error:
        return show_one(id_, _search(), str(error)), 409
    return _onward(id_)


def _onward(id_: int) -> Response:
    """To the next one that waits, saying what was decided about this one."""
    here, search = page(), _search()
    with here.app.store.read() as conn:
        following_id = following(conn, search, id_, person().name, here.now())
    if following_id is None:
        return redirect(address("proposals.index", search, told=id_), 303)
    return redirect(address("proposals.one", search, id_=following_id, told=id_), 303)


def _review(
    proposal: Proposal,
    decision: Decision,
    reason: str = "",
    *,
    action: Action | None = None,
    bulk: bool = False,
    seen: str = "seen",
    at: datetime | None = None,
) -> None:
    """`seen`: the field with the fingerprint of what the reviewer saw. Raises TransitionError, UsageError."""
    if request.form.get(seen) != fingerprint(proposal):
        raise TransitionError(
            f"The text of proposal {proposal.id} has been rewritten since you saw it.",
            hint="Look at it again.",
        )
    reviewer().decide(
        proposal.id,
        decision,
        at or page().now(),
        reason=reason,
        action=action,
        bulk=bulk,
        seen=proposal.action,
    )


def _stay(id_: int, do: Callable[[], None]) -> _Answer:
    """Do it, and come back to the same proposal."""
    try:
        do()
    except (TransitionError, UsageError) as error:
        return show_one(id_, _search(), str(error)), 409
    return _back_to(id_)


def _back_to(id_: int) -> Response:
    return redirect(address("proposals.one", _search(), id_=id_), 303)


def _editor(proposal: Proposal, action: Action, problem: str = "", *, preview: bool = False) -> str:
    here = page()
    with here.app.store.read() as conn:
        shown = card(conn, proposal, here.app.platforms(), here.now())
    typed = request.form if request.method == "POST" else None
    text = text_of(action)
    assert text is not None  # noqa: S101 (`as_file` refused what has none)
    return render_template(
        "edit.html",
        card=shown,
        search=_search(),
        seen=typed.get("seen", "") if typed else fingerprint(proposal),
        draft=text,
        body=typed.get("text", "").replace("\r\n", "\n") if typed else text.body,
        heading=typed.get("subject", "") if typed else text.subject,
        summary=typed.get("summary", "") if typed else text.summary,
        preview=preview,
        problem=problem,
    )


def _content() -> str:
    """What was typed, in the form of a file that a reviewer edits."""
    form = request.form
    headers = "".join(
        f"{label}: {' '.join(form[name].split())}\n\n"
        for name, label in (("subject", "Subject"), ("summary", "Summary"))
        if name in form
    )
    return headers + form.get("text", "")


def _load(id_: int) -> Proposal:
    with page().app.store.read() as conn:
        return outbox.get(conn, id_)


def _reason() -> str:
    return " ".join(request.form.get("reason", "")[:_LONGEST_REASON].split())


def _search() -> Search:
    """The list that the reviewer came from: its filters stand in every form and address."""
    return Search.parse(request.form.get("in", "")) if request.method == "POST" else Search.read(request.args)


def _joined(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids))
