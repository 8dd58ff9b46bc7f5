"""What is shown of every verb on both platforms: a table with one test, or one reason, in every cell.

The rows are the verbs, the columns what can happen to an action. A lab (one for each platform) shows how: its
method `act_close_thread` gives the action, `disturb_close_thread` has somebody change what it brought about,
and so on. A cell whose method is missing needs an entry in `REASONS`; a test of the house sees to it.
"""

from __future__ import annotations

from typing import get_args

from ordito.connectors.actions import Action
from ordito.connectors.base import Family

VERBS: tuple[str, ...] = tuple(kind.__dataclass_fields__["verb"].default for kind in get_args(Action))
FAMILIES: tuple[Family, ...] = ("forum", "wiki")

COLUMNS = {
    "perform": "act",
    "find": "act",
    "undo": "act",
    "changed since": "disturb",
    "gone since": "remove",
    "attribution unknown": "other",
    "refused by rights": "forbid",
    "refused by a filter": "filter",
    "too similar": "repeat",
    "too fast": "hasten",
    "enqueued": "queue",
}
"""Each with the first word of the lab's methods that it needs."""

TEXTS = ("send_message", "reply", "open_thread", "notify_moderators")
"""Verbs that write something new."""
_SWITCHES = ("close_thread", "reopen_thread", "archive_thread", "unarchive_thread", "unlist_thread",
             "list_thread")  # fmt: skip
_STATES = (*_SWITCHES, "set_labels", "move_thread")
_PEOPLE = ("add_to_group", "remove_from_group", "grant_badge", "revoke_badge", "set_title")
NOT_ON_WIKIS = ("close_thread", "reopen_thread", "unlist_thread", "list_thread", "grant_badge",
                "revoke_badge", "set_title")  # fmt: skip

Cell = tuple[str, str, str]
"""Family, verb, column."""


def _reasons() -> dict[Cell, str]:
    found: dict[Cell, str] = {}

    def put(family: str, verbs: tuple[str, ...], column: str, reason: str) -> None:
        for verb in verbs:
            found.setdefault((family, verb, column), reason)

    for column in COLUMNS:
        put("wiki", NOT_ON_WIKIS, column, "wikis know no such thing; asked for it, the connector refuses")
    for family in FAMILIES:
        put(family, TEXTS, "attribution unknown", "a new text is recognised by its marker: it is ours or not")
        put(family, _PEOPLE, "gone since", "an account is not deleted; whoever leaves is anonymised")
        put(family, (*_STATES, *_PEOPLE), "too similar", "compares texts")
    put("forum", ("edit_text",), "too similar", "compares new posts")
    put("forum", _SWITCHES, "refused by a filter", "a switch carries nothing that a filter could judge")
    put("forum", ("revoke_badge",), "refused by a filter", "there is no rule about it beside the right")
    put("forum", ("edit_text", *_STATES, *_PEOPLE), "enqueued", "only new posts wait for approval")
    put("wiki", VERBS, "too similar", "MediaWiki has no such check; the same section twice is a conflict")
    put("wiki", VERBS, "enqueued", "MediaWiki has no queue of edits of its own")
    put("wiki", ("add_to_group", "remove_from_group"), "refused by a filter", "AbuseFilter sees no rights")
    put("wiki", ("add_to_group", "remove_from_group"), "too fast", "MediaWiki has no limit for rights")
    return found


REASONS = _reasons()
"""Why a cell has no test."""


def to_show(family: Family) -> list[tuple[str, str]]:
    """Verb and column of every cell of a platform that has no reason to be empty."""
    return [(v, c) for v in VERBS for c in COLUMNS if (family, v, c) not in REASONS]


def method_of(verb: str, column: str) -> str:
    """The lab's method that a cell needs beside `act_`."""
    return f"{COLUMNS[column]}_{verb}"
