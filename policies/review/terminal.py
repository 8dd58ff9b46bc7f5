"""`ordito review` on a terminal: what waits, one proposal at a time, like a mail reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ...config.errors import OrditoError
from ...connectors.actions import Action
from ...sync.outbox import Decision, Filters, Proposal, State, claim, count, get, release, select
from .deciding import Reviewer, let_lapse
from .editing import as_file, extension, from_file
from .queue import Card, card
from .screen import END, Screen
from .show import layout

if TYPE_CHECKING:
    from ...sync.context import App

PROMPT = "a approve, r reject, h by hand, e edit, s skip, u undo, q quit, ? help >"
END_PROMPT = "u undo, p back, q quit >"
MORE_PROMPT = "Space the rest, s skip, p back, q quit >"
LOOK_PROMPT = "Enter next, q leave it >"
LOOK_MORE_PROMPT = "Space the rest, q leave it >"
HELP = """\
a  approve: 'ordito apply' carries it out, after the undo window
r  reject, so that it is not proposed again; a reason is asked for
h  done by hand, or something better was: nothing is carried out
e  rewrite the text in $EDITOR; it waits for your decision then
s  skip: leave it for later
c  claim it for 15 minutes, or give your claim back
A  approve all of this policy, after looking at each or confirming their number
u  undo: take your last decision back, an approval before it is carried out
n  next (also Enter, Space, arrow keys), p  previous
?  this help
q  quit; nothing is lost\
"""
_AWAY = frozenset({"s", "n", "p", "q", END})
"""Keys that lead away from a proposal before all of it was shown."""
_LEAVE = frozenset({"q", END})
_FEWEST_LINES = 8
"""Shown at once even in a window that is lower."""
_DONE = {
    Decision.APPROVED: "Approved",
    Decision.REJECTED: "Rejected",
    Decision.HANDLED: "Noted as done by hand",
    Decision.EDITED: "The text is rewritten",
}


@dataclass
class Session:
    """One review. `queue`: ids that wait, in the order of the review, `place` the one on the screen.

    `seen`: the actions that were shown; `decided`: decisions made here and not taken back.
    """

    app: App
    reviewer: Reviewer
    screen: Screen
    filters: Filters
    queue: list[int] = field(default_factory=list)
    place: int = 0
    seen: dict[int, Action] = field(default_factory=dict)
    decided: dict[int, Decision] = field(default_factory=dict)
    _shown: int | None = None
    _going: bool = True

    def run(self) -> int:
        """Until the reviewer leaves; the exit code."""
        let_lapse(self.reviewer.store, self.app.now())
        with self.reviewer.store.read() as conn:
            self.queue = [each.id for each in select(conn, self.filters)]
        if not self.queue:
            self.screen.say("Nothing waits for a decision.")
            return 0
        while self._going:
            found = self._current()
            if found is None:
                self._at_end()
            else:
                self._at(found)
        self._goodbye()
        return 0

    # --- where we are -------------------------------------------------------------------------------------

    def _current(self) -> Card | None:
        """The proposal at this place; those that others decided meanwhile fall out. None: past the last."""
        while self.place < len(self.queue):
            with self.reviewer.store.read() as conn:
                proposal = get(conn, self.queue[self.place])
                if proposal.state == State.PROPOSED:
                    return card(conn, proposal, self.app.platforms(), self.app.now())
            self.screen.say(f"Proposal {proposal.id} is {proposal.state} meanwhile.")
            self.queue.remove(proposal.id)
        return None

    def _at(self, found: Card) -> None:
        key = ""
        if self._shown != found.id or self.seen.get(found.id) != found.proposal.action:
            done = len(self.decided)
            heading = f"{done + self.place + 1} of {done + len(self.queue)}"
            key = self._show(found, heading, MORE_PROMPT, _AWAY)
            self._shown = found.id
        self._press(key or self.screen.key(PROMPT), self.keys(found))

    def keys(self, found: Card) -> dict[str, Callable[[], None]]:
        """What each key does while this proposal is on the screen."""
        return {
            "a": lambda: self._decide(found, Decision.APPROVED),
            "r": lambda: self._reject(found),
            "h": lambda: self._handled(found),
            "e": lambda: self._edit(found),
            **dict.fromkeys(("s", "n", "\n", " "), lambda: self._go(1)),
            "p": lambda: self._go(-1),
            "c": lambda: self._claim(found),
            "A": lambda: self._approve_all(found),
            "u": self._take_back,
            "?": lambda: self.screen.say(HELP),
            **dict.fromkeys(("q", END), self._leave),
        }

    def _at_end(self) -> None:
        self._shown = None
        left = f"{len(self.queue)} left for later." if self.queue else "Nothing more waits."
        self.screen.say(f"That was the last one. {left}")
        keys: dict[str, Callable[[], None]] = {
            "u": self._take_back,
            "p": lambda: self._go(-1),
            "q": self._leave,
            END: self._leave,
        }
        self._press(self.screen.key(END_PROMPT), keys)

    def _press(self, key: str, keys: Mapping[str, Callable[[], None]]) -> None:
        if key not in keys:
            self.screen.say("That key means nothing here; ? tells the keys." if "?" in keys else "")
            return
        try:
            keys[key]()
        except OrditoError as error:
            self._shown = None
            self.screen.say(f"! {error}")

    def _go(self, step: int) -> None:
        if self.place + step < 0:
            self.screen.say("This is the first one.")
        else:
            self.place += step
            self._shown = None

    def _leave(self) -> None:
        self._going = False

    def _show(self, found: Card, heading: str, prompt: str, away: Collection[str]) -> str:
        """A screen at a time; the key by which the reviewer left before the end, '' once all is shown."""
        self.screen.say()
        lines = layout(found, self.screen.width, heading=heading)
        room = max(self.screen.height - 2, _FEWEST_LINES) if self.screen.height else len(lines)
        for start in range(0, len(lines), room):
            key = self.screen.key(prompt) if start else ""
            if start and key in away:
                return key
            self.screen.show(lines[start : start + room])
        self.screen.say()
        self.seen[found.id] = found.proposal.action
        return ""

    # --- the keys -----------------------------------------------------------------------------------------

    def _decide(
        self, found: Card, decision: Decision, reason: str = "", action: Action | None = None
    ) -> None:
        self.reviewer.decide(
            found.id, decision, self.app.now(), reason=reason, action=action, seen=found.proposal.action
        )
        self.screen.say(f"{_DONE[decision]}.")
        self._shown = None
        if decision != Decision.EDITED:
            self.decided[found.id] = decision
            self.queue.remove(found.id)

    def _reject(self, found: Card) -> None:
        reason = self.screen.line("Why not? (Enter: leave it)")
        if reason and reason.strip():
            self._decide(found, Decision.REJECTED, reason)
        else:
            self.screen.say("Left as it is.")

    def _handled(self, found: Card) -> None:
        note = self.screen.line("A note for the record (Enter: none, '.': leave it)")
        if note is None or note.strip() == ".":
            self.screen.say("Left as it is.")
        else:
            self._decide(found, Decision.HANDLED, note)

    def _edit(self, found: Card) -> None:
        before = found.proposal.action
        ending = extension(self.app.platforms().get(found.proposal.site))
        after = from_file(before, self.screen.edit(as_file(before), ending))
        if after == before:
            self.screen.say("Nothing is changed.")
        else:
            self._decide(found, Decision.EDITED, action=after)

    def _claim(self, found: Card) -> None:
        mine = found.claimed_by == self.reviewer.name
        with self.reviewer.store.write() as conn:
            if mine:
                release(conn, found.id, self.reviewer.name)
            else:
                until = claim(conn, found.id, self.reviewer.name, self.app.now()).claimed_until
        self.screen.say("Your claim is given back." if mine else f"Yours until {until:%H:%M} UTC.")

    def _take_back(self) -> None:
        now = self.app.now()
        window = self.app.settings.constitution.undo_window
        back = [each.id for each in self.reviewer.take_back(now, window.before(now))]
        self.queue[self.place : self.place] = [id_ for id_ in back if id_ not in self.queue]
        for id_ in back:
            self.decided.pop(id_, None)
        self._shown = None
        which = f"proposal {back[0]} waits" if len(back) == 1 else f"{len(back)} proposals wait"
        self.screen.say(f"Taken back: {which} for a decision again.")

    # --- all of one policy --------------------------------------------------------------------------------

    def _approve_all(self, found: Card) -> None:
        policy = found.proposal.policy
        chosen = self._free(policy)
        while chosen:
            unseen = [each for each in chosen if self.seen.get(each.id) != each.action]
            answer = self.screen.line(_how_many(policy, len(chosen), len(unseen)))
            if answer is not None and answer.strip() == "v":
                if not self._look_at(unseen):
                    break
            elif answer is not None and answer.strip() == str(len(chosen)):
                self._approve_each(chosen)
                return
            else:
                break
        self.screen.say("Left as they are.")

    def _free(self, policy: str) -> list[Proposal]:
        """What waits of a policy, on the sites under review, and is not claimed by somebody else."""
        filters = Filters(states=(State.PROPOSED,), policies=(policy,), sites=self.filters.sites)
        with self.reviewer.store.read() as conn:
            waiting = select(conn, filters)
        return [each for each in waiting if not _claimed(each, self.reviewer.name, self.app.now())]

    def _look_at(self, unseen: Sequence[Proposal]) -> bool:
        """False: the reviewer has seen enough."""
        for number, each in enumerate(unseen, 1):
            with self.reviewer.store.read() as conn:
                found = card(conn, get(conn, each.id), self.app.platforms(), self.app.now())
            left = self._show(found, f"{number} of {len(unseen)}", LOOK_MORE_PROMPT, _LEAVE)
            if left or self.screen.key(LOOK_PROMPT) in _LEAVE:
                return False
        return True

    def _approve_each(self, chosen: Sequence[Proposal]) -> None:
        now, approved = self.app.now(), 0
        for each in chosen:
            try:
                self.reviewer.decide(each.id, Decision.APPROVED, now, bulk=len(chosen) > 1, seen=each.action)
            except OrditoError as error:
                self.screen.say(f"! {error}")
                continue
            approved += 1
            self.decided[each.id] = Decision.APPROVED
            if each.id in self.queue:
                self.place -= self.queue.index(each.id) < self.place
                self.queue.remove(each.id)
        self._shown = None
        self.screen.say(f"Approved {approved} of {len(chosen)}.")

    def _goodbye(self) -> None:
        words = {Decision.APPROVED: "approved", Decision.REJECTED: "rejected", Decision.HANDLED: "by hand"}
        counted = Counter(self.decided.values())
        told = [f"{counted[each]} {word}" for each, word in words.items() if counted[each]]
        with self.reviewer.store.read() as conn:
            waiting = count(conn, self.filters)
        self.screen.say(f"{', '.join(told) or 'Nothing decided'}; {waiting} still waiting.")
        if counted[Decision.APPROVED]:
            window = self.app.settings.constitution.undo_window
            command = self.app.spelled("apply")
            self.screen.say(f"'{command}' carries out what is approved, after {window} at the earliest.")


def _claimed(proposal: Proposal, reviewer: str, now: datetime) -> bool:
    """Whether somebody else has claimed it."""
    return (
        proposal.claimed_by not in (None, reviewer)
        and proposal.claimed_until is not None
        and proposal.claimed_until > now
    )


def _how_many(policy: str, count: int, unseen: int) -> str:
    not_seen = f", {unseen} of which you have not seen (v: look at them first)" if unseen else ""
    return f"{count} wait of {policy}{not_seen}. Type {count} to approve them all, Enter to leave it:"
