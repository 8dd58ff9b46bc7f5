"""What facts and conditions mean, said once more in plain Python over lists of rows.

Written from the words of the design and of the catalogue, not from the SQL: it asks every question anew, of
every row, with no index and no cleverness. None is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.policies.expertise_oracle import expertise
from tests.policies.judging import AtLeast, PartlyDark, all_, any_, judged, micros, not_
from tests.policies.worlds import ELSEWHERE, SITE, Row, World

_QUIET = 90 * 24 * 3600 * 1_000_000


@dataclass
class Oracle:
    """A world at a moment. `live`: the rows' own values are true at it; else states are asked for theirs."""

    world: World
    moment: datetime
    live: bool

    @property
    def at(self) -> int:
        return micros(self.moment)

    @property
    def forum(self) -> bool:
        return self.world.family == "forum"

    # --- what is there ------------------------------------------------------------------------------------

    def items(self, subject: str) -> list[Row]:
        match subject:
            case "member":
                return [row for row in self.world["members"] if self._there(row, row["joined_at"])]
            case "thread":
                return [row for row in self.world["threads"] if self._thread_there(row)]
            case _:
                return [row for row in self.world["contributions"] if self._counts(row)]

    def _there(self, row: Row, begun: int | None) -> bool:
        gone = row["deleted_at"] is not None and row["deleted_at"] <= self.at
        return not gone and (begun is None or begun <= self.at)

    def _thread_there(self, row: Row) -> bool:
        if row["kind"] == "message" or self._ours("thread", row):
            return False
        return self._there(row, row["created_at"])

    def _ours(self, kind: str, row: Row) -> bool:
        return any(doing["kind"] == kind and doing["id"] == row["id"] for doing in self.world["doings"])

    def _counts(self, row: Row) -> bool:
        thread = self._thread(row["thread"])
        return (
            self._there(row, row["created_at"])
            and row["kind"] not in ("small", "whisper")
            and not self._ours("contribution", row)
            and not (thread is not None and thread["kind"] == "message")
        )

    def _thread(self, id: str | None) -> Row | None:
        return next((row for row in self.world["threads"] if row["id"] == id), None)

    def _member(self, id: str | None) -> Row | None:
        return next((row for row in self.world["members"] if row["id"] == id), None)

    def _written(self, **wanted: Any) -> list[Row]:
        """The contributions that count and have these values, in the order of time."""
        rows = [row for row in self.world["contributions"] if self._counts(row)]
        rows = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
        return sorted(rows, key=lambda row: (row["created_at"], row["position"] or 0))

    # --- facts --------------------------------------------------------------------------------------------

    def fact(self, subject: str, row: Row | None, name: str) -> Any:
        """The value of a fact of an item; `author.` and `thread.` lead to others."""
        if row is None:
            return None
        head, dot, rest = name.partition(".")
        if dot and head == "author":
            return self.fact("member", self._member(row["author"]), rest)
        if dot:
            return self.fact("thread", self._thread(row["thread"]), rest)
        if not self.forum and name in _FORUM_ONLY[subject]:
            return None
        if self.forum and (subject, name) == ("member", "edits"):
            return None
        return self._covered(subject, row, name, getattr(self, f"_{subject}_{name}")(row))

    def _covered(self, subject: str, row: Row, name: str, value: Any) -> Any:
        """What the mirror lacks makes facts about whole histories unknown, and counts lower bounds."""
        lacks = self.world.coverage
        if lacks.gaps & _DOUBTED_BY.get((subject, name), set()):
            return None
        if subject == "member" and name == "groups" and lacks.dark_groups:
            return PartlyDark(value, lacks.dark_groups)
        counted = name in _COUNTED.get(subject, ())
        if not counted and name not in _HISTORY.get(subject, ()):
            return value
        if lacks.gaps & {"contributions", "deletions", "threads"}:
            return None
        if subject == "thread" and lacks.members_excluded:
            return None
        if subject == "member" and lacks.excluded and not counted:
            return None
        begun = row["joined_at"] if subject == "member" else row["created_at"]
        if lacks.since is not None and (begun is None or begun < lacks.since):
            return None
        return AtLeast(value) if counted and lacks.excluded else value

    def _state(self, kind: str, row: Row, name: str) -> Any:
        """Today's value, or in the past what the intervals say; without any it was always so."""
        if self.live:
            return row[name]
        mine = self._history(kind, row, name)
        if not mine:
            return row[name]
        then = [s["value"] for s in mine if self._in_force(s)]
        if not then:
            return None
        (value,) = then
        return int(value) if name == "trust_level" else value if name == "title" else value == "true"

    def _history(self, kind: str, row: Row, name: str) -> list[Row]:
        key = (kind, row["id"], name)
        return [s for s in self.world["states"] if (s["kind"], s["item"], s["field"]) == key]

    def _in_force(self, state: Row) -> bool:
        ended = state["valid_to"] is not None and state["valid_to"] <= self.at
        return state["valid_from"] <= self.at and not ended

    def _names(self, kind: str, row: Row, name: str) -> frozenset[str]:
        return frozenset(s["value"] for s in self._history(kind, row, name) if self._in_force(s))

    # members

    def _member_joined(self, m: Row) -> Any:
        return m["joined_at"]

    def _member_first_contribution(self, m: Row) -> Any:
        return min((c["created_at"] for c in self._written(author=m["id"])), default=None)

    def _member_last_contribution(self, m: Row) -> Any:
        return max((c["created_at"] for c in self._written(author=m["id"])), default=None)

    def _member_last_seen(self, m: Row) -> Any:
        return m["last_seen_at"]

    def _member_posts(self, m: Row) -> Any:
        return len(self._written(author=m["id"]))

    _member_edits = _member_posts

    def _member_threads(self, m: Row) -> Any:
        return sum(1 for t in self.world["threads"] if self._thread_there(t) and t["author"] == m["id"])

    def _opener(self, c: Row) -> str | None:
        thread = self._thread(c["thread"])
        return None if thread is None else thread["author"]

    def _member_replies_given(self, m: Row) -> Any:
        return sum(1 for c in self._written(author=m["id"]) if self._opener(c) not in (None, m["id"]))

    def _member_replies_received(self, m: Row) -> Any:
        return sum(
            1 for c in self._written() if self._opener(c) == m["id"] and c["author"] not in (None, m["id"])
        )

    def _member_solutions(self, m: Row) -> Any:
        mine = {c["id"] for c in self._written(author=m["id"])}
        return sum(
            1
            for t in self.world["threads"]
            if self._thread_there(t) and t["solved_by"] in mine and t["author"] not in (None, m["id"])
        )

    def _member_likes_received(self, m: Row) -> Any:
        return sum(c["likes"] or 0 for c in self._written(author=m["id"]))

    def _member_trust_level(self, m: Row) -> Any:
        return self._state("member", m, "trust_level")

    def _member_groups(self, m: Row) -> Any:
        return self._names("member", m, "group")

    def _member_title(self, m: Row) -> Any:
        return self._state("member", m, "title")

    def _member_username(self, m: Row) -> Any:
        return m["username"]

    def _member_admin(self, m: Row) -> Any:
        return m["admin"]

    def _member_moderator(self, m: Row) -> Any:
        return m["moderator"]

    def _member_bot(self, m: Row) -> Any:
        return m["bot"]

    def _member_staged(self, m: Row) -> Any:
        return m["staged"]

    def _member_suspended(self, m: Row) -> Any:
        return m["suspended_until"] is not None and m["suspended_until"] > self.at

    def _member_silenced(self, m: Row) -> Any:
        return m["silenced_until"] is not None and m["silenced_until"] > self.at

    def _member_linked(self, m: Row) -> Any:
        rows = [row for row in self.world["identities"] if row["state"] == "linked"]
        mine = {row["person"] for row in rows if (row["site"], row["member"]) == (SITE, m["id"])}
        return any(row["site"] == ELSEWHERE and row["person"] in mine for row in rows)

    def _member_greeted(self, m: Row) -> Any:
        mine = self._written(author=m["id"])
        firsts = [c for c in mine if c["created_at"] == mine[0]["created_at"]]
        if any(self._answers(other, first) for first in firsts for other in self._written()):
            return True
        title = f"User talk:{m['username']}"
        return not self.forum and any(
            other["author"] not in (None, m["id"])
            and not self._is_bot(other["author"])
            and (thread := self._thread(other["thread"])) is not None
            and (thread["space"], thread["title"]) == ("3", title)
            for other in self._written()
        )

    def _answers(self, other: Row, first: Row) -> bool:
        """Whether `other` greets the author of `first` by what it is and where it stands."""
        thread = self._thread(first["thread"])
        if thread is None or other["thread"] != first["thread"] or other["created_at"] <= first["created_at"]:
            return False
        place = self.forum or thread["kind"] == "talk"
        if other["author"] in (None, first["author"]) or self._is_bot(other["author"]) or not place:
            return False
        by_opener = thread["author"] in (first["author"], other["author"])
        return by_opener or bool(other["parent"] == first["id"])

    def _is_bot(self, author: str) -> bool:
        return any(m["bot"] for m in self.world["members"] if (m["site"], m["id"]) == (SITE, author))

    def _member_contacted(self, m: Row) -> Any:
        failed = {row["id"] for row in self.world["attempts"] if row["outcome"] == "not_done"}
        return max(
            (row["at"] for row in self.world["contacts"]
             if row["member"] == m["id"] and row["attempt"] not in failed and row["at"] <= self.at),
            default=None,
        )  # fmt: skip

    def _member_expertise(self, m: Row) -> Any:
        return expertise(self, m)

    # threads

    def _thread_kind(self, t: Row) -> Any:
        return t["kind"]

    def _thread_space(self, t: Row) -> Any:
        return next((row["name"] for row in self.world["spaces"] if row["id"] == t["space"]), None)

    def _thread_labels(self, t: Row) -> Any:
        return self._names("thread", t, "label")

    def _thread_title(self, t: Row) -> Any:
        return t["title"]

    def _thread_age(self, t: Row) -> Any:
        return t["created_at"]

    def _thread_quiet(self, t: Row) -> Any:
        return max((c["created_at"] for c in self._written(thread=t["id"])), default=None)

    def _thread_posts(self, t: Row) -> Any:
        return len(self._written(thread=t["id"]))

    def _thread_participants(self, t: Row) -> Any:
        return len({c["author"] for c in self._written(thread=t["id"])} - {None})

    def _thread_views(self, t: Row) -> Any:
        return t["views"]

    def _thread_likes(self, t: Row) -> Any:
        return t["likes"]

    def _thread_solved(self, t: Row) -> Any:
        return None if t["solved_by"] is None else t["solved_by"] != ""

    def _thread_answered(self, t: Row) -> Any:
        written = self._written(thread=t["id"])
        if written and t["author"] is None:
            return None
        return any(c["author"] not in (None, t["author"]) for c in written)

    def _thread_waiting_on(self, t: Row) -> Any:
        written = self._written(thread=t["id"])
        if not written or t["author"] is None:
            return None
        if self._thread_closed(t) or self._thread_archived(t) or t["pinned"] or t["solved_by"]:
            return "nobody"
        last = written[-1]
        if last["author"] is None:
            return None
        if last["author"] != t["author"]:
            return "author"
        text = next((x["text"] for x in self.world["texts"] if x["contribution"] == last["id"]), None)
        asks = text is None or "?" in text
        return "community" if asks or not self._thread_answered(t) else "nobody"

    def _thread_closed(self, t: Row) -> Any:
        return self._state("thread", t, "closed")

    def _thread_archived(self, t: Row) -> Any:
        return self._state("thread", t, "archived")

    def _thread_pinned(self, t: Row) -> Any:
        return t["pinned"]

    def _thread_visible(self, t: Row) -> Any:
        return self._state("thread", t, "visible")

    def _thread_revived(self, t: Row) -> Any:
        times = [c["created_at"] for c in self._written(thread=t["id"])]
        return sum(1 for one, next_ in zip(times, times[1:], strict=False) if next_ - one > _QUIET)

    # contributions

    def _contribution_age(self, c: Row) -> Any:
        return c["created_at"]

    def _contribution_position(self, c: Row) -> Any:
        return c["position"]

    def _contribution_kind(self, c: Row) -> Any:
        return c["kind"]

    def _contribution_size(self, c: Row) -> Any:
        return c["size"]

    def _contribution_text(self, c: Row) -> Any:
        return next((x["text"] for x in self.world["texts"] if x["contribution"] == c["id"]), None)

    def _contribution_likes(self, c: Row) -> Any:
        return c["likes"]

    def _contribution_edited(self, c: Row) -> Any:
        return c["updated_at"] is not None and c["updated_at"] > c["created_at"]

    # --- conditions --------------------------------------------------------------------------------------

    def holds(self, subject: str, row: Row, document: Row, types: Mapping[str, str]) -> bool | None:
        """A mapping means all of it. `types`: of every fact that it may name."""
        verdicts: list[bool | None] = []
        for key, value in document.items():
            if key in ("any", "all"):
                each = [self.holds(subject, row, part, types) for part in value]
                verdicts.append(any_(each) if key == "any" else all_(each))
            elif key == "not":
                verdicts.append(not_(self.holds(subject, row, value, types)))
            else:
                verdicts.append(judged(types[key], self.fact(subject, row, key), value, self.moment))
        return all_(verdicts)


_FORUM_ONLY = {
    "member": ("last_seen", "solutions", "likes_received", "trust_level", "title", "silenced"),
    "thread": ("views", "likes", "solved", "waiting_on", "closed", "archived", "pinned", "visible"),
    "contribution": ("position", "likes", "edited"),
}
_COUNTED = {
    "member": (
        "posts", "threads", "edits", "replies_given", "replies_received", "solutions", "likes_received",
    )
}
_DOUBTED_BY = {
    ("member", "trust_level"): {"trust levels"}, ("member", "groups"): {"groups"},
    ("member", "title"): {"member titles"}, ("member", "username"): {"renames"},
    **{("member", flag): {"roles"} for flag in ("admin", "moderator", "bot", "staged")},
    **{("member", state): {"suspensions"} for state in ("suspended", "silenced")},
    ("member", "solutions"): {"solutions"}, ("member", "likes_received"): {"likes"},
    ("member", "expertise"): {"solutions", "likes", "labels", "moves"},
    ("thread", "space"): {"moves"}, ("thread", "labels"): {"labels"}, ("thread", "title"): {"titles"},
    ("thread", "likes"): {"likes"}, ("thread", "solved"): {"solutions"},
    ("thread", "waiting_on"): {"solutions", "states"},
    **{("thread", state): {"states"} for state in ("closed", "archived", "pinned", "visible")},
    **{("contribution", part): {"edits"} for part in ("text", "size", "edited")},
    ("contribution", "likes"): {"likes"},
}  # fmt: skip
_HISTORY = {
    "member": ("first_contribution", "last_contribution", "greeted", "expertise"),
    "thread": ("quiet", "posts", "participants", "answered", "waiting_on", "revived"),
}
