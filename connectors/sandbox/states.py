"""State verbs on either side: what is wished for, making it so, finding out who did, and taking it back.

A wish is one field of one item: a single value (closed, archived, visible, space, title) or one element
that a set shall have or not have (label, group, badge). The journal says who brought a state about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...config.errors import Conflict, Refused
from ..actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    GrantBadge,
    ListThread,
    MoveThread,
    RemoveFromGroup,
    ReopenThread,
    RevokeBadge,
    SetLabels,
    SetTitle,
    UnarchiveThread,
    UnlistThread,
)
from ..base import Found, NotDone, Receipt
from .community import Sandbox, Side, number, split_labels
from .forum import ForumMember, badges_of
from .schema import FORUM, micros
from .wiki import WikiMember, full_title

SETS = frozenset({"label", "group", "badge"})


@dataclass(frozen=True, slots=True)
class Wish:
    """`value` is the element for a set, and `present` whether it shall be there."""

    kind: str
    item: str
    field: str
    value: Any
    present: bool = True


def wishes(action: Action, side: Side) -> tuple[Wish, ...] | None:
    """What a state verb wants, None for the verbs that write text."""
    match action:
        case CloseThread() | ReopenThread():
            return (Wish("thread", action.thread, "closed", int(isinstance(action, CloseThread))),)
        case ArchiveThread() | UnarchiveThread() if side == FORUM:
            return (Wish("thread", action.thread, "archived", int(isinstance(action, ArchiveThread))),)
        case UnlistThread() | ListThread():
            return (Wish("thread", action.thread, "visible", int(isinstance(action, ListThread))),)
        case MoveThread() if side == FORUM:
            return (Wish("thread", action.thread, "space", action.space),)
        case MoveThread():
            return (Wish("thread", action.thread, "page_title", full_title(action.title)),)
        case SetLabels() if side == FORUM:
            return tuple(Wish("thread", action.thread, "label", tag) for tag in action.add) + tuple(
                Wish("thread", action.thread, "label", tag, present=False) for tag in action.remove
            )
        case AddToGroup() | RemoveFromGroup():
            return (Wish("member", action.member, "group", action.group, isinstance(action, AddToGroup)),)
        case GrantBadge() | RevokeBadge():
            return (Wish("member", action.member, "badge", action.badge, isinstance(action, GrantBadge)),)
        case SetTitle():
            return (Wish("member", action.member, "title", action.title),)
        case _:
            return None


class States:
    """State verbs of our account on one side."""

    def __init__(self, sandbox: Sandbox, site: str, actor: ForumMember | WikiMember) -> None:
        self._sandbox, self._site, self._actor = sandbox, site, actor
        self._side: Side = "forum" if isinstance(actor, ForumMember) else "wiki"

    def perform(self, verb: str, wanted: Sequence[Wish]) -> Receipt:
        before = self._before(wanted)
        with self._sandbox.writing():
            steps = [step for wish in wanted if (step := self._make(wish)) is not None]
        return self._receipt(verb, self._sandbox.now(), before, steps)

    def find(self, verb: str, wanted: Sequence[Wish], since: datetime) -> Found:
        """Our own entries in the journal decide; without any, the state that holds."""
        ours = [entry for wish in wanted if (entry := self._our_entry(wish, since)) is not None]
        steps = [_step(entry) for entry in ours]
        if steps:
            return self._receipt(verb, self._sandbox.now(), _undone(self._before(wanted), steps), steps)
        if wanted and all(self._holds(wish) for wish in wanted):
            return self._receipt(verb, self._sandbox.now(), self._before(wanted), [])
        return NotDone()

    def undo(self, receipt: Receipt) -> Receipt:
        """Raises Conflict if a field was changed since, Refused if it was perhaps not our doing."""
        steps: list[Mapping[str, Any]] = list((receipt.after or {}).get("steps", []))
        if receipt.attribution != "ours" or not steps:
            raise Refused(
                "It held already, or somebody else may have brought it about: nothing of ours is to undo.",
                where=self._site, hint="Change it by hand if you want to.",
            )  # fmt: skip
        with self._sandbox.writing():
            for step in steps:
                self._check_unchanged(step)
            back = [self._make(self._reverse(step)) for step in steps]
        done = [step for step in back if step is not None]
        return self._receipt(f"undo_{receipt.verb}", self._sandbox.now(), receipt.after, done)

    def _receipt(
        self, verb: str, at: datetime, before: Mapping[str, Any] | None, steps: Sequence[Mapping[str, Any]]
    ) -> Receipt:
        return Receipt(
            site=self._site, verb=verb, at=at, before=before, after={"steps": list(steps)},
            attribution="ours" if steps else "unknown",
        )  # fmt: skip

    def _check_unchanged(self, step: Mapping[str, Any]) -> None:
        value = step["value"] if step["field"] in SETS else None
        newest = self._sandbox.newest(self._side, step["kind"], int(step["item"]), step["field"], value)
        if newest is None or newest["seq"] != step["entry"]:
            raise Conflict(
                f"Somebody has changed '{step['field']}' of {step['kind']} {step['item']} since.",
                where=self._site, hint="Leave it as it is, or change it by hand.",
            )  # fmt: skip

    def _reverse(self, step: Mapping[str, Any]) -> Wish:
        if step["field"] in SETS:
            return Wish(step["kind"], step["item"], step["field"], step["value"], not step["present"])
        return Wish(step["kind"], step["item"], step["field"], step["was"])

    def _our_entry(self, wish: Wish, since: datetime) -> dict[str, Any] | None:
        return self._sandbox.row(
            "SELECT * FROM journal WHERE side = ? AND kind = ? AND item = ? AND field = ? AND value = ?"
            " AND present = ? AND by = ? AND at >= ? ORDER BY seq DESC LIMIT 1",
            self._side, wish.kind, number(wish.item), wish.field, wish.value, wish.present, self._actor.id,
            micros(since),
        )  # fmt: skip

    def _holds(self, wish: Wish) -> bool:
        state = self._state(wish)
        return (wish.value in state) == wish.present if wish.field in SETS else state == wish.value

    def _before(self, wanted: Iterable[Wish]) -> dict[str, Any]:
        """The state before, in words a person understands."""
        found: dict[str, Any] = {}
        for wish in wanted:
            state = self._state(wish)
            found[wish.field] = sorted(state) if wish.field in SETS else state
        return found

    def _state(self, wish: Wish) -> Any:
        box, side = self._sandbox, self._side
        if wish.kind == "member":
            member = box.member(side, wish.item)
            if wish.field == "group":
                return box.groups_of(side, member["id"])
            return badges_of(box, member["id"]) if wish.field == "badge" else member["title"]
        thread = box.thread(side, wish.item)
        if wish.field == "label":
            return split_labels(thread["labels"])
        if wish.field == "space":
            return str(thread["space"])
        return thread["title"] if wish.field == "page_title" else int(thread[wish.field])

    def _make(self, wish: Wish) -> dict[str, Any] | None:
        """Bring it about; None where it holds already."""
        entry = self._act(wish)
        if entry is None:
            return None
        found = self._sandbox.row("SELECT * FROM journal WHERE seq = ?", entry)
        return None if found is None else _step(found)

    def _act(self, wish: Wish) -> int | None:
        actor, item, value, present = self._actor, wish.item, wish.value, wish.present
        if wish.field == "group":
            return actor.put_into_group(item, value, present=present)
        if isinstance(actor, WikiMember):
            return actor.move(item, value)
        match wish.field:
            case "label":
                entries = actor.label(item, [value] if present else [], [] if present else [value])
                return entries[0] if entries else None
            case "space":
                return actor.move(item, value)
            case "badge":
                return actor.give_badge(item, value, present=present)
            case "title":
                return actor.set_title(item, value)
            case "closed" | "archived" | "visible" as field:
                return actor.set_status(item, field, bool(value))
        raise AssertionError(wish.field)


def _step(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": entry["kind"], "item": str(entry["item"]), "field": entry["field"], "value": entry["value"],
        "was": entry["was"], "present": bool(entry["present"]), "entry": entry["seq"],
    }  # fmt: skip


def _undone(state: dict[str, Any], steps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The state as it was before the steps."""
    before = dict(state)
    for step in steps:
        if step["field"] not in SETS:
            before[step["field"]] = step["was"]
        elif step["present"]:
            before[step["field"]] = [e for e in before[step["field"]] if e != step["value"]]
        else:
            before[step["field"]] = sorted({*before[step["field"]], step["value"]})
    return before
