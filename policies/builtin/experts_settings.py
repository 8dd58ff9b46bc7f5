"""Settings of `use: experts`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...config.durations import Duration
from ...config.model import DurationField, Model, PolicySettings, RefText
from ..insight.area_sums import Areas
from ..insight.expertise import Score
from ..kind import MemberCondition


class AtLeast(Model):
    """What somebody must have shown before anything is said."""

    evidence: int = Field(default=5, ge=1, description="Answers or edits in the area.")
    people: int = Field(default=3, ge=1, description="Different people answered, or worked with.")


class Give(Model):
    """What an expert gets. `{area}` stands for the area's name."""

    group: str | None = Field(default=None, description="Group to be added to.")
    badge: str | None = Field(default=None, description="Badge to be granted (forum).")
    title: str | None = Field(default=None, description="Title beside the name (forum).")
    directory: RefText | None = Field(default=None, description="Wiki page that lists the experts.")


class KeepUntil(Model):
    rank: int = Field(default=10, ge=1, description="Who falls below this rank leaves the group.")


class ExpertsParameters(PolicySettings):
    """Settings of `use: experts`."""

    areas: Areas = Field(default="labels", description="What makes an area: labels or spaces.")
    at_least: AtLeast = Field(default=AtLeast(), description="The least evidence.")
    score: Score = Field(
        default="z", description="z: how far answering exceeds asking; pagerank: whom answerers turn to."
    )
    half_life: DurationField = Field(
        default=Duration(365, "day"), description="After this an answer counts half."
    )
    top: int = Field(default=5, ge=1, description="How many in each area.")
    consent: Literal["ask", "assumed"] = Field(
        default="ask", description="Before a title or a place in the directory."
    )
    give: Give = Field(default=Give(), description="What an expert gets.")
    keep_until: KeepUntil = Field(default=KeepUntil(), description="Hysteresis.")
    withdraw: list[Literal["badge"]] = Field(default=[], description="What is taken back besides the group.")
    except_: MemberCondition | None = Field(default=None, alias="except", description="Who is not meant.")
