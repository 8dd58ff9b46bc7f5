"""What has happened on a wiki: the people and their edits, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    name: str
    registered: datetime
    id: int | None = None
    """The id it must get; None = the next one."""
    groups: tuple[str, ...] = ()
    password: str | None = None
    """None = nobody can sign in."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One revision."""

    namespace: int
    title: str
    """Without the namespace's name; spaces or underscores."""
    at: datetime
    by: str
    """A person's name, or an IP address."""
    text: str
    comment: str = ""
    minor: bool = False
    bot: bool = False
    page_id: int | None = None
    """The id that the page must get if this edit creates it; None = the next one."""
    revision_id: int | None = None
    """The id that the revision must get; None = the next one."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything, edits in the order in which they were saved."""

    people: Sequence[Person]
    edits: Sequence[Edit]
    namespaces: Mapping[int, str] = field(default_factory=dict)
    """Namespaces that a fresh wiki lacks."""
    whole: bool = False
    """It is all there is: the pages of a fresh wiki go, and its accounts make room for the ids wanted."""
