"""Verbs that change no text: moving a page, and putting people into groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ....config.errors import Conflict, Forbidden, Refused
from ...actions import AddToGroup, MoveThread, RemoveFromGroup
from ...base import Marker
from ..client import Json
from ..people import People
from .editing import Editor, summary_of


@dataclass(frozen=True, slots=True)
class Change:
    """What was done. `ours` False: it was like that already, by whomever."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Moves:
    """The page keeps its number; its talk page goes with it, and a redirect stays at the old title."""

    editor: Editor

    def perform(self, action: MoveThread, marker: Marker) -> Change:
        page = self.editor.read(pageids=action.thread)
        if not action.title:
            raise Refused("no title is named to move to.", where=self.editor.site)
        after = {"page": page.id, "moved_to": action.title}
        if page.title == action.title.replace("_", " "):
            return Change(None, after, ours=False)
        self._move(page.id, action.title, summary_of("", marker))
        return Change({"title": page.title}, after)

    def find(self, action: MoveThread, marker: Marker, since: datetime) -> Change | None:
        row = self.editor.marked(self.editor.logged("move", since), marker)
        if row is None:
            return None
        after = {"page": int(action.thread), "moved_to": row["params"]["target_title"]}
        return Change({"title": row["title"]}, after)

    def undo(self, before: Json, after: Json, marker: Marker, since: datetime) -> None:
        page = self.editor.read(pageids=after["page"])
        if page.title != str(after["moved_to"]).replace("_", " "):
            if not self._is_undone(before, marker, since):
                raise Conflict(f"the page was moved on, to {page.title}.", where=self.editor.site)
            return
        tidy = "suppressredirect" in self.editor.client.wiki.rights
        self._move(page.id, before["title"], summary_of("", marker), noredirect=tidy)

    def _is_undone(self, before: Json, marker: Marker, since: datetime) -> bool:
        """Whether an earlier undo with this marker, whose answer was lost, moved the page back."""
        rows = self.editor.logged("move", since)
        back = (row for row in rows if row.get("params", {}).get("target_title") == before["title"])
        return self.editor.marked(back, marker) is not None

    def _move(self, page: int, title: str, reason: str, noredirect: bool = False) -> None:
        self.editor.client.write(
            "move", fromid=page, to=title, reason=reason, movetalk=True, noredirect=noredirect,
            watchlist="nochange",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rights:
    """Groups by userrights. The API calls it a success also where nothing was changed."""

    editor: Editor
    people: People

    def perform(self, action: AddToGroup | RemoveFromGroup, marker: Marker) -> Change:
        on = isinstance(action, AddToGroup)
        after = {"member": action.member, "group": action.group, "on": on}
        if (action.group in self._groups(action.member)) == on:
            return Change(None, after, ours=False)
        self._set(action.member, action.group, on, summary_of("", marker))
        return Change({"on": not on}, after)

    def find(
        self, action: AddToGroup | RemoveFromGroup, marker: Marker, since: datetime
    ) -> Change | None:
        if self.editor.marked(self.editor.logged("rights", since), marker) is None:
            return None
        on = isinstance(action, AddToGroup)
        return Change({"on": not on}, {"member": action.member, "group": action.group, "on": on})

    def undo(self, before: Json, after: Json, marker: Marker, since: datetime) -> None:
        member, group = str(after["member"]), str(after["group"])
        if (group in self._groups(member)) != after["on"] or not self._ours_is_last(member):
            if not self._is_undone(before, group, marker, since):
                raise Conflict("somebody changed the groups since.", where=self.editor.site)
            return
        self._set(member, group, bool(before["on"]), summary_of("", marker))

    def _is_undone(self, before: Json, group: str, marker: Marker, since: datetime) -> bool:
        """Whether an earlier undo with this marker, whose answer was lost, set the group as it was before."""
        rows = self.editor.logged("rights", since)
        back = (row for row in rows if _holds_after(row, group) == bool(before["on"]))
        return self.editor.marked(back, marker) is not None

    def _groups(self, member: str) -> frozenset[str]:
        answer = self.editor.client.query(list="users", ususerids=member, usprop="groups")
        users = answer["query"].get("users", [])
        return frozenset(users[0].get("groups", ())) if users else frozenset()

    def _ours_is_last(self, member: str) -> bool:
        rows = self.editor.client.query(
            list="logevents", letype="rights", letitle=f"User:{self.people.name(member)}", lelimit=1,
            leprop="ids|user",
        )["query"].get("logevents", [])  # fmt: skip
        return bool(rows) and rows[0].get("user") == self.editor.client.account()

    def _set(self, member: str, group: str, on: bool, reason: str) -> None:
        answer = self.editor.client.write(
            "userrights", token="userrights", userid=member, reason=reason,  # noqa: S106 - a token's kind
            **{"add" if on else "remove": group},
        )["userrights"]  # fmt: skip
        if group not in answer["added" if on else "removed"]:
            raise Forbidden(
                f"the account may not {'put anybody into' if on else 'take anybody from'} '{group}'.",
                where=self.editor.site,
                hint="Name the group in $wgAddGroups and $wgRemoveGroups for the account's own group.",
            )


def _holds_after(row: Json, group: str) -> bool:
    """Whether an entry of the rights log left its member in the group."""
    return group in (row.get("params", {}).get("newgroups") or ())
