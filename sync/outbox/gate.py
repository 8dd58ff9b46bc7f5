"""The question that `apply` asks before every action, and its four answers (DESIGN §2).

The engine of policies implements `Gate`; this module keeps `sync` from knowing anything of policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from ...connectors.actions import Action
from ...connectors.records import Ref
from .proposals import Proposal


@dataclass(frozen=True, slots=True)
class Go:
    """Do it now. `contacts`: the members whose contact budget it uses, reserved with the attempt."""

    contacts: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: quiet hours, a limit, a budget, the stop page. `until` is None where nobody can say."""

    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """The conditions no longer hold, or somebody opted out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """The action would now be another one than was approved: a person looks at this one again."""

    action: Action


Verdict = Go | Wait | Supersede | Review


class Gate(Protocol):
    """Asked in this order for every approved proposal: hold, (item fetched and stored), prepare, check."""

    def begin(self, now: datetime) -> None:
        """Once per run that has anything to do: read the stop pages. A ConnectorError halts every action."""

    def hold(self, conn: Connection, proposal: Proposal, now: datetime) -> Wait | None:
        """What holds it back whatever its item is like now: stop, quiet hours, limits, budgets.

        Asked before the item is fetched, so that what has to wait costs no request. Decides nothing:
        `check` asks all of it again.
        """

    def prepare(self, proposal: Proposal, now: datetime) -> None:
        """Ask the platform what `check` needs and the mirror does not hold (a member's profile).

        Outside every transaction. A ConnectorError counts like one of the action, which was not begun.
        """

    def check(self, conn: Connection, proposal: Proposal, now: datetime) -> Verdict:
        """The decision, inside the transaction that writes the attempt; no request is made here.

        A `Go` is always followed by an attempt. For an edited proposal the conditions are compared and
        whom it reaches, never the text: a person wrote it.
        """
