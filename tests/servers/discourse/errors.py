"""Refusals in the forms that Discourse gives them."""

from __future__ import annotations

from typing import Any

NOT_FOUND = "The requested URL or resource could not be found."
FORBIDDEN = "You are not permitted to view the requested resource."
BAD_KEY = "You are not permitted to view the requested resource. The API username or key is invalid."
GONE_WRONG = (
    "Something has gone wrong. Perhaps this topic was closed or deleted while you were looking at it?"
)


class Refused(Exception):
    """An answer that is not a success; `body` is sent as JSON, or as text where it is a string."""

    def __init__(self, status: int, body: Any, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.route = ""  # the controller that refused, known to the dispatcher


def errors(status: int, *texts: str, error_type: str | None = None, **extras: Any) -> Refused:
    body: dict[str, Any] = {"errors": list(texts)}
    if error_type:
        body["error_type"] = error_type
    if extras:
        body["extras"] = extras
    return Refused(status, body)


def not_found() -> Refused:
    return errors(404, NOT_FOUND, error_type="not_found")


def forbidden(text: str = FORBIDDEN) -> Refused:
    return errors(403, text, error_type="invalid_access")


def invalid(parameter: str) -> Refused:
    text = f"You supplied invalid parameters to the request: {parameter}"
    return errors(400, text, error_type="invalid_parameters")


def missing(parameter: str) -> Refused:
    return errors(400, f"param is missing or the value is empty: {parameter}")


def failed(status: int, message: str | None = None) -> Refused:
    body = {"failed": "FAILED"}
    if message is not None:
        body["message"] = message
    return Refused(status, body)


def sql_refused(message: str) -> Refused:
    """Data Explorer's own form."""
    return Refused(422, {"success": False, "errors": [message]})


class Crash(Refused):
    """An error in the server itself: no controller's headers, a body of its own."""


def crash() -> Crash:
    return Crash(500, {"status": 500, "error": "Internal Server Error"})


class Unprocessable(Refused):
    """Validation errors, 422; creating a post wraps them once more."""

    def __init__(self, *texts: str) -> None:
        super().__init__(422, {"errors": list(texts)})
        self.texts = list(texts)
