"""The review page as a Flask application."""

from __future__ import annotations

import traceback

from flask import Flask, Response, g, make_response, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from ....config.errors import OrditoError, StoreError, TryLater, UsageError
from ...wording import remaining
from ..editing import editable
from ..show import ago
from ..verbs import UNDO_WORDS, undo_of
from . import decisions, guard, history, overview, proposals, rendering, signing_in
from .page import Page, page
from .rights import CannotAsk, NoRight

_LARGEST = 4 * 1024 * 1024  # bytes of a form: the text of a page of a wiki, twice over
_WORDS = {
    400: "That was not understood.",
    404: "There is nothing here.",
    405: "That cannot be done here.",
    413: "That is too long.",
}


def create(page: Page) -> Flask:
    """The application for one page."""
    flask = Flask(__name__, static_folder="static", template_folder="templates")
    flask.extensions["ordito"] = page
    flask.config["MAX_CONTENT_LENGTH"] = flask.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST
    flask.jinja_options = {
        "finalize": rendering.finalize,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    _prepare_templates(flask, page)
    guard.install(flask)
    for part in (proposals, decisions, signing_in, history, overview):
        flask.register_blueprint(part.views)
    flask.register_error_handler(HTTPException, _refused)
    flask.register_error_handler(OrditoError, _failed)
    flask.register_error_handler(Exception, _broken)
    return flask


def _prepare_templates(flask: Flask, page: Page) -> None:
    env, platforms = flask.jinja_env, page.app.platforms()
    env.filters.update(markdown=rendering.markdown, untouched=rendering.untouched, remaining=remaining)
    env.filters.update(wikitext=lambda text, site: rendering.wikitext(text, platforms[site]))
    env.tests.update(web=rendering.is_web, editable=editable)
    env.globals.update(changes=rendering.changes, csrf_token=guard.csrf_token)
    env.globals.update(undo_words=lambda each: UNDO_WORDS[undo_of(each.action, platforms.get(each.site))])
    env.globals.update(ago=lambda at: ago(at, page.now()), platforms=platforms)
    flask.context_processor(lambda: {"me": g.get("person"), "now": page.now()})


def _refused(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    if 300 <= code < 400:
        return "", 400
    return _sorry(_WORDS.get(code, "That did not work."), "", code), code


def _failed(error: OrditoError) -> Response:
    code = 409
    if isinstance(error, NoRight | guard.OldForm):
        code = 403
    elif isinstance(error, CannotAsk | StoreError | TryLater):
        code = 503
    elif isinstance(error, UsageError):
        code = 404 if request.method == "GET" else 400
    elif isinstance(error, signing_in.TooOften):
        code = 429
    response = make_response(_sorry(error.message, error.hint, code), code)
    if isinstance(error, NoRight):
        guard.end_session(response)
    return response


def _broken(error: Exception) -> tuple[str, int]:
    """A fault of ours: one line for whoever runs the page, and none of its details for anybody else."""
    out = page().app.out
    out.warn(f"ordito: {request.method} {request.path}: {type(error).__name__}: {error}")
    out.detail("".join(traceback.format_exception(error)))
    return _sorry("Something is wrong with this page.", "It is noted in the log of 'ordito serve'.", 500), 500


def _sorry(message: str, hint: str, code: int) -> str:
    return render_template("error.html", message=message, hint=hint, code=code)
