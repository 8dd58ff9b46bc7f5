"""The behaviours that every connector must show, on whatever server it is tested.

A test module subclasses `ConnectorContract` and overrides the fixture `site` with its adapter; what the
adapter offers is described in `adapter.py`. Verbs are tested where the connector lists them. A behaviour
that a platform does not have is skipped by its adapter raising `Unsupported`.
"""

from __future__ import annotations

import pytest

from tests.connectors.adapter import Site


class ConnectorContract:
    @pytest.fixture
    def site(self) -> Site:
        raise NotImplementedError("Override the fixture `site`.")
