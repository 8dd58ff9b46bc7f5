"""The base of every model of settings, and what its validators may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Context:
    """What validators may ask: the environment, the settings' folder, the names of the sites.

    `sites` None: not known, references to sites are not checked.
    """

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path()
    sites: frozenset[str] | None = None


class Model(BaseModel):
    """Base of all that is read from the settings: frozen, strict, and without keys that nobody knows.

    The loader validates JSON in strict mode: nothing is turned into another type behind the user's back
    (`yes` into true, 5 into "5"), while dates and the types of fields.py are read from text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)
