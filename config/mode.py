"""How far a policy may go by itself: off < propose < earn < auto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema

from .base import Model
from .fields import Percent
from .placed import PlacedError, PlacedErrors
from .wording import wrongs
from .words import suggestion

LEVELS = ("off", "propose", "earn", "auto")


class Earn(Model):
    """What a policy must show before it acts by itself."""

    reviews: int = Field(default=30, ge=1, description="Single (not bulk) reviews.")
    accepted: Percent = Field(default=0.95, description="Share of them that approved.")


class _Earned(Model):
    earn: Earn


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
    if isinstance(value, dict):
        return _earned(value)
    hint = "Write off, propose, auto or {earn: {reviews: 30, accepted: 95%}}."
    raise PlacedError("should be a mode.", hint=hint)


def _earned(value: dict[str, object]) -> Mode:
    try:
        return Mode("earn", _Earned.model_validate(value).earn)
    except ValidationError as error:
        raise PlacedErrors([wrong.placed() for wrong in wrongs(error, _Earned, value)]) from None


def _written(mode: Mode) -> object:
    return {"earn": mode.earn.model_dump(mode="json")} if mode.level == "earn" else mode.level


def _earned_schema() -> dict[str, object]:
    """Without `$ref`s, which would point nowhere from inside another model's schema."""
    properties = {"earn": Earn.model_json_schema()}
    return {"type": "object", "additionalProperties": False, "required": ["earn"], "properties": properties}


ModeField = Annotated[
    Mode,
    PlainValidator(_mode),
    PlainSerializer(_written),
    WithJsonSchema({"anyOf": [{"enum": [level for level in LEVELS if level != "earn"]}, _earned_schema()]}),
]
"""A `Mode`, written as its level or as `{earn: {reviews: 30, accepted: 95%}}`."""

PROPOSE = Mode("propose")
