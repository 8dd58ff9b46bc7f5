"""Everything that can go wrong, as one tree.

::

    OrditoError                     one line for the user, with the next thing to do     exit 1
    ├── UsageError                  the command line or an ITEM was not understood       exit 2
    ├── SettingsError               ordito.yaml, a policy or a message is wrong          exit 2
    ├── StoreError                  the store cannot be opened, read or written          exit 1
    ├── LockHeld                    another run is at work                               exit 4
    ├── TransitionError             a proposal cannot go from its state to that one      exit 1
    └── ConnectorError              a platform, by what the caller should do:
        ├── Misconfigured           fatal: nothing will work until somebody mends it
        │   ├── SignInFailed        wrong key, password or account
        │   └── NotThisPlatform     the URL does not lead to a Discourse or a MediaWiki
        ├── TryLater                retriable: the same call may succeed later
        │   ├── Unreachable         no connection, no answer in time, 5xx
        │   ├── RateLimited         the site asked us to slow down
        │   └── ReadOnly            the site takes no writes at the moment
        ├── Refused                 skippable: the platform says no to this one item or action
        │   ├── Forbidden           a right is missing
        │   ├── NotFound            the item is not there, or not visible to us
        │   └── Filtered            a filter, a validation or an opt-out stands against it
        ├── Conflict                somebody changed the item meanwhile: plan anew, never force
        └── OutcomeUnknown          sent, and no answer: whether it was done must be found out
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class OrditoError(Exception):
    """Base of all errors that a user may see: `message` is one line, `hint` the next thing to do."""

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    @property
    def kind(self) -> str:
        """The class's name as it stands in JSON documents: `SignInFailed` → `sign-in-failed`."""
        name = type(self).__name__
        return "".join("-" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class UsageError(OrditoError):
    """The command line was not understood; nothing was done."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the settings. `line` and `column` count from 1; 0 where there is no such place."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.where}: {self.path + ': ' if self.path else ''}{self.message}{hint}"


class SettingsError(OrditoError):
    """All faults found in the settings, in the order of the file."""

    exit_code = 2

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__(first.message, where=first.where, hint=first.hint)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class StoreError(OrditoError):
    """The store cannot be opened, migrated, read or written."""


class LockHeld(OrditoError):
    """Another run holds the lock."""

    exit_code = 4


class TransitionError(OrditoError):
    """The state machine of DESIGN §9 has no such transition."""


class ConnectorError(OrditoError):
    """Something about one site; `where` is the site's key in the settings."""


class Misconfigured(ConnectorError):
    """Nothing will work on this site until somebody mends its settings or its account's rights."""


class SignInFailed(Misconfigured):
    """The site does not accept the key, the password or the account."""


class NotThisPlatform(Misconfigured):
    """The URL answers, and not as this platform does."""


class TryLater(ConnectorError):
    """The same call may succeed later; `until` says when, where the platform said so."""

    def __init__(
        self, message: str, *, where: str = "", hint: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.until = until


class Unreachable(TryLater):
    """No connection, no answer in time, or a fault of the server."""


class RateLimited(TryLater):
    """The site asked us to slow down for longer than we wait inside one run."""


class ReadOnly(TryLater):
    """The site takes no writes at the moment."""


class Refused(ConnectorError):
    """The platform says no to this one item or action; others may go on."""


class Forbidden(Refused):
    """The account lacks a right."""


class NotFound(Refused):
    """The item is not there, or not visible to the account."""


class Filtered(Refused):
    """A filter, a validation, a duplicate check or an opt-out of the platform stands against it."""


class Conflict(ConnectorError):
    """Somebody changed the item meanwhile."""


class OutcomeUnknown(ConnectorError):
    """The request was sent and no usable answer came: it may have been carried out."""
