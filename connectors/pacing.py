"""The pace at which one site is asked, whoever asks: the arithmetic, and the budget of one process.

Discourse has one budget of 60 requests a minute for all integrations of a site together, so half of it is
the default, and a 429 means that others need it too. `sync` shares a budget among the processes of a machine
or, with PostgreSQL, of all hosts; connectors know only the `Allowance` that they were given.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

BURST = 10
"""At most so many requests in one go after a pause: a run with nothing to do does not wait at all."""

CAUTION = 600.0
"""Seconds for which the pace stays halved after a site has said that it was too fast."""

LONGEST = 3600.0
"""Seconds for which a site's request to wait is remembered at most; then it is asked once more."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is shared by all who use the same `name`: so many a minute, `burst` of them in one go.

    The name tells sites and accounts apart; it never holds a secret, and is shown to nobody.
    """

    name: str
    per_minute: float
    burst: float = 1

    def __post_init__(self) -> None:
        if self.per_minute <= 0:
            raise ValueError("the pace must be above 0 a minute")

    @classmethod
    def of_requests(cls, url: str, per_minute: float) -> Budget:
        """All requests to a site: at most `BURST`, and a third of a minute's, in one go."""
        return cls(f"requests {url.rstrip('/').casefold()}", per_minute, max(1.0, min(BURST, per_minute / 3)))

    @classmethod
    def of_edits(cls, url: str, account: str, per_minute: float) -> Budget:
        """The edits of one account, one by one."""
        return cls(f"edits {url.rstrip('/').casefold()} {account}", per_minute)

    @property
    def digest(self) -> str:
        """The name as a file or a key has it."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:24]

    @property
    def interval(self) -> float:
        """Seconds from one to the next."""
        return 60 / self.per_minute

    @property
    def ready(self) -> float:
        """Seconds of backlog that keep nobody waiting: those of a burst."""
        return (self.burst - 1) * self.interval


@dataclass(frozen=True, slots=True)
class Pace:
    """What lies ahead at the time `at`, in seconds after it; a token bucket told by its backlog.

    `backlog`: until all turns that were given have been paid for. `careful`: how long the pace stays halved.
    `paused`: how long nobody may ask. `at` is of any clock; one that goes back lets no time pass.
    """

    at: float = 0.0
    backlog: float = 0.0
    careful: float = 0.0
    paused: float = 0.0

    @classmethod
    def spent(cls, at: float, budget: Budget) -> Pace:
        """What is assumed where the true state is lost: nothing lies ready."""
        return cls(at, budget.ready + budget.interval)

    @classmethod
    def restored(cls, numbers: Sequence[float], budget: Budget, now: float) -> Pace:
        """As it was kept, at the present time. Raises ValueError or TypeError for what cannot be one."""
        at, backlog, careful, paused = (float(number) for number in numbers)
        sane = (
            math.isfinite(at)
            and 0 <= backlog <= budget.ready + 2 * LONGEST
            and 0 <= careful <= CAUTION
            and 0 <= paused <= LONGEST
        )
        if not sane:
            raise ValueError("not a pace")
        return cls(at, backlog, careful, paused).flow(now)

    def flow(self, now: float) -> Pace:
        """The same at a later time."""
        passed = max(0.0, now - self.at)
        left = (max(0.0, seconds - passed) for seconds in (self.backlog, self.careful, self.paused))
        return Pace(now, *left)

    def wait(self, budget: Budget) -> float:
        """Seconds until the next turn."""
        return max(self.paused, self.backlog - budget.ready, 0.0)

    def take(self, budget: Budget) -> Pace:
        """After the next turn was given."""
        interval = budget.interval * (2 if self.careful > self.wait(budget) else 1)
        return replace(self, backlog=self.backlog + interval)

    def slow_down(self, budget: Budget) -> Pace:
        """The site was asked too fast: nothing lies ready any more, and the pace is halved for a while."""
        return replace(
            self, backlog=max(self.backlog, budget.ready + 2 * budget.interval), careful=CAUTION
        )

    def hold(self, budget: Budget, seconds: float) -> Pace:
        """The site wants nobody to ask for so long; then they come one by one."""
        paused = max(self.paused, min(seconds, LONGEST))
        return replace(self, backlog=max(self.backlog, paused + budget.ready), paused=paused)


class Allowance(Protocol):
    """A budget as one of those who share it sees it."""

    def take(self, patience: float) -> float:
        """Take the next turn: the seconds to wait before using it (0: at once). Where that is more than
        `patience`, none is taken."""

    def paused(self) -> float:
        """Seconds for which the site wants nobody to ask: a turn that was waited for may have to be taken
        anew."""

    def slow_down(self) -> None:
        """The site was asked too fast."""

    def hold(self, seconds: float) -> None:
        """The site wants nobody to ask for so long."""


Allowances = Callable[[Budget], Allowance]
"""How one comes by the allowance for a budget."""


class Bucket:
    """The budget of this process alone. `clock` gives seconds."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget = budget
        self._clock = clock
        self._pace = Pace(clock())

    def take(self, patience: float) -> float:
        pace = self._now()
        wait = pace.wait(self._budget)
        if wait <= patience:
            self._pace = pace.take(self._budget)
        return wait

    def paused(self) -> float:
        return self._now().paused

    def slow_down(self) -> None:
        self._pace = self._now().slow_down(self._budget)

    def hold(self, seconds: float) -> None:
        self._pace = self._now().hold(self._budget, seconds)

    def _now(self) -> Pace:
        return self._pace.flow(self._clock())
