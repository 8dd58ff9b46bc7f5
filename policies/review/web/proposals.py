"""Looking: the list, one proposal, several that are alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import Connection

from ....config.errors import UsageError
from ....sync.outbox import Proposal, State, count, decisions, get, select
from ....sync.outbox.proposals import action_text
from ..deciding import let_lapse
from ..queue import Line, card, lines
from .finding import PER_PAGE, Search, alike, facets, following, reasons_given
from .page import page, person

views = Blueprint("proposals", __name__)

TOGETHER = 10
"""Proposals on the page where similar ones are decided together: as many as one looks at in one go."""
_MOST_IDS = 50
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the decision before, for the top of a page. `until`: when it may be carried out."""

    lines: tuple[Line, ...]
    back: tuple[int, ...]
    until: datetime | None


@views.get("/")
def index() -> str:
    """The list."""
    here, search = page(), Search.read(request.args)
    let_lapse(here.app.store, here.now())
    with here.app.store.read() as conn:
        total, counted = facets(conn, search)
        chosen = select(
            conn,
            search.filters(),
            limit=PER_PAGE,
            offset=(search.page - 1) * PER_PAGE,
            newest=search.state != State.PROPOSED,
        )
        return render_template(
            "list.html",
            search=search,
            shown=lines(conn, chosen, here.app.platforms(), here.now()),
            total=total,
            pages=max(1, -(-total // PER_PAGE)),
            facets=counted,
            told=told(conn),
        )


@views.get(f"/proposals/<int(max={_LARGEST_ID}):id_>")
def one(id_: int) -> str:
    """One proposal in full."""
    let_lapse(page().app.store, page().now())
    return show_one(id_, Search.read(request.args))


def show_one(id_: int, search: Search, problem: str = "") -> str:
    """Also after a decision that could not be made: `problem` says why."""
    here, me, now = page(), person().name, page().now()
    with here.app.store.read() as conn:
        shown = card(conn, get(conn, id_), here.app.platforms(), now)
        proposal = shown.proposal
        similar = alike(conn, proposal.policy, proposal.verb, me, now, TOGETHER + 1)
        return render_template(
            "one.html",
            card=shown,
            search=search,
            seen=fingerprint(proposal),
            next=following(conn, search, id_, me, now),
            previous=following(conn, search, id_, me, now, back=True),
            similar=len(similar) if id_ in similar else 0,
            waiting=count(conn, Search(policy=search.policy, site=search.site, verb=search.verb).filters()),
            reasons=reasons_given(conn, proposal.policy) if shown.open else [],
            told=told(conn),
            problem=problem,
        )


@views.get("/together")
def together() -> str:
    """Several in full, to be ticked one by one and decided at once."""
    search = Search.read(request.args)
    ids = read_ids(request.args.getlist("id"))
    let_lapse(page().app.store, page().now())
    return show_together(ids, search)


def show_together(ids: Sequence[int], search: Search, problems: Sequence[str] = ()) -> str:
    """Those of the ids, or else those that are alike by policy and verb."""
    here, me, now = page(), person().name, page().now()
    with here.app.store.read() as conn:
        more = 0
        if not ids:
            ids = alike(conn, search.policy, search.verb, me, now, TOGETHER)
            alike_filters = Search(policy=search.policy, verb=search.verb).filters()
            more = count(conn, alike_filters) - len(ids)
        found = [get(conn, id_) for id_ in ids[:TOGETHER]]
        shown = [(card(conn, each, here.app.platforms(), now), fingerprint(each)) for each in found]
        return render_template(
            "together.html",
            shown=shown,
            search=search,
            more=more,
            reasons=reasons_given(conn, search.policy),
            told=told(conn),
            problems=problems,
        )


def address(endpoint: str, search: Search, **values: str | int) -> str:
    """Of a view, with the list that one came from."""
    arguments: dict[str, Any] = {**search.query(), **values}
    return url_for(endpoint, **arguments)


def fingerprint(proposal: Proposal) -> str:
    """Of the action as it is shown: a decision on another one is refused."""
    return hashlib.sha256(action_text(proposal.action).encode()).hexdigest()


def told(conn: Connection) -> Told | None:
    """What `?told=12,13` in the address is about, read anew: an address cannot claim what is not so."""
    here, named = page(), request.args.get("told", "")
    ids = [int(each) for each in named.split(",")[:_MOST_IDS] if each.isascii() and each.isdigit()]
    try:
        found = [get(conn, id_) for id_ in ids if id_ <= _LARGEST_ID]
    except UsageError:
        return None
    if not found:
        return None
    window = here.app.settings.constitution.undo_window
    ends = {each.id: window.after(at) for each in found if (at := _decided_by_me(conn, each)) is not None}
    until = max(ends.values(), default=None)
    within = until is not None and until > here.now()
    return Told(
        lines=tuple(lines(conn, found, here.app.platforms(), here.now())),
        back=tuple(ends) if within else (),
        until=until,
    )


def _decided_by_me(conn: Connection, proposal: Proposal) -> datetime | None:
    """When, if the decision that it stands under is of whoever is signed in."""
    if proposal.state not in (State.APPROVED, State.REJECTED, State.HANDLED):
        return None
    of_state = [each for each in decisions(conn, proposal.id) if each.decision == proposal.state]
    return of_state[-1].at if of_state and of_state[-1].by == person().name else None


def read_ids(texts: Sequence[str]) -> list[int]:
    """Raises UsageError for what cannot be an id."""
    if len(texts) > _MOST_IDS:
        raise UsageError("These are too many at once.", hint=f"At most {_MOST_IDS}.")
    for text in texts:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST_ID):
            raise UsageError("That is not the number of a proposal.")
    return list(dict.fromkeys(int(text) for text in texts))
