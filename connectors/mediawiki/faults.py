"""MediaWiki's error codes, as errors of `config.errors`.

The codes are those of https://www.mediawiki.org/wiki/API:Errors_and_warnings and of the extensions
SpamBlacklist, TitleBlacklist, AbuseFilter and ConfirmEdit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ReadOnly,
    Refused,
    SignInFailed,
    Unreachable,
)

_CONFLICTS = frozenset(
    {"editconflict", "articleexists", "pagedeleted", "alreadyrolled", "selfmove",
     "undofailure"}
)  # fmt: skip
_MISSING = frozenset(
    {"missingtitle", "nosuchpageid", "nosuchrevid", "nosuchsection", "nosuchuser", "nosuchuserid",
     "notarget", "missingcontent-pageid", "missingcontent-revid"}
)  # fmt: skip
_FILTERED = frozenset(
    {"spamblacklist", "captcha", "contenttoobig", "emptypage", "invalidtitle", "hookaborted", "badmd5",
     "pagecannotexist", "titleblacklist", "redirect-appendonly", "editfilter-warning", "spamdetected",
     "invalidsection", "badtags"}
)  # fmt: skip
_BLOCKED = frozenset({"blocked", "autoblocked", "systemblocked", "blockedfromemail"})
_FORBIDDEN = frozenset(
    {"permissiondenied", "readapidenied", "writeapidenied", "cascadeprotected", "noimageredirect",
     "cantmove-titleprotected", "immobilenamespace", "immobile-source-page", "immobile-target-page",
     "badaccess-groups", "badaccess-group0", "confirmemail", "customjsprotected", "customcssprotected",
     "customjsonprotected", "sitejsprotected", "sitecssprotected", "sitejsonprotected"}
)  # fmt: skip


class ContinueRefused(Misconfigured):
    """The wiki does not understand a `continue` that it gave: it was brought up to date since, say."""


def error_of(error: Mapping[str, Any], site: str, write: bool) -> ConnectorError:
    """What the API's `error` means for the caller.

    `write`: the request was meant to change something; a fault inside the server then leaves it open
    whether it did.
    """
    code = str(error.get("code", "unknown"))
    said = f"the wiki says {code}: {_one_line(error.get('info'))}"
    if code == "readonly":
        reason = _one_line(error.get("readonlyreason"))
        return ReadOnly(
            f"the wiki takes no edits at the moment{': ' + reason if reason else ''}.",
            where=site,
            hint="The next run tries again.",
        )
    if code in ("maxlag", "ratelimited"):
        what = "is lagging" if code == "maxlag" else "limits our pace"
        return RateLimited(f"the wiki {what}.", where=site, hint="The next run goes on.")
    if code in _CONFLICTS:
        return Conflict(said, where=site, hint="It will be planned anew from the page as it is now.")
    if code in _MISSING:
        return NotFound(said, where=site)
    if code in _FILTERED or code.startswith(("abusefilter", "titleblacklist")):
        return Filtered(said, where=site, hint="Do not send it again as it is; a person should look at it.")
    if _is_block(code):
        return Forbidden(f"our account is blocked: {said}", where=site, hint=_block_hint(error))
    if code in _FORBIDDEN or code.startswith(("protected", "cant")):
        return Forbidden(
            said, where=site, hint="Give the account the right, and the bot password the grant, or leave it."
        )
    if code in ("assertbotfailed", "assertanonfailed", "mwoauth-invalid-authorization"):
        return SignInFailed(said, where=site, hint="Check the account and its bot password.")
    if code in ("assertuserfailed", "assertnameduserfailed", "badtoken"):
        return SignInFailed(
            "the wiki forgets at once that we signed in.",
            where=site,
            hint="A proxy may strip cookies, or the wiki's store of sessions is full: ask its admins.",
        )
    if code.startswith("internal_api_error"):
        if write:
            return OutcomeUnknown(f"a write ended in a fault of the wiki: {code}.", where=site)
        return Unreachable(said, where=site, hint="The next run goes on where this one stopped.")
    if code == "badcontinue":
        return ContinueRefused(said, where=site, hint="`ordito sync --full` begins anew.")
    if write:
        return Refused(said, where=site)
    return Misconfigured(said, where=site, hint="Run `ordito check`.")


def _is_block(code: str) -> bool:
    return code in _BLOCKED or code.startswith("globalblocking")


def _block_hint(error: Mapping[str, Any]) -> str:
    info = error.get("blockinfo") or {}
    by, reason = _one_line(info.get("blockedby")), _one_line(info.get("blockreason"))
    why = f" ({by}: {reason})" if by else ""
    return f"Somebody wants this to stop{why}: ask them before anything else."


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())[:300]
