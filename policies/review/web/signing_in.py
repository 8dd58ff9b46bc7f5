"""Coming in and going out: with the forum, with a link that is good once, with a personal link."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....config.errors import OrditoError
from . import guard
from .connect import NotSignedIn
from .page import BACK, page
from .sign_ins import Purpose, Ticket

views = Blueprint("signing_in", __name__)


class TooOften(OrditoError):
    """Somebody guesses."""

    def __init__(self) -> None:
        super().__init__("Too many attempts to sign in failed.", hint="Try again in ten minutes.")


@views.get("/sign-in")
def sign_in() -> Response | str:
    if g.person is not None:
        return redirect(url_for("proposals.index"), 303)
    forum = page().connect.forum if page().connect else None  # type: ignore[union-attr]
    return render_template("sign_in.html", forum=forum)


@views.get("/sign-in/forum")
def forum() -> Response:
    """To the forum, which sends the browser back."""
    connect = page().connect
    if connect is None:
        return redirect(url_for("signing_in.sign_in"), 303)
    return redirect(connect.begin(g.visit, page().now()), 303)


@views.get(BACK)
def back() -> Response:
    """The forum's answer."""
    connect = page().connect
    if connect is None:
        return redirect(url_for("signing_in.sign_in"), 303)
    _brake()
    visit = request.cookies.get(guard.VISIT_COOKIE, "")
    try:
        answer = connect.finish(
            request.args.get("sso", ""), request.args.get("sig", ""), visit, page().now()
        )
    except NotSignedIn as error:
        if error.suspicious:
            _failed()
        raise
    page().rights.admit(answer, page().now())
    response = redirect(url_for("proposals.index"), 303)
    guard.start_session(response, answer.person)
    return response


@views.route("/sign-in/link/<token>", methods=["GET", "POST"])
def link(token: str) -> Response | tuple[str, int] | str:
    """A link lets in with a button: what only looks at addresses uses none up."""
    _brake()
    here = page()
    invitation = here.sign_ins.find(Purpose.INVITATION, token, here.now())
    if request.method == "GET":
        found = invitation or here.sign_ins.find(Purpose.LINK, token, here.now())
        if found is None:
            return _useless()
        return render_template("link.html", name=found.person.name, once=invitation is None)
    ticket: Ticket | None = invitation or here.sign_ins.take(token, here.now())
    if ticket is None:
        return _useless()
    response = redirect(url_for("proposals.index"), 303)
    guard.start_session(response, ticket.person, invitation)
    return response


@views.post("/sign-out")
def sign_out() -> Response:
    response = redirect(url_for("signing_in.sign_in"), 303)
    guard.end_session(response)
    return response


def _useless() -> tuple[str, int]:
    _failed()
    hint = "Ask for a new one: links expire, and some can be used only once."
    return render_template("error.html", message="This link does not work.", hint=hint, code=403), 403


def _brake() -> None:
    """Raises TooOften."""
    if page().failures.too_many(request.remote_addr or "", page().now()):
        raise TooOften


def _failed() -> None:
    page().failures.add(request.remote_addr or "", page().now())
