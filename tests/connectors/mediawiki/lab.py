"""Every verb on a real MediaWiki, and what can happen to it there (see `tests.connectors.cells`)."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, ClassVar

from ordito.connectors import actions as verbs
from ordito.connectors.actions import Action
from ordito.connectors.base import Connector, Family, Receipt
from tests.connectors.matrix import ANSWER, SUBJECT, TEXT, TITLE, WORDS
from tests.connectors.mediawiki.contract_site import MediaWikiSite
from tests.connectors.mediawiki.site import SITE
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

PAGE, MOVED = "Frames of a smaller size", "Frames moved elsewhere"
NOTICES = "Project talk:Ordito"
_TEMPLATE = "{{Archived}}"


class MediaWikiLab:
    """A page of one member, to which another has added; a newcomer; a moderator who changes things."""

    family: ClassVar[Family] = "wiki"
    changes: ClassVar[dict[str, frozenset[str]]] = {
        "send_message": frozenset({"received"}),
        "reply": frozenset({"talk"}),
        "open_thread": frozenset({"opened"}),
        "edit_text": frozenset({"text"}),
        "set_labels": frozenset({"text", "labels"}),
        "archive_thread": frozenset({"text"}),
        "unarchive_thread": frozenset({"text"}),
        "move_thread": frozenset({"title"}),
        "add_to_group": frozenset({"groups"}),
        "remove_from_group": frozenset({"groups"}),
        "notify_moderators": frozenset({"notices"}),
    }

    def __init__(self, wiki: Wiki, people: dict[str, Client]) -> None:
        self.wiki = wiki
        self.site = MediaWikiSite(wiki, people)
        self.thread = self.site.open(self.site.join("Asker"), PAGE, TEXT, ["Bees"])
        self.site.contribute(self.site.join("Answerer"), self.thread, ANSWER)
        self.member = self.site.join("Newcomer")
        self.boss = people["Moderator"]

    def connect(self) -> Connector:
        return self.site.connect()

    def now(self) -> datetime:
        return self.site.now()

    def look(self) -> dict[str, Any]:
        there = self.site.truth().threads.get(self.thread)
        pages = {title: self._text(title) for title in (f"Talk:{PAGE}", TITLE, NOTICES)}
        return {
            "title": there.title if there else None,
            "labels": sorted(there.labels or ()) if there else None,
            "text": self.site.first_text(self.thread),
            "talk": pages[f"Talk:{PAGE}"],
            "opened": pages[TITLE],
            "notices": pages[NOTICES],
            "received": list(self.site.received(self.member)),
            "groups": self.site.groups_of(self.member),
        }

    def _text(self, title: str) -> str:
        spaces = {"Talk": 1, "Project talk": 5}
        prefix, colon, rest = title.partition(":")
        space, name = (spaces[prefix], rest) if colon else (0, title)
        where = "page_namespace = ? and page_title = ?"
        return self.site._text(where, space, name.replace(" ", "_")) or ""

    # --- the actions

    def act_send_message(self) -> Action:
        return verbs.SendMessage(site=SITE, to=(self.member,), subject=SUBJECT, text=WORDS)

    def act_reply(self) -> Action:
        return verbs.Reply(site=SITE, thread=self.thread, subject="Meetings", text=WORDS)

    def act_open_thread(self) -> Action:
        return verbs.OpenThread(site=SITE, title=TITLE, text=WORDS)

    def act_notify_moderators(self) -> Action:
        return verbs.NotifyModerators(
            site=SITE, subject=SUBJECT, text=WORDS, page=NOTICES, about=self.thread
        )

    def act_edit_text(self) -> Action:
        seen = self.site.first_text(self.thread)
        return verbs.EditText(site=SITE, thread=self.thread, text=f"{seen}\n\n{WORDS}", expected=seen)

    def act_set_labels(self) -> Action:
        return verbs.SetLabels(site=SITE, thread=self.thread, add=("Honey",), remove=("Bees",))

    def act_archive_thread(self) -> Action:
        return verbs.ArchiveThread(site=SITE, thread=self.thread, template=_TEMPLATE)

    def act_unarchive_thread(self) -> Action:
        self.other_archive_thread()
        return verbs.UnarchiveThread(site=SITE, thread=self.thread, template=_TEMPLATE)

    def act_move_thread(self) -> Action:
        return verbs.MoveThread(site=SITE, thread=self.thread, title=MOVED)

    def act_add_to_group(self) -> Action:
        return verbs.AddToGroup(site=SITE, member=self.member, group=self.site.group)

    def act_remove_from_group(self) -> Action:
        self.other_add_to_group()
        return verbs.RemoveFromGroup(site=SITE, member=self.member, group=self.site.group)

    # --- somebody changes what was done

    def disturb_send_message(self, _: object = None) -> None:
        """The newcomer answers below it."""
        self._append("User talk:Newcomer")

    def disturb_reply(self, _: object = None) -> None:
        self._append(f"Talk:{PAGE}")

    def disturb_notify_moderators(self, _: object = None) -> None:
        self._append(NOTICES)

    def disturb_open_thread(self, _: object = None) -> None:
        self._append(TITLE)

    def _append(self, title: str) -> None:
        self.boss.edit(title, f"{self.boss.text(title)}\n:Thank you for this. ~~~~")

    def disturb_edit_text(self, receipt: Receipt) -> None:
        """Brought back by somebody in the meantime, as the page's history lets them."""
        assert receipt.after is not None
        self.boss.post(action="edit", title=PAGE, undo=receipt.after["revision"])

    disturb_archive_thread = disturb_unarchive_thread = disturb_edit_text

    def disturb_set_labels(self, _: object = None) -> None:
        self.site.relabel(self.site.moderator(), self.thread, ["Bees"])

    def disturb_move_thread(self, _: object = None) -> None:
        self.site.retitle(self.site.moderator(), self.thread, "Frames moved by somebody else")

    def disturb_add_to_group(self, _: object = None) -> None:
        self.site.take_from_group(self.site.moderator(), self.member, self.site.group)

    def disturb_remove_from_group(self, _: object = None) -> None:
        self.site.put_into_group(self.site.moderator(), self.member, self.site.group)

    # --- somebody deletes the page

    def _delete(self, receipt: Receipt) -> None:
        assert receipt.after is not None
        self.site.delete_thread(self.site.moderator(), str(receipt.after["page"]))

    remove_send_message = remove_reply = remove_open_thread = remove_notify_moderators = _delete
    remove_edit_text = remove_set_labels = remove_move_thread = _delete
    remove_archive_thread = remove_unarchive_thread = _delete

    # --- somebody else brings the same about

    def other_edit_text(self, action: Action) -> None:
        assert isinstance(action, verbs.EditText)
        self.site.rewrite(self.site.moderator(), self.thread, action.text)

    def other_set_labels(self, _: object = None) -> None:
        self.site.relabel(self.site.moderator(), self.thread, ["Honey"])

    def other_archive_thread(self, _: object = None) -> None:
        text = self.site.first_text(self.thread)
        self.site.rewrite(self.site.moderator(), self.thread, f"{_TEMPLATE}\n{text}")

    def other_unarchive_thread(self, _: object = None) -> None:
        text = self.site.first_text(self.thread).removeprefix(f"{_TEMPLATE}\n")
        self.site.rewrite(self.site.moderator(), self.thread, text)

    def other_move_thread(self, _: object = None) -> None:
        self.site.retitle(self.site.moderator(), self.thread, MOVED)

    other_add_to_group = disturb_remove_from_group
    other_remove_from_group = disturb_add_to_group

    # --- a right is missing

    def _protect(self, title: str, what: str = "edit") -> None:
        self.boss.post(action="protect", title=title, protections=f"{what}=sysop", expiry="never")

    def forbid_edit_text(self, _: object = None) -> None:
        self._protect(PAGE)

    forbid_set_labels = forbid_archive_thread = forbid_unarchive_thread = forbid_edit_text

    def forbid_move_thread(self, _: object = None) -> None:
        self._protect(PAGE, "move")

    def forbid_send_message(self, _: object = None) -> None:
        self._protect("User talk:Newcomer", "create")

    def forbid_reply(self, _: object = None) -> None:
        self._protect(f"Talk:{PAGE}", "create")

    def forbid_open_thread(self, _: object = None) -> None:
        self._protect(TITLE, "create")

    def forbid_notify_moderators(self, _: object = None) -> None:
        self._protect(NOTICES, "create")

    def forbid_add_to_group(self, _: object = None) -> None:
        self.site.demote()

    forbid_remove_from_group = forbid_add_to_group

    # --- a filter stands against it

    def _abuse(self, _: object = None) -> None:
        """AbuseFilter refuses everything that our account edits or moves."""
        self.wiki.switch(extensions=["AbuseFilter"])
        abuse_filter(self.wiki, 'user_name == "Ordito"')

    filter_send_message = filter_reply = filter_open_thread = filter_notify_moderators = _abuse
    filter_edit_text = filter_set_labels = filter_move_thread = _abuse
    filter_archive_thread = filter_unarchive_thread = _abuse

    # --- too much of it

    def _limit(self, _: object = None) -> None:
        """A minute's worth of edits and moves is used up, for accounts without `noratelimit`."""
        self.site.demote()
        none = {"user": [0, 60], "newbie": [0, 60]}
        self.wiki.switch(wgRateLimits={"edit": none, "move": none, "create": none})

    hasten_send_message = hasten_reply = hasten_open_thread = hasten_notify_moderators = _limit
    hasten_edit_text = hasten_set_labels = hasten_move_thread = _limit
    hasten_archive_thread = hasten_unarchive_thread = _limit


def abuse_filter(wiki: Wiki, pattern: str, actions: str = "disallow") -> None:
    """A filter with this pattern, which needs the extension."""
    row: dict[str, Any] = {
        "af_id": 1, "af_pattern": pattern, "af_timestamp": "20200101000000", "af_user": 1,
        "af_user_text": "Admin", "af_actor": 1, "af_enabled": 1, "af_public_comments": "no robots",
        "af_comments": "", "af_hidden": 0, "af_hit_count": 0, "af_throttled": 0, "af_deleted": 0,
        "af_actions": actions, "af_global": 0, "af_group": "default",
    }  # fmt: skip
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        columns = [column[1] for column in db.execute("pragma table_info(abuse_filter)")]
        row = {key: value for key, value in row.items() if key in columns}
        marks = ",".join("?" * len(row))
        db.execute(f"insert into abuse_filter ({','.join(row)}) values ({marks})", list(row.values()))
        db.execute("insert into abuse_filter_action values (1, ?, '')", (actions,))
