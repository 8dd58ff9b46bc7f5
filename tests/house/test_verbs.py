"""No verb without its tests: each cell of the table in `tests.connectors.cells` is shown, or has a reason."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ordito.connectors.base import Family
from ordito.connectors.discourse.platform import VERBS as ON_FORUMS
from ordito.connectors.mediawiki.platform import VERBS as ON_WIKIS
from tests.connectors.cells import COLUMNS, FAMILIES, NOT_ON_WIKIS, REASONS, VERBS, method_of, to_show
from tests.connectors.discourse.lab import DiscourseLab
from tests.connectors.matrix import Matrix
from tests.connectors.mediawiki.lab import MediaWikiLab

LABS: dict[Family, Any] = {"forum": DiscourseLab, "wiki": MediaWikiLab}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_verb_is_shown_in_every_case_or_there_is_a_reason_why_not(family: Family) -> None:
    wanted = {name for verb, column in to_show(family) for name in (f"act_{verb}", method_of(verb, column))}
    missing = sorted(name for name in wanted if not callable(getattr(LABS[family], name, None)))
    assert not missing, f"{LABS[family].__name__} needs them, or REASONS a reason"
    assert set(LABS[family].changes) == {verb for verb, column in to_show(family) if column == "perform"}


def test_every_column_says_what_must_hold_in_it() -> None:
    assert all(callable(getattr(Matrix, f"show_{column.replace(' ', '_')}", None)) for column in COLUMNS)


def test_a_reason_is_for_a_cell_of_which_nothing_is_shown() -> None:
    assert set(REASONS) <= set(product(FAMILIES, VERBS, COLUMNS))
    for family, verb, column in REASONS:
        name = method_of(verb, column)
        shown = COLUMNS[column] != "act" and hasattr(LABS[family], name)  # type: ignore[index]
        assert not shown, f"{name} is never called: {family} has a reason"


def test_the_connectors_have_the_verbs_of_the_table() -> None:
    names = {family: {kind.__dataclass_fields__["verb"].default for kind in kinds}
             for family, kinds in (("forum", ON_FORUMS), ("wiki", ON_WIKIS))}  # fmt: skip
    assert names == {"forum": set(VERBS), "wiki": set(VERBS) - set(NOT_ON_WIKIS)}
