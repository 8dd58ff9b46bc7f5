"""What is read of a member before a message, and never stored."""

from __future__ import annotations

from datetime import datetime

from ..base import Profile
from . import mapping
from .client import Json


def profile(user: Json, now: datetime) -> Profile:
    """From `/u/{username}.json`; the language and the settings are seen by staff only."""
    reason = refusal(user, now)
    language = str(user.get("locale") or "").replace("_", "-")
    return Profile(language=language, accepts=not reason, reason=reason)


def refusal(user: Json, now: datetime) -> str:
    """Why the member is not written to; '' if nothing stands against it."""
    if (user.get("user_option") or {}).get("allow_private_messages") is False:
        return "the member's settings allow no private messages"
    if user.get("can_send_private_message_to_user") is False:
        return "the forum does not let us write to this member"
    if user.get("staged"):
        return "the account was made by an e-mail and nobody signs in to it"
    for key, word in (("suspended_till", "suspended"), ("silenced_till", "silenced")):
        until = mapping.moment(user.get(key))
        if until is not None and until > now:
            return f"the account is {word} until {until:%Y-%m-%d}"
    return ""
