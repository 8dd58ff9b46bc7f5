"""The kinds of policies, each in one file, registered in one dict by the word that `use:` takes."""

from __future__ import annotations

from ..kind import Kind
from .experts import Experts
from .rule import Rule
from .stale import Stale
from .welcome import Welcome

KINDS: dict[str, type[Kind]] = {
    "welcome": Welcome,
    "experts": Experts,
    "stale": Stale,
    "rule": Rule,
}
