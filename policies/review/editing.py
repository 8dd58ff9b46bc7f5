"""The text of an action as a file that a reviewer edits, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...config.errors import UsageError
from ...connectors import actions as a
from ...connectors.actions import Action
from ...connectors.base import Platform

_Edited = a.SendMessage | a.Reply | a.OpenThread | a.EditText | a.NotifyModerators

_HEADERS = {"subject": "Subject", "summary": "Summary"}
"""Fields that stand above the text; an action has one of them at most."""


def editable(action: Action) -> bool:
    """Whether it posts a text that a reviewer may rewrite."""
    return isinstance(action, _Edited)


def as_file(action: Action) -> str:
    """`Subject: …` (where there is one), an empty line, the text. Raises UsageError without a text."""
    chosen = _require(action)
    return "".join(f"{label}: {getattr(chosen, name)}\n\n" for name, label in _present(chosen)) + chosen.text


def from_file(action: Action, content: str) -> Action:
    """The action with the text, and the headers that the file has. Raises UsageError for an empty text."""
    chosen = _require(action)
    rest = content.replace("\r\n", "\n")
    changes: dict[str, Any] = {}
    for name, label in _present(chosen):
        line, _, below = rest.partition("\n")
        if line.startswith(f"{label}:"):
            changes[name] = " ".join(line.removeprefix(f"{label}:").split())
            rest = below.removeprefix("\n")
    if not rest.strip():
        raise UsageError("The text is empty.", hint="Reject the proposal if nothing should be posted.")
    empty = [_HEADERS[name] for name, value in changes.items() if not value]
    if empty:
        raise UsageError(f"The line '{empty[0]}:' is empty.")
    ending = "\n" if chosen.text.endswith("\n") else ""
    return replace(chosen, text=rest.rstrip("\n") + ending, **changes)


def extension(platform: Platform | None) -> str:
    """By which an editor knows the markup."""
    return ".wiki" if platform is not None and platform.markup == "wikitext" else ".md"


def _require(action: Action) -> _Edited:
    if not isinstance(action, _Edited):
        raise UsageError("This proposal posts no text that could be edited.", hint="Approve it or reject it.")
    return action


def _present(action: _Edited) -> list[tuple[str, str]]:
    return [(name, label) for name, label in _HEADERS.items() if getattr(action, name, "")]
