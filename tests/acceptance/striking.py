"""What may happen to the requests of `apply` and to their answers, and when it may be killed: the same for
every platform. Each of these ends with `assert_all_done_once`, which asks the server."""

import os
import random
import signal
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.acceptance.cron import House
from tests.program import Outcome
from tests.servers.proxy import Fault, Proxy

Strike = Callable[[str], Fault]
"""From the pattern of a request to what happens to it."""


def lost_before(pattern: str) -> Fault:
    return Fault("drop", pattern)


def lost_after(pattern: str) -> Fault:
    return Fault("drop", pattern, taken="before")


def truncated(pattern: str) -> Fault:
    return Fault("truncate", pattern, taken="before")


def bad_gateway_before(pattern: str) -> Fault:
    return Fault("answer", pattern, status=502)


def gateway_timeout_after(pattern: str) -> Fault:
    return Fault("answer", pattern, taken="before", status=504)


def too_fast_for_long(pattern: str) -> Fault:
    """As a limiter in front of the application says it, in plain text."""
    headers = {"Content-Type": "text/plain", "Retry-After": "3600"}
    return Fault("answer", pattern, status=429, body="Slow down", headers=headers)


STRIKES: tuple[Strike, ...] = (
    lost_before,
    lost_after,
    truncated,
    bad_gateway_before,
    gateway_timeout_after,
    too_fast_for_long,
)


@dataclass(kw_only=True)
class StruckHouse(House):
    """The program, a server, and what lies between them. `writes`: the pattern of each verb's request."""

    proxy: Proxy
    writes: ClassVar[Mapping[str, str]]
    any_write: ClassVar[str]
    """The pattern of whatever changes something."""
    undoings: ClassVar[Sequence[str]]
    """The patterns of the requests by which verbs are undone, in the order in which they are."""

    @abstractmethod
    def assert_all_done_once(self) -> None:
        """What counts is what the server holds."""

    @abstractmethod
    def assert_all_undone_once(self) -> None:
        """All is as it was before, and nothing was brought back twice."""

    def strike_the_first_of_every_verb(self, strike: Strike) -> None:
        faults = [self.proxy.add(strike(pattern)) for pattern in self.writes.values()]
        outcomes = self.apply_until_done()
        assert all(each.struck for each in faults)
        self.assert_all_done_once()
        assert {outcome.code for outcome in outcomes} <= {0, 3, -signal.SIGKILL}

    def let_one_land_after_the_kill(self, verb: str) -> Outcome:
        """How the run ended that came between the kill and the request."""
        late = self.proxy.add(Fault("hold", self.writes[verb], taken="after"))
        self.kill_when(lambda: late.reached.wait(60))
        second = self.apply()
        assert second.code == -signal.SIGKILL, "it would have waited until nothing can land any more"
        late.release()
        assert late.over.wait(30)
        self.age()
        self.apply_until_done()
        self.assert_all_done_once()
        return second

    def kill_between_writes_and_their_answers(self) -> None:
        for pattern in self.writes.values():
            held = self.proxy.add(Fault("hold", pattern, taken="before"))
            self.kill_when(lambda held=held: held.reached.wait(60))  # type: ignore[misc]
            held.release()
            self.age()
        self.apply_until_done()
        self.assert_all_done_once()

    def kill_at_random_moments(self, seed: int, longest: float) -> None:
        """`ORDITO_KILLS` sets how often; `longest`: seconds that a run may take until then."""
        chance = random.Random(seed)
        for _ in range(int(os.environ.get("ORDITO_KILLS", "10"))):
            self.kill_after(chance.uniform(0.4, longest))
            self.age()
        self.apply_until_done()
        self.assert_all_done_once()

    def kill_undoing(self, seed: int, longest: float) -> None:
        """Undo all, killed while an answer is on its way and at random moments; `longest`: as above."""
        self.apply_until_done()
        for pattern in self.undoings:
            held = self.proxy.add(Fault("hold", pattern, taken="before"))
            self.kill_when(lambda held=held: held.reached.wait(60), *self.undo())  # type: ignore[misc]
            held.release()
            self.age()
        chance = random.Random(seed)
        for _ in range(int(os.environ.get("ORDITO_KILLS", "2"))):
            if "applied" in self.states().values():
                self.kill_after(chance.uniform(0.4, longest), *self.undo())
                self.age()
        self.undo_until_done()
        self.assert_all_undone_once()
