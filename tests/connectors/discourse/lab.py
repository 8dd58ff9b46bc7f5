"""Every verb on the stand-in, and what can happen to it there (see `tests.connectors.cells`)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar

from ordito.connectors import actions as verbs
from ordito.connectors.actions import Action
from ordito.connectors.base import Connector, Family, Receipt
from ordito.connectors.discourse.acting import marked
from ordito.connectors.records import Kind
from tests.connectors.discourse.site import SITE, DiscourseSite
from tests.connectors.matrix import ANSWER, MARKER, SUBJECT, TEXT, TITLE, WORDS
from tests.servers.discourse import DiscourseServer, people
from tests.servers.discourse.records import Badge, Post
from tests.servers.discourse.text import squeeze

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_BLOCKED = "beginners"


class DiscourseLab:
    """A topic of one member, answered by another; a newcomer; a moderator who changes things."""

    family: ClassVar[Family] = "forum"
    changes: ClassVar[dict[str, frozenset[str]]] = {
        "send_message": frozenset({"received"}),
        "reply": frozenset({"replies"}),
        "open_thread": frozenset({"opened"}),
        "edit_text": frozenset({"first"}),
        "set_labels": frozenset({"labels"}),
        "close_thread": frozenset({"closed"}),
        "reopen_thread": frozenset({"closed"}),
        "archive_thread": frozenset({"archived"}),
        "unarchive_thread": frozenset({"archived"}),
        "unlist_thread": frozenset({"visible"}),
        "list_thread": frozenset({"visible"}),
        "move_thread": frozenset({"space"}),
        "add_to_group": frozenset({"groups"}),
        "remove_from_group": frozenset({"groups"}),
        "grant_badge": frozenset({"badges"}),
        "revoke_badge": frozenset({"badges"}),
        "set_title": frozenset({"honour"}),
        "notify_moderators": frozenset({"notices"}),
    }

    def __init__(self, server: DiscourseServer) -> None:
        self.server = server
        self.site = DiscourseSite(server)
        self.forum = server.forum
        self.boss = server.as_user("boss")
        self.topic = self.forum.topics[
            int(self.site.open(self.site.join("asker"), "Frames of a smaller size", TEXT, ["bees"]))
        ]
        self.thread = str(self.topic.id)
        self.site.contribute(self.site.join("answerer"), self.thread, ANSWER)
        self.member = self.site.join("newcomer")
        self.user = self.forum.users[int(self.member)]
        self.forum.tag("honey")
        server.clock.advance(600)

    def connect(self) -> Connector:
        return self.site.connect()

    def now(self) -> Any:
        return self.server.clock()

    def look(self) -> dict[str, Any]:
        topic, there = self.topic, [t for t in self.forum.topics.values() if t.deleted_at is None]
        first, *replies = self.site.texts(self.thread)
        return {
            "title": topic.title, "space": topic.category_id, "closed": topic.closed,
            "visible": topic.visible, "archived": topic.archived, "labels": sorted(topic.tags),
            "first": first, "replies": replies, "received": list(self.site.received(self.member)),
            "groups": self.site.groups_of(self.member), "badges": self.site.badges_of(self.member),
            "honour": self.user.title or "",
            "opened": [self.site.texts(str(t.id)) for t in there if t.title == TITLE],
            "notices": [self.site.texts(str(t.id)) for t in there if t.allowed_groups],
        }  # fmt: skip

    # --- the actions

    def act_send_message(self) -> Action:
        return verbs.SendMessage(site=SITE, to=(self.member,), subject=SUBJECT, text=WORDS)

    def act_reply(self) -> Action:
        return verbs.Reply(site=SITE, thread=self.thread, text=WORDS)

    def act_open_thread(self) -> Action:
        return verbs.OpenThread(site=SITE, title=TITLE, text=WORDS, space=str(self.site.category.id))

    def act_notify_moderators(self) -> Action:
        return verbs.NotifyModerators(site=SITE, subject=SUBJECT, text=WORDS, about=self.thread)

    def act_edit_text(self) -> Action:
        return verbs.EditText(site=SITE, thread=self.thread, text=f"{TEXT}\n\n{WORDS}", expected=TEXT)

    def act_set_labels(self) -> Action:
        return verbs.SetLabels(site=SITE, thread=self.thread, add=("honey",), remove=("bees",))

    def act_close_thread(self) -> Action:
        return verbs.CloseThread(site=SITE, thread=self.thread)

    def act_reopen_thread(self) -> Action:
        return self._from("closed", True, verbs.ReopenThread(site=SITE, thread=self.thread))

    def act_archive_thread(self) -> Action:
        return verbs.ArchiveThread(site=SITE, thread=self.thread)

    def act_unarchive_thread(self) -> Action:
        return self._from("archived", True, verbs.UnarchiveThread(site=SITE, thread=self.thread))

    def act_unlist_thread(self) -> Action:
        return verbs.UnlistThread(site=SITE, thread=self.thread)

    def act_list_thread(self) -> Action:
        return self._from("visible", False, verbs.ListThread(site=SITE, thread=self.thread))

    def act_move_thread(self) -> Action:
        return verbs.MoveThread(site=SITE, thread=self.thread, space=self.site.other_space)

    def act_add_to_group(self) -> Action:
        return verbs.AddToGroup(site=SITE, member=self.member, group=self.site.group)

    def act_remove_from_group(self) -> Action:
        self.site.put_into_group(self.site.moderator(), self.member, self.site.group)
        self.server.clock.advance(600)
        return verbs.RemoveFromGroup(site=SITE, member=self.member, group=self.site.group)

    def act_grant_badge(self) -> Action:
        return verbs.GrantBadge(site=SITE, member=self.member, badge=self.site.badge)

    def act_revoke_badge(self) -> Action:
        self._grant()
        return verbs.RevokeBadge(site=SITE, member=self.member, badge=self.site.badge)

    def act_set_title(self) -> Action:
        return verbs.SetTitle(site=SITE, member=self.member, title="Beekeeper")

    def _from(self, state: str, on: bool, action: Action) -> Action:
        """The topic is in this state since long."""
        self.boss.set_state(self.topic, state, on)
        self.server.clock.advance(600)
        return action

    @property
    def _badge(self) -> Badge:
        return next(each for each in self.forum.badges.values() if each.name == self.site.badge)

    def _grant(self) -> None:
        people.grant(self.forum, self.boss.user, self._badge, self.user)

    def _revoke(self) -> None:
        for held in [each for each in self.forum.grants.values() if each.user_id == self.user.id]:
            people.revoke(self.forum, self.boss.user, held)

    # --- somebody changes what was done

    def _made(self, receipt: Receipt) -> Post:
        number = next(ref.id for ref in receipt.made if ref.kind == Kind.CONTRIBUTION)
        return self.forum.posts[int(number)]

    def _edit(self, receipt: Receipt) -> None:
        self.server.clock.advance(60)
        self.boss.edit(self._made(receipt), f"{WORDS} Edited by a moderator.")

    disturb_send_message = disturb_reply = disturb_open_thread = disturb_notify_moderators = _edit

    def disturb_edit_text(self, receipt: Receipt) -> None:
        """Brought back by somebody in the meantime, as the history of the post lets them."""
        self.site.rewrite(self.site.moderator(), self.thread, TEXT)

    def disturb_set_labels(self, receipt: Receipt) -> None:
        self.boss.tag(self.topic, "bees")

    def _flip(self, state: str) -> None:
        self.boss.set_state(self.topic, state, not getattr(self.topic, state))

    def disturb_close_thread(self, _: object) -> None:
        self._flip("closed")

    def disturb_archive_thread(self, _: object) -> None:
        self._flip("archived")

    def disturb_unlist_thread(self, _: object) -> None:
        self._flip("visible")

    disturb_reopen_thread = disturb_close_thread
    disturb_unarchive_thread = disturb_archive_thread
    disturb_list_thread = disturb_unlist_thread

    def disturb_move_thread(self, receipt: Receipt) -> None:
        self.boss.move(self.topic, 2)

    def disturb_add_to_group(self, _: object) -> None:
        self.site.take_from_group(self.site.moderator(), self.member, self.site.group)

    def disturb_remove_from_group(self, _: object) -> None:
        self.site.put_into_group(self.site.moderator(), self.member, self.site.group)

    def disturb_grant_badge(self, _: object) -> None:
        self._revoke()

    def disturb_revoke_badge(self, _: object) -> None:
        self._grant()

    def disturb_set_title(self, receipt: Receipt) -> None:
        self.user.title = "Queen"

    # --- somebody deletes what was written, or what it was done to

    def remove_reply(self, receipt: Receipt) -> None:
        self.boss.delete(self._made(receipt))

    def _delete_topic(self, receipt: Receipt) -> None:
        self.boss.delete(self.forum.topics[self._made(receipt).topic_id])

    remove_send_message = remove_open_thread = remove_notify_moderators = _delete_topic

    def _delete_thread(self, receipt: Receipt) -> None:
        self.boss.delete(self.topic)

    remove_edit_text = remove_set_labels = remove_move_thread = _delete_thread
    remove_close_thread = remove_reopen_thread = _delete_thread
    remove_archive_thread = remove_unarchive_thread = _delete_thread
    remove_unlist_thread = remove_list_thread = _delete_thread

    # --- somebody else brings the same about

    def other_edit_text(self, action: Action) -> None:
        self.site.rewrite(self.site.moderator(), self.thread, f"{TEXT}\n\n{WORDS}")

    def other_set_labels(self, action: Action) -> None:
        self.boss.tag(self.topic, "honey")

    other_close_thread = other_reopen_thread = disturb_close_thread
    other_archive_thread = other_unarchive_thread = disturb_archive_thread
    other_unlist_thread = other_list_thread = disturb_unlist_thread

    def other_move_thread(self, action: Action) -> None:
        self.boss.move(self.topic, int(self.site.other_space))

    other_add_to_group = disturb_remove_from_group
    other_remove_from_group = disturb_add_to_group
    other_grant_badge = disturb_revoke_badge
    other_revoke_badge = disturb_grant_badge

    def other_set_title(self, action: Action) -> None:
        self.user.title = "Beekeeper"

    # --- a right is missing

    def _demote(self, action: Action) -> None:
        self.site.demote()

    forbid_edit_text = forbid_set_labels = forbid_move_thread = _demote
    forbid_close_thread = forbid_reopen_thread = _demote
    forbid_archive_thread = forbid_unarchive_thread = _demote
    forbid_unlist_thread = forbid_list_thread = _demote
    forbid_add_to_group = forbid_remove_from_group = _demote
    forbid_grant_badge = forbid_revoke_badge = forbid_set_title = _demote
    forbid_notify_moderators = _demote

    def forbid_send_message(self, action: Action) -> None:
        """A silenced account writes nothing."""
        self.site.demote()
        self.site.us.silenced_till = self.now().replace(year=self.now().year + 1)

    forbid_reply = forbid_send_message

    def forbid_open_thread(self, action: Action) -> None:
        """Only staff may see this category, let alone write there."""
        self.site.demote()
        self.site.category.readers = frozenset({"staff"})

    # --- a filter stands against it

    def _word(self, action: Action) -> None:
        """A word that the moderators watch, and block."""
        self._as_a_member()
        self.forum.settings.blocked_words = frozenset({_BLOCKED})

    filter_send_message = filter_reply = filter_open_thread = filter_notify_moderators = _word

    def filter_edit_text(self, action: Action) -> Action:
        assert isinstance(action, verbs.EditText)
        return replace(action, text="No")  # too short

    def filter_set_labels(self, action: Action) -> None:
        self.forum.settings.refused_tags = frozenset({"honey"})

    def filter_move_thread(self, action: Action) -> None:
        self._answer(422, {"errors": ["You must include at least one tag from Bees."]})

    def filter_add_to_group(self, action: Action) -> Action:
        return verbs.AddToGroup(site=SITE, member=self.member, group="trust_level_4")

    def filter_remove_from_group(self, action: Action) -> Action:
        return verbs.RemoveFromGroup(site=SITE, member=self.member, group="trust_level_1")

    def filter_grant_badge(self, action: Action) -> None:
        self._badge.system = True

    def filter_set_title(self, action: Action) -> None:
        """Newer versions take a title without a word, and drop it."""
        self._answer(200, {"success": "OK", "user": {"id": self.user.id, "title": None}})

    def _answer(self, status: int, body: dict[str, Any], method: str = "PUT", **more: str) -> None:
        told = {"status": status, "body": json.dumps(body), "headers": _JSON | more}
        self.server.faults.answer("", method=method, **told)

    def _as_a_member(self) -> None:
        """Staff are free of filters and limits; an account that may write to groups is a member as others."""
        self.site.demote()
        group = self.forum.group("moderators")
        assert group is not None
        group.messageable_level = 99

    # --- it was said already

    def repeat_reply(self, action: Action) -> None:
        """Our account has just written the same."""
        self._as_a_member()
        said = squeeze(marked(WORDS, MARKER))
        self.forum.recent_raw[self.site.us.id, said] = self.now()

    repeat_send_message = repeat_notify_moderators = repeat_reply

    def repeat_open_thread(self, action: Action) -> None:
        self.boss.topic(TITLE, f"{WORDS} Somebody else was first.", category=self.site.category)

    # --- too much of it

    def hasten_reply(self, action: Action) -> None:
        """The account has just written something: members wait some seconds, which the forum names."""
        self._as_a_member()
        now = int(self.now().timestamp())
        self.forum.last_made[self.site.us.id, "post"] = self.forum.last_made[self.site.us.id, "topic"] = now

    hasten_send_message = hasten_open_thread = hasten_notify_moderators = hasten_reply

    def _for_today(self, action: Action) -> None:
        """A limit for a day is not waited for."""
        told = {"errors": ["You’ve performed this action too many times."], "error_type": "rate_limit",
                "extras": {"wait_seconds": 30000}}  # fmt: skip
        for method in ("PUT", "POST", "DELETE"):
            self._answer(429, told, method, **{"Retry-After": "30000"})

    hasten_edit_text = hasten_set_labels = hasten_move_thread = _for_today
    hasten_close_thread = hasten_reopen_thread = _for_today
    hasten_archive_thread = hasten_unarchive_thread = _for_today
    hasten_unlist_thread = hasten_list_thread = _for_today
    hasten_add_to_group = hasten_remove_from_group = _for_today
    hasten_grant_badge = hasten_revoke_badge = hasten_set_title = _for_today

    # --- the forum's own moderators look first

    def _queue(self, action: Action) -> None:
        self.forum.settings.approve_all_posts = self.forum.settings.enqueue_staff_too = True

    queue_send_message = queue_reply = queue_open_thread = queue_notify_moderators = _queue

