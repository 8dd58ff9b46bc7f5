"""The contract's second half: what a connector does is done once, is found again, and is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from ordito.config.errors import Conflict, Filtered, Forbidden, OrditoError, ReadOnly, Refused
from ordito.connectors import actions as verbs
from ordito.connectors.actions import Action
from ordito.connectors.base import (
    Connector,
    Marker,
    NotDone,
    Receipt,
    receipt_from_json,
    receipt_to_json,
)
from ordito.connectors.records import Contribution, Kind, Ref
from tests.connectors.adapter import Site, Unsupported
from tests.connectors.reading import ANSWER, TEXT, attempt, connected

MARKER = Marker("welcome-7f3a", "welcome-newcomers, see Project:Ordito")
OTHER = Marker("welcome-0b1c", "welcome-newcomers, see Project:Ordito")
WORDS = "We meet on the first Thursday of the month, and beginners are always welcome there."
BLOCK = ("<!-- experts:begin -->", "<!-- experts:end -->")


@dataclass(frozen=True)
class Scene:
    """Where an action takes place: a thread of one member, answered by another, and a third member."""

    site: Site
    member: str
    thread: str
    post: str
    by: str

    @property
    def name(self) -> str:
        return self.site.name


def _edit(scene: Scene) -> Action:
    text = scene.site.first_text(scene.thread)
    return verbs.EditText(site=scene.name, text=f"{text}\n\n{WORDS}", expected=text, **_first(scene))


def _first(scene: Scene) -> dict[str, Any]:
    """The thread's first text as EditText names it."""
    if scene.site.family == "wiki":
        return {"thread": scene.thread}
    posts = [c for c in scene.site.truth().contributions.values() if c.thread == scene.thread]
    return {"contribution": next(c.id for c in posts if c.position == 1)}


def _archive(scene: Scene) -> Action:
    template = "{{Archived}}" if scene.site.family == "wiki" else ""
    return verbs.ArchiveThread(site=scene.name, thread=scene.thread, template=template)


def _move(scene: Scene) -> Action:
    if scene.site.family == "wiki":
        return verbs.MoveThread(site=scene.name, thread=scene.thread, title="Frames moved elsewhere")
    return verbs.MoveThread(site=scene.name, thread=scene.thread, space=scene.site.other_space)


ACTIONS: Mapping[str, Callable[[Scene], Action]] = {
    "send_message": lambda s: verbs.SendMessage(
        site=s.name, to=(s.member,), subject="Good to have you here", text=WORDS
    ),
    "reply": lambda s: verbs.Reply(site=s.name, thread=s.thread, subject="Meetings", text=WORDS),
    "open_thread": lambda s: verbs.OpenThread(site=s.name, title="Meetings of this month", text=WORDS),
    "edit_text": _edit,
    "set_labels": lambda s: verbs.SetLabels(site=s.name, thread=s.thread, add=("honey",), remove=("bees",)),
    "close_thread": lambda s: verbs.CloseThread(site=s.name, thread=s.thread),
    "archive_thread": _archive,
    "unlist_thread": lambda s: verbs.UnlistThread(site=s.name, thread=s.thread),
    "move_thread": _move,
    "add_to_group": lambda s: verbs.AddToGroup(site=s.name, member=s.member, group=s.site.group),
    "grant_badge": lambda s: verbs.GrantBadge(site=s.name, member=s.member, badge=s.site.badge),
    "set_title": lambda s: verbs.SetTitle(site=s.name, member=s.member, title="Beekeeper"),
    "notify_moderators": lambda s: verbs.NotifyModerators(
        site=s.name, subject="Please look at this", text=WORDS, page="Project talk:Ordito", about=s.thread
    ),
}
TEXTS = frozenset({"send_message", "reply", "open_thread", "notify_moderators"})
"""Verbs that write something new; the others change a state or a text."""
RESTRICTED = frozenset({"set_labels", "close_thread", "archive_thread", "unlist_thread", "add_to_group",
                        "grant_badge", "set_title"})  # fmt: skip
"""Verbs that need more than an ordinary member's rights on a forum; on a wiki only the memberships."""


def _disturb(scene: Scene, action: Action, receipt: Receipt, connector: Connector) -> None:
    """Somebody changes what the action brought about."""
    site, by = scene.site, scene.by
    match action:
        case verbs.SetLabels():
            site.relabel(by, scene.thread, ["bees"])
        case verbs.CloseThread():
            site.close(by, scene.thread, closed=False)
        case verbs.ArchiveThread() if site.family == "forum":
            site.archive(by, scene.thread, archived=False)
        case verbs.AddToGroup():
            site.take_from_group(by, scene.member, site.group)
        case verbs.MoveThread() if site.family == "wiki":
            site.retitle(by, scene.thread, "Frames moved by somebody else")
        case verbs.EditText() | verbs.ArchiveThread():
            site.rewrite(by, scene.thread, f"{TEXT} Written by somebody else.")
        case _ if action.verb in TEXTS:
            made = _contribution(receipt, connector)
            if site.family == "forum":
                site.edit(by, made.id, f"{WORDS} Edited by a moderator.")
            else:
                site.rewrite(by, made.thread, "Cleared by somebody else.")
        case _:
            raise Unsupported(f"disturb {action.verb}")


def _contribution(receipt: Receipt, connector: Connector) -> Contribution:
    ref = next(ref for ref in receipt.made if ref.kind == Kind.CONTRIBUTION)
    batch = connector.fetch(ref)
    assert batch is not None
    return next(r for r in batch.records if isinstance(r, Contribution) and r.id == ref.id)


def snapshot(scene: Scene) -> dict[str, Any]:
    """All that the actions could change, as people see it. Gone texts leave no trace in it."""
    site = scene.site
    state = site.state(scene.thread)
    return {
        "state": (state.title, state.space, state.closed, state.archived, state.visible, state.labels),
        "texts": [text.strip() for text in site.texts(scene.thread)],
        "received": list(site.received(scene.member)),
        "groups": site.groups_of(scene.member),
        "badges": site.badges_of(scene.member),
        "title": site.truth().members[scene.member].title,
    }


class WritingContract:
    """What every connector's verbs do; each is tested where the connector lists it."""

    @pytest.fixture
    def site(self) -> Site:
        raise NotImplementedError("Override the fixture `site`.")

    @pytest.fixture
    def scene(self, site: Site) -> Scene:
        thread = site.open(site.join("Asker"), "Frames of a smaller size", TEXT, ["bees"])
        post = site.contribute(site.join("Answerer"), thread, ANSWER)
        return Scene(site, site.join("Newcomer"), thread, post, site.moderator())

    @pytest.fixture(params=list(ACTIONS))
    def action(self, request: pytest.FixtureRequest, site: Site, scene: Scene) -> Action:
        """Every verb that the connector has, one after the other."""
        action = ACTIONS[request.param](scene)
        _needs(site, action)
        return action

    def test_a_connector_and_its_platform_name_the_same_verbs(self, site: Site) -> None:
        with connected(site) as connector:
            assert connector.verbs == site.platform.verbs
            assert connector.site == site.platform.site == site.name

    # Done, and found

    def test_before_it_is_done_it_is_not_found(self, site: Site, action: Action) -> None:
        with connected(site) as connector:
            assert connector.find(action, MARKER, _earlier(site)) == NotDone()

    def test_what_was_done_is_found_over_another_connection(self, site: Site, action: Action) -> None:
        since = _earlier(site)
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
        with connected(site) as connector:
            found = connector.find(action, MARKER, since)
        assert receipt.site == site.name
        assert receipt.verb == action.verb
        assert receipt.attribution == "ours"
        assert isinstance(found, Receipt)
        assert (found.verb, set(found.made)) == (receipt.verb, set(receipt.made))

    def test_a_receipt_survives_json(self, site: Site, action: Action) -> None:
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
        assert receipt_from_json(json.loads(json.dumps(receipt_to_json(receipt)))) == receipt

    def test_another_proposals_text_is_not_taken_for_it(self, site: Site, action: Action) -> None:
        if action.verb not in TEXTS:
            pytest.skip("a state is recognised by itself")
        since = _earlier(site)
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
            assert connector.find(action, OTHER, since) == NotDone()
        assert receipt.made
        assert receipt.url.startswith("http")

    def test_somebody_elses_copy_of_the_marker_is_not_taken_for_ours(self, site: Site, scene: Scene) -> None:
        action = ACTIONS["reply"](scene)
        _needs(site, action)
        since = _earlier(site)
        with connected(site) as connector:
            connector.perform(action, MARKER)
            copied = site.texts(scene.thread)[-1]
            site.contribute(scene.by, scene.thread, copied.replace(MARKER.token, OTHER.token))
            assert connector.find(action, OTHER, since) == NotDone()

    def test_a_state_that_held_already_is_not_our_doing(self, site: Site, action: Action) -> None:
        if action.verb in TEXTS | {"edit_text"}:
            pytest.skip("a text is never there already")
        with connected(site) as connector:
            connector.perform(action, MARKER)
            again = connector.perform(action, OTHER)
            assert again.attribution == "unknown"
            with pytest.raises(Refused):
                connector.undo(again, OTHER)

    # What people see of it

    def test_a_message_reaches_its_recipient_once(self, site: Site, scene: Scene) -> None:
        with connected(site) as connector:
            connector.perform(ACTIONS["send_message"](scene), MARKER)
        received = site.received(scene.member)
        assert len(received) == 1
        assert WORDS in received[0]

    def test_labels_not_named_stay(self, site: Site, scene: Scene) -> None:
        site.relabel(scene.by, scene.thread, ["bees", "hives"])
        with connected(site) as connector:
            connector.perform(ACTIONS["set_labels"](scene), MARKER)
        assert {label.casefold() for label in site.state(scene.thread).labels or ()} == {"hives", "honey"}

    def test_a_change_of_state_records_the_state_before(self, site: Site, action: Action) -> None:
        if action.verb in TEXTS:
            pytest.skip("before a new text there was nothing")
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
        assert receipt.before is not None
        assert receipt.after is not None

    def test_a_closed_topic_is_closed(self, site: Site, scene: Scene) -> None:
        action = ACTIONS["close_thread"](scene)
        _needs(site, action)
        with connected(site) as connector:
            connector.perform(action, MARKER)
        assert site.state(scene.thread).closed

    def test_a_membership_is_given(self, site: Site, scene: Scene) -> None:
        action = ACTIONS["add_to_group"](scene)
        _needs(site, action)
        with connected(site) as connector:
            connector.perform(action, MARKER)
        assert site.group in site.groups_of(scene.member)

    def test_an_edit_never_overwrites_what_it_did_not_see(self, site: Site, scene: Scene) -> None:
        action = _edit(scene)
        site.rewrite(scene.by, scene.thread, f"{TEXT} Written meanwhile.")
        with connected(site) as connector, pytest.raises(Conflict):
            connector.perform(action, MARKER)
        assert "Written meanwhile." in site.first_text(scene.thread)

    def test_an_edit_between_markers_leaves_the_rest(self, site: Site, scene: Scene) -> None:
        site.rewrite(scene.by, scene.thread, f"{TEXT}\n\n{BLOCK[0]}\nold list\n{BLOCK[1]}\n\n{ANSWER}")
        action = verbs.EditText(
            site=site.name, text="new list", markers=BLOCK, expected="old list", **_first(scene)
        )
        with connected(site) as connector:
            connector.perform(action, MARKER)
        text = site.first_text(scene.thread)
        assert "new list" in text and "old list" not in text
        assert text.startswith(TEXT) and text.rstrip().endswith(ANSWER)

    def test_missing_markers_are_appended_once(self, site: Site, scene: Scene) -> None:
        for expected, words in ((None, "first list"), ("first list", "second list")):
            action = verbs.EditText(
                site=site.name, text=words, markers=BLOCK, expected=expected, **_first(scene)
            )
            with connected(site) as connector:
                connector.perform(action, MARKER)
        text = site.first_text(scene.thread)
        assert text.count(BLOCK[0]) == text.count(BLOCK[1]) == 1
        assert "second list" in text and "first list" not in text and text.startswith(TEXT)

    def test_a_page_is_made_only_where_there_is_none(self, site: Site, scene: Scene) -> None:
        if site.family != "wiki":
            pytest.skip("a post is not made by editing")
        action = verbs.EditText(site=site.name, title="Project:Experts", text=WORDS)
        with connected(site) as connector:
            connector.perform(action, MARKER)
            with pytest.raises(Conflict):
                connector.perform(action, OTHER)

    # Taken back

    def test_undo_brings_the_state_before_back(self, site: Site, scene: Scene, action: Action) -> None:
        before = snapshot(scene)
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
            if action.verb not in ("open_thread", "notify_moderators"):
                assert snapshot(scene) != before
        with connected(site) as connector:
            undone = connector.undo(receipt_from_json(receipt_to_json(receipt)), MARKER)
        assert undone.site == site.name
        assert snapshot(scene) == before

    def test_undo_refuses_what_somebody_has_changed_since(
        self, site: Site, scene: Scene, action: Action
    ) -> None:
        with connected(site) as connector:
            receipt = connector.perform(action, MARKER)
            attempt(lambda: _disturb(scene, action, receipt, connector))
            changed = snapshot(scene)
            with pytest.raises(Conflict):
                connector.undo(receipt, MARKER)
        assert snapshot(scene) == changed

    # Refused

    def test_a_verb_that_it_does_not_have_is_refused(self, site: Site, scene: Scene) -> None:
        every = [make(scene) for make in ACTIONS.values()]
        lacking = [action for action in every if type(action) not in site.platform.verbs]
        if not lacking:
            pytest.skip("this connector has them all")
        with connected(site) as connector:
            for action in lacking:
                with pytest.raises(Refused):
                    connector.perform(action, MARKER)

    def test_without_the_right_it_is_forbidden(self, site: Site, scene: Scene, action: Action) -> None:
        needs = RESTRICTED if site.family == "forum" else frozenset({"add_to_group"})
        if action.verb not in needs:
            pytest.skip("every member may do it")
        site.demote()
        before = snapshot(scene)
        with connected(site) as connector, pytest.raises(Forbidden):
            connector.perform(action, MARKER)
        assert snapshot(scene) == before

    def test_who_refuses_messages_gets_none(self, site: Site, scene: Scene) -> None:
        site.refuse_messages(scene.member)
        before = list(site.received(scene.member))
        with connected(site) as connector, pytest.raises(Filtered):
            connector.perform(ACTIONS["send_message"](scene), MARKER)
        assert list(site.received(scene.member)) == before

    @pytest.mark.parametrize("verb", ["edit_text", "set_labels", "archive_thread"])
    def test_a_page_that_wants_no_bots_is_left_alone(self, site: Site, scene: Scene, verb: str) -> None:
        if site.family != "wiki":
            pytest.skip("only pages carry {{nobots}}")
        site.rewrite(scene.by, scene.thread, f"{{{{nobots}}}}\n{TEXT}\n[[Category:Bees]]")
        action = ACTIONS[verb](scene)
        _needs(site, action)
        before = site.first_text(scene.thread)
        with connected(site) as connector, pytest.raises(Filtered):
            connector.perform(action, MARKER)
        assert site.first_text(scene.thread) == before

    def test_nothing_is_written_in_read_only_mode(self, site: Site, scene: Scene, action: Action) -> None:
        before = snapshot(scene)
        attempt(site.stop_writes)
        with connected(site) as connector:
            with pytest.raises(ReadOnly):
                connector.perform(action, MARKER)
            assert connector.probe().read_only
        assert snapshot(scene) == before

    @pytest.mark.parametrize("verb", ["reply", "edit_text", "set_labels", "close_thread"])
    def test_an_item_that_is_gone_is_refused(self, site: Site, scene: Scene, verb: str) -> None:
        action = ACTIONS[verb](scene)
        _needs(site, action)
        site.delete_thread(scene.by, scene.thread)
        with connected(site) as connector, pytest.raises((Refused, Conflict)) as caught:
            connector.perform(action, MARKER)
        assert isinstance(caught.value, OrditoError)
        assert caught.value.message

    def test_a_member_who_never_was_gets_no_message(self, site: Site) -> None:
        action = verbs.SendMessage(site=site.name, to=("987654321",), subject="Hello there", text=WORDS)
        with connected(site) as connector, pytest.raises(Refused):
            connector.perform(action, MARKER)


def _needs(site: Site, action: Action) -> None:
    if type(action) not in site.platform.verbs:
        pytest.skip(f"this connector has no {action.verb}")


def _earlier(site: Site) -> Any:
    """A moment before all that the test is about to do."""
    return site.now() - timedelta(seconds=30)


__all__ = ["MARKER", "WORDS", "Ref", "Scene", "WritingContract", "snapshot"]
