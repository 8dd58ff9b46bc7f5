"""How far a policy may go by itself: off < propose < earn < auto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from .base import Model
from .fields import Percent
from .placed import PlacedError
from .words import suggestion

LEVELS = ("off", "propose", "earn", "auto")


class Earn(Model):
    """What a policy must show before it acts by itself."""

    reviews: int = Field(default=30, ge=1, description="Single (not bulk) reviews.")
    accepted: Percent = Field(default=0.95, description="Share of them that approved.")


@dataclass(frozen=True, slots=True)
class Mode:
    """`level` is one of LEVELS; `earn` counts only with that level."""

    level: str
    earn: Earn = Earn()

    @property
    def rank(self) -> int:
        return LEVELS.index(self.level)

    def within(self, ceiling: Mode) -> Mode:
        """The lower of the two; of two that must be earned, the stricter in both numbers."""
        if self.level == ceiling.level == "earn":
            reviews = max(self.earn.reviews, ceiling.earn.reviews)
            accepted = max(self.earn.accepted, ceiling.earn.accepted)
            return Mode("earn", Earn.model_construct(reviews=reviews, accepted=accepted))
        return min(self, ceiling, key=lambda mode: mode.rank)


def _mode(value: object) -> Mode:
    if isinstance(value, Mode):
        return value
    if isinstance(value, str):
        if value in LEVELS:
            return Mode(value)
        raise PlacedError(f"'{value}' is not a mode.", hint=suggestion(value, LEVELS))
    if isinstance(value, dict) and list(value) == ["earn"]:
        return Mode("earn", Earn.model_validate(value["earn"]))
    hint = "Write off, propose, auto or {earn: {reviews: 30, accepted: 95%}}."
    raise PlacedError("should be a mode.", hint=hint)


def _written(mode: Mode) -> object:
    return {"earn": mode.earn.model_dump(mode="json")} if mode.level == "earn" else mode.level


ModeField = Annotated[
    Mode,
    PlainValidator(_mode),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(LEVELS)},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["earn"],
                    "properties": {"earn": Earn.model_json_schema()},
                },
            ]
        }
    ),
]
"""A `Mode`, written as its level or as `{earn: {reviews: 30, accepted: 95%}}`."""

PROPOSE = Mode("propose")
