"""The verbs that write text on the forum side: performed, found again by their marker, withdrawn."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...config.errors import Conflict, Refused
from ..actions import Action, EditText, NotifyModerators, OpenThread, Reply, SendMessage
from ..base import Found, Marker, NotDone, Receipt
from ..records import Kind, Ref
from .community import Sandbox
from .editing import edited, holds
from .forum import ForumMember
from .platform import SandboxPlatform
from .schema import FORUM, micros


class ForumVerbs:
    """Text verbs of our account on the forum side."""

    def __init__(self, sandbox: Sandbox, platform: SandboxPlatform, actor: ForumMember) -> None:
        self._sandbox, self._platform, self._actor = sandbox, platform, actor
        self._site = platform.site

    def perform(self, action: Action, marker: Marker) -> Receipt:
        match action:
            case SendMessage():
                thread = self._actor.write(action.to, action.subject, _signed(action.text, marker))
                return self._made(action.verb, self._first(thread))
            case NotifyModerators():
                group = self._sandbox.group_named(FORUM, action.group)
                members = self._sandbox.rows(
                    "SELECT member FROM membership WHERE side = 'forum' AND usergroup = ?", group["id"]
                )
                to = [str(row["member"]) for row in members]
                thread = self._actor.notify(to, action.subject, _signed(action.text, marker))
                return self._made(action.verb, self._first(thread))
            case OpenThread():
                text = _signed(action.text, marker)
                thread = self._actor.open(action.title, text, action.space, action.labels)
                return self._made(action.verb, self._first(thread))
            case Reply():
                post = self._actor.reply(
                    action.thread, _signed(action.text, marker), action.reply_to, bump=False
                )
                return self._made(action.verb, self._sandbox.contribution(FORUM, post))
            case EditText():
                return self._edit(action)
            case _:
                raise Refused(f"The forum side cannot do '{action.verb}'.", where=self._site)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        """Our posts that end with the marker, deleted ones too: they were written all the same."""
        if isinstance(action, EditText):
            return self._find_edit(action, since)
        post = self._sandbox.row(
            "SELECT * FROM contribution WHERE side = 'forum' AND author = ? AND created_at >= ?"
            " AND substr(text, -length(?)) = ? ORDER BY id LIMIT 1",
            self._actor.id, micros(since), _comment(marker), _comment(marker),
        )  # fmt: skip
        return NotDone() if post is None else self._made(action.verb, post)

    def undo(self, receipt: Receipt) -> Receipt:
        if receipt.verb == "edit_text":
            return self._restore(receipt)
        after = receipt.after or {}
        post = self._sandbox.contribution(FORUM, str(after.get("contribution", "")))
        others = post["position"] == 1 and self._sandbox.row(
            "SELECT 1 FROM contribution WHERE side = 'forum' AND thread = ? AND author != ?"
            " AND deleted_at IS NULL AND kind != 'small'",
            post["thread"], self._actor.id,
        )  # fmt: skip
        if post["text"] != after.get("text") or others:
            raise Conflict(
                "Somebody has edited it or replied to it since.", where=self._site,
                hint="Leave it, or take it back by hand.",
            )  # fmt: skip
        self._actor.delete(str(post["id"]))
        return Receipt(site=self._site, verb=f"undo_{receipt.verb}", at=self._sandbox.now(), before=after)

    # Parts

    def _first(self, thread: str) -> dict[str, Any]:
        found = self._sandbox.row(
            "SELECT * FROM contribution WHERE side = 'forum' AND thread = ? ORDER BY id LIMIT 1", int(thread)
        )
        assert found is not None  # noqa: S101 (a topic is made with its first post)
        return found

    def _made(self, verb: str, post: dict[str, Any]) -> Receipt:
        ref = Ref(self._site, Kind.CONTRIBUTION, str(post["id"]))
        made: tuple[Ref, ...] = (ref,)
        if post["position"] == 1:
            made = (Ref(self._site, Kind.THREAD, str(post["thread"])), ref)
        return Receipt(
            site=self._site, verb=verb, at=self._sandbox.now(), made=made, url=self._platform.url(ref),
            after={"contribution": ref.id, "text": post["text"]},
        )  # fmt: skip

    def _target(self, action: EditText) -> dict[str, Any]:
        if action.section is not None or (action.contribution is None and action.thread is None):
            raise Refused(
                "A forum has neither titled pages nor sections.", where=self._site, hint="Name a post."
            )
        if action.contribution is not None:
            return self._sandbox.contribution(FORUM, action.contribution)
        return self._first(str(self._sandbox.thread(FORUM, action.thread or "")["id"]))

    def _edit(self, action: EditText) -> Receipt:
        with self._sandbox.writing():
            post = self._target(action)
            new = edited(post["text"], action)
            entry = self._actor.edit(str(post["id"]), new)
        return self._edited(action.verb, post["id"], post["text"], new, entry)

    def _edited(self, verb: str, post: int, old: str, new: str, entry: int) -> Receipt:
        ref = Ref(self._site, Kind.CONTRIBUTION, str(post))
        return Receipt(
            site=self._site, verb=verb, at=self._sandbox.now(), url=self._platform.url(ref),
            before={"text": old}, after={"contribution": str(post), "text": new, "entry": entry},
        )  # fmt: skip

    def _find_edit(self, action: EditText, since: datetime) -> Found:
        """Our own edits of the post are in the journal, whatever others wrote after them."""
        post = self._target(action)
        entries = self._sandbox.rows(
            "SELECT * FROM journal WHERE side = 'forum' AND kind = 'contribution' AND item = ?"
            " AND field = 'text' AND by = ? AND at >= ? ORDER BY seq",
            post["id"], self._actor.id, micros(since),
        )  # fmt: skip
        ours = next((entry for entry in entries if holds(entry["value"], action)), None)
        if ours is None:
            return NotDone()
        return self._edited(action.verb, post["id"], ours["was"], ours["value"], ours["seq"])

    def _restore(self, receipt: Receipt) -> Receipt:
        after, before = receipt.after or {}, receipt.before or {}
        with self._sandbox.writing():
            post = self._sandbox.contribution(FORUM, str(after.get("contribution", "")))
            if post["text"] != after.get("text"):
                raise Conflict(
                    "Somebody has edited it since.",
                    where=self._site,
                    hint="Leave it, or take it back by hand.",
                )
            entry = self._actor.edit(str(post["id"]), str(before["text"]))
        return self._edited(f"undo_{receipt.verb}", post["id"], post["text"], str(before["text"]), entry)


def _comment(marker: Marker) -> str:
    return f"<!-- ordito: {marker.token} -->"


def _signed(text: str, marker: Marker) -> str:
    return f"{text.rstrip()}\n\n{_comment(marker)}"
