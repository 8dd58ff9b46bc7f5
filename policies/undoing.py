"""What can be taken back of an action, in one word (the table of verbs in DESIGN §4)."""

from __future__ import annotations

from ..connectors.actions import Action
from ..connectors.base import Platform

_WITHDRAWN = frozenset({"send_message", "reply", "notify_moderators"})


def undo_of(action: Action, platform: Platform) -> str:
    """`yes`: the state before comes back. `withdraw`: the text goes, but notifications and mails have gone
    out. `no`: it stays, unless the account has a right that few have."""
    if action.verb in _WITHDRAWN:
        return "withdraw"
    if action.verb == "open_thread":
        return "withdraw" if platform.family == "forum" else "no"
    return "yes"
