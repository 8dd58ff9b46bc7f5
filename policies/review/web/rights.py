"""Who of a forum may review, read again from the forum before decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ....config.errors import ConnectorError, OrditoError
from ....connectors.base import Batch
from ....connectors.records import Kind, Member, Ref
from .connect import Answer
from .sign_ins import Person

FRESH = timedelta(minutes=5)
"""For so long what the forum said of somebody's rights is good enough."""


class NoRight(OrditoError):
    """The forum knows this person, who may not review."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} may not review.",
            hint="Moderators and admins of the forum may, and members of the groups that are named for it.",
        )


class CannotAsk(OrditoError):
    """The forum does not say whether somebody still may."""


@dataclass(slots=True)
class Rights:
    """`fetch` reads a member fresh; `groups` may review besides the staff."""

    fetch: Callable[[Ref], Batch | None]
    groups: frozenset[str]
    _read_at: dict[Ref, datetime] = field(default_factory=dict)

    def admit(self, answer: Answer, now: datetime) -> None:
        """Raises NoRight unless the forum's own answer at the sign-in gives the right."""
        if not (answer.staff or answer.groups & self.groups):
            raise NoRight(answer.person.name)
        self._read_at[_ref(answer.person)] = now

    def confirm(self, person: Person, now: datetime) -> None:
        """Raises NoRight where the right is gone, CannotAsk where the forum cannot be asked."""
        if person.member is None:
            return
        ref = _ref(person)
        read_at = self._read_at.get(ref)
        if read_at is not None and timedelta() <= now - read_at < FRESH:
            return
        try:
            batch = self.fetch(ref)
        except (ConnectorError, TimeoutError) as error:
            reason = error.message if isinstance(error, ConnectorError) else "it takes its time"
            raise CannotAsk(
                f"The forum cannot be asked whether you may still review ({reason}).",
                hint="Nothing was decided; try again in a moment.",
            ) from error
        if not self._may(batch, ref, now):
            self._read_at.pop(ref, None)
            raise NoRight(person.name)
        self._read_at[ref] = now

    def _may(self, batch: Batch | None, ref: Ref, now: datetime) -> bool:
        for record in batch.records if batch is not None else ():
            if isinstance(record, Member) and record.ref == ref:
                if record.deleted_at or (record.suspended_until and record.suspended_until > now):
                    return False
                return record.admin or record.moderator or bool(_groups(record) & self.groups)
        return False


def _groups(member: Member) -> frozenset[str]:
    """Also those that follow from the trust level, which are never read: each level has those below it."""
    levels = range(member.trust_level + 1) if member.trust_level is not None else ()
    return (member.groups or frozenset()) | {f"trust_level_{level}" for level in levels}


def _ref(person: Person) -> Ref:
    return Ref(str(person.site), Kind.MEMBER, str(person.member))
