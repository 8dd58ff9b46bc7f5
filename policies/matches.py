"""What a look at a community finds: an item, the values of its facts, and why it is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from ..connectors.records import Ref
from ..sync.outbox import Because


class Grounds(Sequence[Because]):
    """Reasons that are put into words only where somebody reads them: of most matches nobody does."""

    __slots__ = ("_find", "_found")

    def __init__(self, find: Callable[[], tuple[Because, ...]]) -> None:
        self._find = find
        self._found: tuple[Because, ...] | None = None

    def _all(self) -> tuple[Because, ...]:
        if self._found is None:
            self._found = self._find()
        return self._found

    @overload
    def __getitem__(self, index: int) -> Because: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Because, ...]: ...
    def __getitem__(self, index: int | slice) -> Because | tuple[Because, ...]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())


@dataclass(frozen=True, slots=True)
class Match:
    """An item for which a condition holds, with the values of the facts that were asked for.

    `because`: why, put into words when it is first read. `author`: of a thread or contribution, where it is
    known; `thread`: of a contribution.
    """

    ref: Ref
    values: Mapping[str, Any]
    because: Sequence[Because]
    author: Ref | None = None
    thread: Ref | None = None


class Brief(NamedTuple):
    """What is told of an item where very many match: its id, those of its author and its thread as far as it
    has such, and the values of the facts that were asked for, in their order."""

    id: str
    author: str | None
    thread: str | None
    values: Sequence[Any]
