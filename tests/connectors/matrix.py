"""The suite behind the table of `cells`: what must hold in each column, whatever the verb and platform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import pytest

from ordito.config.errors import Conflict, Filtered, RateLimited, Refused
from ordito.connectors.actions import Action
from ordito.connectors.base import Connector, Family, Marker, NotDone, Receipt, Unknown
from tests.connectors.cells import TEXTS, method_of, to_show

MARKER = Marker("rule-7f3a", "policy rule; to stop: Project:Ordito/Stop")
OTHER = Marker("rule-0b1c", "policy rule; to stop: Project:Ordito/Stop")
TEXT = "Has anybody tried this with the smaller frames, and did it hold?"
ANSWER = "We have used them for years now, and would not go back."
WORDS = "We meet on the first Thursday of the month, and beginners are always welcome there."
SUBJECT = "Good to have you here"
TITLE = "Meetings of this month"


class Lab(Protocol):
    """A platform with a scene on it; its methods are named in `cells`."""

    family: ClassVar[Family]
    changes: ClassVar[dict[str, frozenset[str]]]
    """The keys of `look` that a verb changes."""

    def connect(self) -> Connector: ...

    def now(self) -> datetime: ...

    def look(self) -> dict[str, Any]:
        """All that the verbs could change, as people see it. Texts that are gone leave no trace in it."""


@contextmanager
def connection(lab: Lab) -> Iterator[Connector]:
    connector = lab.connect()
    try:
        yield connector
    finally:
        connector.close()


def changed(before: dict[str, Any], after: dict[str, Any]) -> frozenset[str]:
    return frozenset(key for key in before if before[key] != after[key])


def cells(family: Family) -> Sequence[Any]:
    return [pytest.param(verb, column, id=f"{verb}-{column}") for verb, column in to_show(family)]


class Matrix:
    """Subclasses give `lab` and parametrise `verb` and `column` with `cells(family)`."""

    def test_cell(self, lab: Lab, verb: str, column: str) -> None:
        getattr(self, "show_" + column.replace(" ", "_"))(lab, verb)

    # --- done

    def show_perform(self, lab: Lab, verb: str) -> None:
        action = _act(lab, verb)
        before = lab.look()
        with connection(lab) as connector:
            receipt = connector.perform(action, MARKER)
        assert changed(before, lab.look()) == lab.changes[verb]
        assert (receipt.verb, receipt.attribution, receipt.pending) == (verb, "ours", False)
        assert receipt.url.startswith("http")

    def show_find(self, lab: Lab, verb: str) -> None:
        action, since = _act(lab, verb), _before(lab)
        with connection(lab) as connector:
            assert connector.find(action, MARKER, since) == NotDone()
            receipt = connector.perform(action, MARKER)
        done = lab.look()
        with connection(lab) as connector:
            found = connector.find(action, MARKER, since)
            assert isinstance(found, Receipt)
            assert (found.verb, set(found.made)) == (verb, set(receipt.made))
            if verb in TEXTS:
                assert connector.find(action, OTHER, since) == NotDone()
        assert lab.look() == done, "finding changes nothing"

    def show_undo(self, lab: Lab, verb: str) -> None:
        action = _act(lab, verb)
        before = lab.look()
        with connection(lab) as connector:
            receipt = connector.perform(action, MARKER)
            connector.undo(receipt, Marker("rule-undo"))
            assert lab.look() == before
            try:
                connector.undo(receipt, Marker("rule-undo"))  # as after a crash
            except (Conflict, Refused) as error:
                assert error.message
        assert lab.look() == before

    # --- what others do

    def show_changed_since(self, lab: Lab, verb: str) -> None:
        self._somebody(lab, verb, "changed since")

    def show_gone_since(self, lab: Lab, verb: str) -> None:
        self._somebody(lab, verb, "gone since")

    def _somebody(self, lab: Lab, verb: str, column: str) -> None:
        """Somebody does something to what was done; nothing of that is overwritten by an undo."""
        action = _act(lab, verb)
        with connection(lab) as connector:
            receipt = connector.perform(action, MARKER)
            done = lab.look()
            getattr(lab, method_of(verb, column))(receipt)
            theirs = lab.look()
            assert theirs != done, "somebody did something"
            try:
                undone = connector.undo(receipt, Marker("rule-undo"))
            except (Conflict, Refused) as error:
                assert error.message
            else:
                assert (column, undone.attribution) == ("gone since", "unknown"), "nothing was left to undo"
        assert lab.look() == theirs

    def show_attribution_unknown(self, lab: Lab, verb: str) -> None:
        action, since = _act(lab, verb), _before(lab)
        getattr(lab, method_of(verb, "attribution unknown"))(action)
        theirs = lab.look()
        with connection(lab) as connector:
            found = connector.find(action, MARKER, since)
            assert found == NotDone() or (isinstance(found, Receipt) and found.attribution == "unknown")
            try:
                receipt = connector.perform(action, OTHER)
            except Conflict:
                receipt = None
            for each in (found, receipt):
                if isinstance(each, Receipt):
                    assert each.attribution == "unknown"
                    with pytest.raises(Refused):
                        connector.undo(each, Marker("rule-undo"))
        assert lab.look() == theirs

    # --- refused

    def show_refused_by_rights(self, lab: Lab, verb: str) -> None:
        self._refused(lab, verb, "refused by rights", Refused)

    def show_refused_by_a_filter(self, lab: Lab, verb: str) -> None:
        self._refused(lab, verb, "refused by a filter", Refused)

    def show_too_similar(self, lab: Lab, verb: str) -> None:
        self._refused(lab, verb, "too similar", Filtered)

    def _refused(self, lab: Lab, verb: str, column: str, error: type[Refused]) -> None:
        action, since = _act(lab, verb), _before(lab)
        action = getattr(lab, method_of(verb, column))(action) or action
        before = lab.look()
        with connection(lab) as connector:
            with pytest.raises(error) as caught:
                connector.perform(action, MARKER)
            found = connector.find(action, MARKER, since)
        assert caught.value.message
        assert found == NotDone() or (verb in TEXTS and isinstance(found, Unknown)), "never taken for done"
        assert lab.look() == before

    def show_too_fast(self, lab: Lab, verb: str) -> None:
        """It waits as it is told; what is not to be had in reasonable time is for a later run."""
        action, since = _act(lab, verb), _before(lab)
        getattr(lab, method_of(verb, "too fast"))(action)
        before = lab.look()
        with connection(lab) as connector:
            waited = connector.statistics()["waited"]
            try:
                connector.perform(action, MARKER)
            except RateLimited as error:
                assert error.until is not None and error.until > lab.now()
                assert lab.look() == before
            else:
                assert connector.statistics()["waited"] > waited
                assert changed(before, lab.look()) == lab.changes[verb]
                return
        with connection(lab) as connector:
            assert connector.find(action, MARKER, since) == NotDone()

    def show_enqueued(self, lab: Lab, verb: str) -> None:
        action, since = _act(lab, verb), _before(lab)
        getattr(lab, method_of(verb, "enqueued"))(action)
        before = lab.look()
        with connection(lab) as connector:
            receipt = connector.perform(action, MARKER)
            assert receipt.pending and not receipt.made
            found = connector.find(action, MARKER, since)
            assert isinstance(found, Receipt) and found.pending
            with pytest.raises(Refused, match="not approved"):
                connector.undo(receipt, Marker("rule-undo"))
        assert lab.look() == before


def _act(lab: Lab, verb: str) -> Action:
    action: Action = getattr(lab, f"act_{verb}")()
    assert action.verb == verb
    return action


def _before(lab: Lab) -> datetime:
    """A moment before all that the test is about to do."""
    return lab.now() - timedelta(seconds=30)
