"""What stands before and after every view: who is asking, whether a form is ours, and the headers."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ....config.errors import OrditoError
from .page import page
from .sign_ins import SESSION, Person, Purpose, Ticket

SESSION_COOKIE = "ordito_session"
VISIT_COOKIE = "ordito_visit"
"""A random word of this browser before anybody is signed in, to which forms and nonces are bound."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_OPEN = frozenset({"signing_in.sign_in", "signing_in.forum", "signing_in.back", "signing_in.link"})
"""Endpoints for people who are not signed in."""


class OldForm(OrditoError):
    """A form that was not sent from a page of this session."""

    def __init__(self) -> None:
        super().__init__("This form is too old, or it did not come from here.", hint="Nothing was done.")


def install(flask: Flask) -> None:
    """Put the guard around all views."""
    flask.before_request(_before)
    flask.after_request(_after)


def csrf_token() -> str:
    """What a form sends along to show that it came from a page of ours."""
    holder = g.get("session") or g.get("visit", "")
    return page().sign_ins.seal("form", holder)


def start_session(response: AnyResponse, who: Person, parent: Ticket | None = None) -> None:
    """Sign somebody in under a new session id, whatever the browser sent; its old session ends."""
    here = page()
    if old := request.cookies.get(SESSION_COOKIE):
        here.sign_ins.end(old)
    token = here.sign_ins.issue(Purpose.SESSION, who, here.now(), SESSION, parent=parent)
    _set_cookie(response, SESSION_COOKIE, token, int(SESSION.total_seconds()))
    drop_cookie(response, VISIT_COOKIE)
    g.signed_in = True


def end_session(response: AnyResponse) -> None:
    """Sign out: the session is gone from the store, not only from the browser."""
    page().sign_ins.end(request.cookies.get(SESSION_COOKIE, ""))
    drop_cookie(response, SESSION_COOKIE)


def drop_cookie(response: AnyResponse, name: str) -> None:
    response.delete_cookie(
        name, path=page().path or "/", secure=page().https, httponly=True, samesite="Lax"
    )


def _before() -> AnyResponse | None:
    if urlsplit(f"//{request.host}").hostname not in page().hosts:
        abort(400)
    if request.endpoint == "static":
        return None
    token = request.cookies.get(SESSION_COOKIE, "")
    found = page().sign_ins.find(Purpose.SESSION, token, page().now()) if token else None
    g.person = found.person if found else None
    g.session = token if found else None
    g.visit = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(32)
    if request.endpoint is not None and request.endpoint not in _OPEN and found is None:
        return redirect(url_for("signing_in.sign_in"), 303)
    if request.method == "POST":
        _require_our_form()
    elif request.method not in ("GET", "HEAD"):
        abort(405)
    return None


def _require_our_form() -> None:
    sent = request.form.get("csrf", "")
    if not hmac.compare_digest(sent.encode(), csrf_token().encode()):
        raise OldForm
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise OldForm


def _after(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if request.endpoint == "static" and response.status_code < 400:
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Cookie"
    if request.endpoint in _OPEN and g.get("visit") and not g.get("session") and not g.get("signed_in"):
        _set_cookie(response, VISIT_COOKIE, g.visit, 3600)
    return response


def _set_cookie(response: AnyResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=page().path or "/",
        secure=page().https,
        httponly=True,
        samesite="Lax",
    )
