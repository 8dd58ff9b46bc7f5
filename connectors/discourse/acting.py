"""What all verbs share: the account, the item as it is now, markers and receipts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ...config.errors import Conflict, NotFound, ReadOnly, Refused
from ..actions import Action
from ..base import Found, Marker, Receipt, World
from ..records import Kind, Ref
from . import mapping
from .client import Client, Json

SKEW = timedelta(minutes=5)
"""The forum's clock and ours may differ by so much when we look for what we have done."""

_LAST_LINE = re.compile(r"<!-- ordito: ([a-z0-9-]+) -->")


@dataclass(frozen=True)
class Acting:
    """One site and our account on it."""

    site: str
    client: Client
    world: World

    # --- items

    def topic(self, number: str, **params: Any) -> Json:
        """A topic's view. Raises NotFound for a deleted one as well, ReadOnly if nothing can be written."""
        view = self.client.get(f"/t/{number}.json", **params)
        if view.get("deleted_at"):
            raise NotFound("the topic is deleted.", where=self.site)
        self.check_writable()
        return view

    def post(self, number: str) -> Json:
        """A post with `raw`. Raises NotFound for a deleted one as well, ReadOnly as above."""
        post: Json = self.client.post_by_id(number)
        if post.get("deleted_at") or post.get("user_deleted"):
            raise NotFound("the post is deleted.", where=self.site)
        self.check_writable()
        return post

    def usernames(self, ids: tuple[str, ...]) -> list[str]:
        """Today's names of these members. Raises NotFound if one of them does not exist."""
        found: dict[str, str] = {}
        for start in range(0, len(ids), 50):
            answer = self.client.get("/user-cards.json", user_ids=",".join(ids[start : start + 50]))
            found.update((str(user["id"]), str(user["username"])) for user in answer.get("users") or ())
        missing = [number for number in ids if number not in found]
        if missing:
            raise NotFound(f"there is no member {missing[0]}.", where=self.site)
        self.check_writable()
        return [found[number] for number in ids]

    def member(self, number: str) -> Json:
        """A member's profile as our account sees it. Raises NotFound."""
        name = self.usernames((number,))[0]
        user: Json = self.client.get(f"/u/{name}.json", skip_track_visit="true")["user"]
        return user

    def check_writable(self) -> None:
        """Raises ReadOnly if the last answer said that the forum takes no writes."""
        if self.client.read_only:
            raise ReadOnly(
                "the forum is read-only at the moment.", where=self.site, hint="The next run tries again."
            )

    # --- receipts

    def receipt(
        self,
        verb: str,
        *,
        made: tuple[Ref, ...] = (),
        url: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        attribution: Literal["ours", "unknown"] = "ours",
        pending: bool = False,
        at: datetime | None = None,
    ) -> Receipt:
        return Receipt(
            site=self.site,
            verb=verb,
            at=at or self.world.now(),
            made=made,
            url=url,
            before=before,
            after=after,
            attribution=attribution,
            pending=pending,
        )

    def created(self, verb: str, post: Json, *, opened: bool) -> Receipt:
        """The receipt of a new post, which `opened` a topic or did not. A queued one has no id yet;
        moderators of the forum will see it."""
        if post.get("action") == "enqueued" or "id" not in post:
            return self.receipt(verb, pending=True)
        made = [self.ref(Kind.CONTRIBUTION, post["id"])]
        if opened:
            made.append(self.ref(Kind.THREAD, post["topic_id"]))
        return self.receipt(
            verb,
            made=tuple(made),
            url=self.topic_url(post["topic_id"], post["post_number"]),
            before={},
            after={
                "post": str(post["id"]),
                "topic": str(post["topic_id"]) if opened else "",
                "sha1": sha1(post.get("raw")),
            },
            at=mapping.moment(post.get("created_at")),
        )

    def ref(self, kind: Kind, number: object) -> Ref:
        return Ref(self.site, kind, str(number))

    def topic_url(self, number: object, post: object = "") -> str:
        return f"{self.client.host}/t/{number}" + (f"/{post}" if post else "")

    def conflict(self, message: str) -> Conflict:
        return Conflict(message, where=self.site, hint="Look at the item, and decide again.")

    def refused(self, message: str, hint: str = "") -> Refused:
        return Refused(message, where=self.site, hint=hint)

    def is_ours(self, post: Json) -> bool:
        return str(post.get("user_id")) == self.client.me().id


def own_doing(receipt: Receipt) -> Mapping[str, Any]:
    """`after` of a receipt that may be undone. Raises Refused for one that was perhaps not our doing."""
    if receipt.pending:
        raise Refused(
            "the forum's moderators have not approved it yet.",
            where=receipt.site,
            hint="Reject it in the forum's review queue.",
        )
    if receipt.attribution != "ours" or receipt.after is None or receipt.before is None:
        raise Refused(
            "somebody else may have brought this about.", where=receipt.site, hint="Undo it by hand."
        )
    return receipt.after


Perform = Callable[[Acting, Any, Marker], Receipt]
Find = Callable[[Acting, Any, Marker, datetime], Found]
Undo = Callable[[Acting, Receipt, Marker], Receipt]


@dataclass(frozen=True, slots=True)
class Verb:
    """How one kind of action is done, found again and taken back."""

    action: type[Action]
    perform: Perform
    find: Find
    undo: Undo


def marked(text: str, marker: Marker) -> str:
    """The text with the marker as its last line, a comment that readers do not see."""
    return f"{text.rstrip()}\n\n<!-- ordito: {marker.token} -->"


def carries(raw: str | None, marker: Marker) -> bool:
    """Whether a text's last line is this marker. What else it quotes or contains does not count."""
    last = (raw or "").rstrip().rpartition("\n")[2].strip()
    match = _LAST_LINE.fullmatch(last)
    return match is not None and match[1] == marker.token


def sha1(text: str | None) -> str:
    """Recognises a text that nobody has changed since; not for secrecy."""
    return hashlib.sha1((text or "").rstrip().encode(), usedforsecurity=False).hexdigest()


def recent(rows: list[Json], since: datetime, key: str = "created_at") -> Iterator[Json]:
    """Those rows that are not older than `since`, as far as clocks can be trusted."""
    for row in rows:
        at = mapping.moment(row.get(key))
        if at is not None and at >= since - SKEW:
            yield row
