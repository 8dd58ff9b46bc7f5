"""The connector to one side of a sandbox: the protocol's methods, each passed to the part that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time
from pathlib import Path

from ...config.errors import ConnectorError, NotFound, Refused
from ..actions import (
    Action,
    AddToGroup,
    GrantBadge,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    Reply,
    RevokeBadge,
    SendMessage,
    SetTitle,
)
from ..base import (
    Aspect,
    Batch,
    Cursor,
    Finding,
    Found,
    Freshness,
    Health,
    Known,
    Marker,
    NotDone,
    Profile,
    Receipt,
    Standing,
    World,
)
from ..mediawiki.platform import ASPECTS as WIKI_ASPECTS
from ..mediawiki.wikitext import objection
from ..records import Kind, Ref
from .community import Sandbox
from .forum import ForumMember
from .forum_verbs import ForumVerbs
from .people import Sizes
from .platform import VERBS, SandboxPlatform
from .reading import BATCH, Reader
from .schema import FORUM, WIKI
from .settings import SandboxSettings
from .states import States, wishes
from .wiki import WikiMember, current_revision, full_title, incoming, page_titled
from .wiki_verbs import WikiVerbs

_ADMIN_VERBS: frozenset[type[Action]] = frozenset(
    {AddToGroup, RemoveFromGroup, GrantBadge, RevokeBadge, SetTitle}
)
_ASPECTS: tuple[Aspect, ...] = (
    "contributions", "edits", "deletions", "likes", "threads", "titles", "moves", "labels", "states",
    "solutions", "members", "renames", "roles", "groups", "trust levels", "member titles", "suspensions",
)  # fmt: skip
_MEMBER_VERBS: frozenset[type[Action]] = frozenset({SendMessage, Reply, OpenThread, NotifyModerators})


class SandboxConnector:
    """One side of a sandbox for the account `ordito`. The community is generated if its file is missing."""

    def __init__(self, site: str, settings: SandboxSettings, world: World) -> None:
        self.site = site
        self.verbs = VERBS[settings.side]
        self._side = settings.side
        self._language = settings.language or settings.languages[0]
        self._sandbox = _open(settings, world)
        account = self._sandbox.account(settings.side)
        self._ours: int = account["id"]
        since = None if settings.since is None else datetime.combine(settings.since, time.min, tzinfo=UTC)
        self._reader = Reader(self._sandbox, site, settings.side, messages=settings.messages, since=since)
        platform = SandboxPlatform(site, settings)
        actor = ForumMember(self._sandbox, self._ours) if settings.side == FORUM else None
        self._writer = WikiMember(self._sandbox, self._ours)
        self._states = States(self._sandbox, site, actor or self._writer)
        self._texts: ForumVerbs | WikiVerbs = (
            ForumVerbs(self._sandbox, platform, actor)
            if actor
            else WikiVerbs(self._sandbox, platform, self._writer)
        )

    def probe(self) -> Health:
        account = self._sandbox.member(self._side, self._ours)
        counts = self._reader.counts()
        can = frozenset(verb for verb in self.verbs if self._allows(verb))
        findings = [Finding("ok", f"Signed in as {account['username']}.")]
        if can != self.verbs:
            missing = ", ".join(sorted(verb.__name__ for verb in self.verbs - can))
            findings.append(
                Finding("warning", f"The account may not do: {missing}.", "Make it an administrator.")
            )
        return Health(
            account=account["username"], account_id=str(account["id"]), version="sandbox 1", can=can,
            counts=counts, requests=6 + sum(counts.values()) // BATCH, groups=self._names("usergroup"),
            badges=self._names("badge") if self._side == FORUM else None,
            read_only=self._sandbox.read_only, language=self._language, findings=tuple(findings),
        )  # fmt: skip

    def _allows(self, verb: type[Action]) -> bool:
        if self._side == WIKI:
            return verb not in _ADMIN_VERBS or self._writer.has_right("bureaucrat")
        account = self._sandbox.member(FORUM, self._ours)
        if verb in _MEMBER_VERBS:
            return True
        return bool(account["admin"] or (account["moderator"] and verb not in _ADMIN_VERBS))

    def _names(self, table: str) -> frozenset[str]:
        if table == "badge":
            return frozenset(row["name"] for row in self._sandbox.rows("SELECT name FROM badge"))
        rows = self._sandbox.rows("SELECT name FROM usergroup WHERE side = ?", self._side)
        return frozenset(row["name"] for row in rows)

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        return self._reader.changes(cursor)

    def begins_anew(self, cursor: Cursor, known: Known) -> bool:
        return False

    def freshness(self, cursor: Cursor, synced_at: datetime) -> Sequence[Freshness]:
        aspects = _ASPECTS if self._side == FORUM else WIKI_ASPECTS
        return tuple(Freshness(aspect, synced_at) for aspect in aspects)

    def fetch(self, ref: Ref) -> Batch | None:
        return self._reader.fetch(ref)

    def profile(self, member: str) -> Profile:
        found = self._sandbox.member(self._side, member)
        if self._side == FORUM:
            if found["accepts"]:
                return Profile(language=found["language"])
            return Profile(found["language"], False, "does not take private messages")
        page = page_titled(self._sandbox, f"User talk:{found['username']}")
        latest = current_revision(self._sandbox, page["id"]) if page else None
        against = objection(latest["text"], self._writer.username) if latest else ""
        return Profile(self._language, not against, against and f"has {against} on the talk page")

    def standing(self, threads: Sequence[str], links: int) -> Mapping[str, Standing]:
        found: dict[str, Standing] = {}
        for thread in threads:
            with suppress(NotFound):
                page = self._sandbox.thread(self._side, thread)
                count = incoming(self._sandbox, page["title"], links) if links else 0
                found[thread] = Standing(count, editable=True)
        return found

    def halted(self, stop: Ref | None) -> str:
        reason = "" if stop is None else self._objection_at(stop)
        return reason or ("" if self._side == FORUM else self._edit_of_our_talk_page())

    def _objection_at(self, stop: Ref) -> str:
        if stop.kind == "title":
            page = page_titled(self._sandbox, full_title(stop.id)) if self._side == WIKI else None
            latest = current_revision(self._sandbox, page["id"]) if page else None
            return f"There is text on the page {stop.id}." if latest and latest["text"].strip() else ""
        if stop.kind != Kind.THREAD:
            raise ConnectorError(
                f"'{stop}' cannot be a stop page.",
                where=self.site,
                hint="Name a topic or the title of a page.",
            )
        try:
            thread = self._sandbox.thread(self._side, stop.id)
        except NotFound:
            return ""
        reply = self._sandbox.row(
            "SELECT 1 FROM contribution WHERE side = ? AND thread = ? AND author != ? AND deleted_at IS NULL"
            " AND kind != 'small' AND (position IS NULL OR position > 1)",
            self._side, thread["id"], self._ours,
        )  # fmt: skip
        return f"Somebody replied in the stop topic {stop.id}." if reply else ""

    def _edit_of_our_talk_page(self) -> str:
        page = page_titled(self._sandbox, f"User talk:{self._writer.username}")
        latest = current_revision(self._sandbox, page["id"]) if page else None
        if latest is None or latest["author"] == self._ours or not latest["text"].strip():
            return ""
        title = f"User talk:{self._writer.username}"
        return f"Somebody edited {title}. Answer there from our account, or blank the page, to go on."

    def perform(self, action: Action, marker: Marker) -> Receipt:
        self._known_verb(action)
        wanted = wishes(action, self._side)
        if wanted is None:
            return self._texts.perform(action, marker)
        return self._states.perform(action.verb, wanted)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        self._known_verb(action)
        wanted = wishes(action, self._side)
        try:
            if wanted is None:
                return self._texts.find(action, marker, since)
            return self._states.find(action.verb, wanted, since)
        except NotFound:  # gone with all that was done to it: doing it again will be refused
            return NotDone()

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        if receipt.verb.startswith("undo_"):
            raise Refused(
                "An undo is not undone, only done again.", where=self.site, hint="Plan the action anew."
            )
        if "steps" in (receipt.after or {}):
            return self._states.undo(receipt)
        return self._texts.undo(receipt)

    def _known_verb(self, action: Action) -> None:
        if type(action) not in self.verbs:
            raise Refused(
                f"The {self._side} side of a sandbox cannot do '{action.verb}'.", where=self.site,
                hint="Use another verb in the policy.",
            )  # fmt: skip

    def statistics(self) -> Mapping[str, float]:
        return {"requests": self._reader.requests, "retries": 0, "waited": 0.0}

    def close(self) -> None:
        self._sandbox.close()


def _open(settings: SandboxSettings, world: World) -> Sandbox:
    path = Path(settings.file)
    if not path.exists():
        from .generate import generate

        generate(path, sizes(settings, world.now()))
    return Sandbox(path, world.now)


def sizes(settings: SandboxSettings, now: datetime) -> Sizes:
    """The community that the settings describe, its history ending at their `now`, else at `now`."""
    return Sizes(
        now=settings.now or now, seed=settings.seed, members=settings.members, threads=settings.threads,
        contributions=settings.contributions, languages=tuple(settings.languages),
    )  # fmt: skip
