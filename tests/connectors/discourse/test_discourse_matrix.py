"""Every verb on the stand-in, in its oldest and newest dialects: see `tests.connectors.cells`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.discourse.lab import DiscourseLab
from tests.connectors.matrix import Matrix, cells
from tests.servers.discourse import DiscourseServer


@pytest.mark.parametrize(("verb", "column"), cells("forum"))
class _OnDiscourse(Matrix):
    dialect = ""

    @pytest.fixture
    def lab(self) -> Iterator[DiscourseLab]:
        with DiscourseServer(dialect=self.dialect) as server:
            yield DiscourseLab(server)


class TestDiscourse2021(_OnDiscourse):
    dialect = "2021"


class TestDiscourse2026(_OnDiscourse):
    dialect = "2026"
