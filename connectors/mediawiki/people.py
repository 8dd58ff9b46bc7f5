"""What is asked of people before they are written to, and who may stop us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...config.errors import Misconfigured, NotFound
from ..base import Profile
from ..records import Kind, Ref
from .client import Client, Json
from .convert import Converter
from .fetch import current_text
from .wikitext import objection

_WIKITEXT = "wikitext"


@dataclass(frozen=True, slots=True)
class People:
    client: Client
    convert: Converter

    def name(self, member: str) -> str:
        """The name of an account by its id. Raises NotFound."""
        return str(self._user(member)["name"])

    def _user(self, member: str) -> Json:
        users: list[Json] = []
        if member.isdecimal():
            answer = self.client.query(list="users", ususerids=member, usprop="groups|blockinfo")
            users = answer["query"].get("users", [])
        if not users or users[0].get("missing"):
            raise NotFound(f"there is no user with the number {member}.", where=self.convert.site)
        return users[0]

    def profile(self, member: str) -> Profile:
        """The wiki's content language, and whether this person takes messages on the talk page."""
        user = self._user(member)
        language = self.convert.wiki.language
        reason = self._unfit(user) or self._talk(user["name"])
        return Profile(language=language, accepts=not reason, reason=reason)

    def _unfit(self, user: Json) -> str:
        record = self.convert.member(user)
        if record is None:
            return "excluded by the settings"
        if record.suspended_until is not None:
            return "blocked on the wiki"
        if record.bot:
            return "a bot"
        return "a temporary account" if record.staged else ""

    def _talk(self, name: str) -> str:
        query = self.client.query(
            titles=f"User talk:{name}",
            prop="info|revisions",
            rvprop="ids|content",
            rvslots="main",
            list="logevents",
            leaction="delete/delete",
            letitle=f"User talk:{name}",
            lelimit=1,
            leprop="ids|timestamp",
        )["query"]
        page = query["pages"][0]
        if page.get("contentmodel", _WIKITEXT) != _WIKITEXT:  # a board of StructuredDiscussions, for example
            return "the talk page is not made of wikitext"
        if page.get("missing"):
            return "the talk page was deleted" if query.get("logevents") else ""
        if page.get("redirect"):
            return "the talk page is a redirect"
        template = objection(current_text(page), self.client.account())
        return f"{template} on the talk page" if template else ""

    def halted(self, stop: Ref | None) -> str:
        """Text on the stop page, or on our own talk page where somebody else was the last to edit. Raises
        Misconfigured where no page can have the title of the stop page."""
        talk = f"User talk:{self.client.account()}"
        which: list[dict[str, Any]] = [{"titles": [talk]}]
        if stop is not None and stop.kind == "title":
            which = [{"titles": [talk, stop.id]}]
        elif stop is not None and stop.kind == Kind.THREAD:
            which.append({"pageids": stop.id})
        for asked in which:
            query = self.client.query(
                **asked, prop="info|revisions", rvprop="ids|user|content", rvslots="main"
            )["query"]
            pages = query.get("pages", [])
            if query.get("interwiki") or any(page.get("invalid") or page.get("special") for page in pages):
                raise Misconfigured(
                    f"no page of this wiki can be called {stop.id if stop is not None else talk}.",
                    where=self.convert.site,
                    hint="Correct constitution.stop: nobody could stop us there.",
                )
            ours = {row["to"] for row in query.get("normalized", ()) if row["from"] == talk} | {talk}
            for page in pages:
                reason = self._halts(page, page.get("title") in ours)
                if reason:
                    return reason
        return ""

    def _halts(self, page: Json, ours: bool) -> str:
        if not current_text(page).strip():
            return ""
        title, user = page["title"], page["revisions"][0].get("user", "somebody")
        if not ours:
            return f"{title} has text on it. Blank the page to go on."
        if user == self.client.account():
            return ""
        return f"{user} edited {title}. Answer there from our account, or blank the page, to go on."
