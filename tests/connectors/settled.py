"""Carrying an action out as `apply` does, whatever happens to the requests on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import pytest
from _pytest.mark.structures import ParameterSet

from ordito.config.errors import ConnectorError, OutcomeUnknown
from ordito.connectors.actions import Action
from ordito.connectors.base import Connector, Marker, NotDone, Receipt
from tests.servers.proxy import Fault
from tests.servers.proxy.shapes import NETWORK, Shape

_TRIES = 3


def strikes(own: list[Shape]) -> list[ParameterSet]:
    """Every shape as test parameters; what a server in between answers comes before the platform has got the
    write, or after it has carried it out."""
    found = []
    for shape in (*NETWORK, *own):
        found.append(pytest.param(shape.what, id=shape.name))
        if shape.leaves_open:
            found.append(pytest.param({**shape.what, "taken": "before"}, id=f"{shape.name}, though done"))
    return found


def alternating(verbs: Iterable[str], cases: Sequence[ParameterSet]) -> list[ParameterSet]:
    """One verb after the other for the cases, where all of them for each would take too long."""
    pairs = zip(itertools.cycle(verbs), cases, strict=False)
    return [pytest.param(verb, *case.values, id=f"{verb}: {case.id}") for verb, case in pairs]


def carry_out(
    connect: Callable[[], Connector], action: Action, since: datetime, later: Callable[[], object]
) -> None:
    """Until it is done; what that takes is told by the kinds of errors alone.

    What an error other than OutcomeUnknown stands for was not done, says the protocol, and is done again;
    of anything else `find` decides. `later`: time goes by between two runs."""
    marker = Marker(f"p7-{action.verb.replace('_', '-')}", "Policy welcome")
    for _ in range(_TRIES):
        connector = connect()
        try:
            connector.perform(action, marker)
            return
        except OutcomeUnknown:
            found = connect().find(action, marker, since)
            if isinstance(found, Receipt):
                return
            assert found == NotDone()
        except ConnectorError:
            pass
        later()
    raise AssertionError("it was not done in the end")


def struck(what: dict[str, object], pattern: str) -> Fault:
    return Fault(**what, pattern=pattern)  # type: ignore[arg-type]
