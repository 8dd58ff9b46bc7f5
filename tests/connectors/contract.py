"""The behaviours that every connector must show, on whatever server it is tested.

A test module subclasses `ConnectorContract` and overrides the fixture `site` with its adapter; what the
adapter offers is described in `adapter.py`. Verbs are tested where the connector lists them. A behaviour
that a platform does not have is skipped by its adapter raising `Unsupported`.
"""

from __future__ import annotations

from tests.connectors.adapter import Site, Truth, Unsupported
from tests.connectors.reading import ReadingContract
from tests.connectors.writing import WritingContract


class ConnectorContract(ReadingContract, WritingContract):
    """Both halves: reading and writing."""


__all__ = ["ConnectorContract", "ReadingContract", "Site", "Truth", "Unsupported", "WritingContract"]
