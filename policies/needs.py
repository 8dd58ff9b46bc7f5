"""What the policies need of a site: verbs, groups, badges, and message templates.

`needs` is registered per kind, below; `ordito check` compares it with what a site has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from ..connectors.actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    EditText,
    GrantBadge,
    Reply,
    SendMessage,
    SetLabels,
    SetTitle,
    UnlistThread,
)
from ..connectors.records import Ref
from .builtin.experts import Experts
from .builtin.rule import Rule
from .builtin.stale import Stale
from .builtin.welcome import Welcome
from .kind import Kind

_THEN: dict[str, type[Action]] = {
    "close": CloseThread, "archive": ArchiveThread, "unlist": UnlistThread, "label": SetLabels,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a policy needs on a site; `path` leads to the key that asks for it.

    `verb`, and with it the name of a `group` or `badge` (which may hold a placeholder such as `{area}`)
    or of a `message` template. `optional`: the policy does its work without it, if less well.
    """

    site: str
    path: tuple[str | int, ...]
    verb: type[Action] | None = None
    group: str = ""
    badge: str = ""
    message: str = ""
    optional: bool = False


@singledispatch
def needs(kind: Kind, site: str) -> Iterator[Need]:
    """What `kind` needs on one of the sites that it looks after. A kind that says nothing needs nothing."""
    yield from ()


@needs.register
def _(kind: Welcome, site: str) -> Iterator[Need]:
    send = kind.parameters.send
    yield Need(site, ("send",), SendMessage, message=send.message)
    for group in send.with_:
        yield Need(site, ("send", "with"), group=group, optional=True)


@needs.register
def _(kind: Stale, site: str) -> Iterator[Need]:
    given = kind.parameters
    if given.warn is not None:
        yield Need(site, ("warn",), Reply, message=given.warn.message)
    for number, step in enumerate(given.then):
        yield Need(site, ("then", number), _THEN[step])
    if given.tell is not None and kind.tools.platforms[site].family == "wiki":
        yield Need(site, ("tell",), SendMessage, message=given.tell.message)


@needs.register
def _(kind: Experts, site: str) -> Iterator[Need]:
    given, give = kind.parameters, kind.parameters.give
    forum = kind.tools.platforms[site].family == "forum"
    if give.group and forum:
        yield Need(site, ("give", "group"), AddToGroup, group=give.group)
    if give.badge and forum:
        yield Need(site, ("give", "badge"), GrantBadge, badge=give.badge)
    if give.title and forum:
        yield Need(site, ("give", "title"), SetTitle)
    if given.consent == "ask" and (give.title or give.directory):
        yield Need(site, ("consent",), SendMessage, message="expert-consent")
    if give.directory:
        page = Ref.parse(give.directory)
        yield Need(page.site, ("give", "directory"), EditText, message="directory")


@needs.register
def _(kind: Rule, site: str) -> Iterator[Need]:
    for number, doing in enumerate(kind.parameters.doings):
        given = doing.given
        yield Need(
            site,
            ("do", number, doing.verb),
            doing.kind,
            group=str(given.get("group", "")),
            badge=str(given.get("badge", "")),
            message=doing.message or "",
        )
