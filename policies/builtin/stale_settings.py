"""The settings of stale threads."""

from __future__ import annotations

from re import fullmatch
from typing import Literal

from pydantic import Field, model_validator

from ...config.durations import Duration
from ...config.model import DurationField, Model, PolicySettings
from ..conditions import parse
from ..kind import ThreadCondition, Written
from .common import split

_DEFAULT = {"quiet": "> 180 days", "waiting_on": ["nobody", "author"]}
DEFAULT_ON_WIKIS = {"quiet": "> 180 days"}
"""What `when` is there if the settings do not say it."""


def _quiet() -> Written:
    return Written(_DEFAULT, parse(_DEFAULT, "thread"))


class Warn(Model):
    """What is written before anything is done."""

    message: str = Field(default="stale-warning", description="Name of the message template.")
    grace: DurationField = Field(
        default=Duration(14, "day"), description="How long a reply can still keep the thread open."
    )


class Tell(Model):
    """A message to those who last edited the pages that were marked."""

    message: str = Field(default="stale-authors", description="Name of the message template.")
    authors: int = Field(default=2, ge=1, le=10, description="How many of the last authors of each page.")
    again: DurationField = Field(
        default=Duration(90, "day"), description="How long the same person is not told again."
    )


class StaleParameters(PolicySettings):
    """Settings of `use: stale`."""

    when: ThreadCondition = Field(default_factory=_quiet, description="Which threads are stale.")
    except_: ThreadCondition | None = Field(default=None, alias="except", description="Which are not meant.")
    warn: Warn | None = Field(default=None, description="A warning first, and time to answer it.")
    then: list[Literal["close", "archive", "unlist", "label"]] = Field(
        min_length=1, description="What is done: close, archive, unlist, label."
    )
    label: str = Field(default="", description="The label (on a wiki: the category) that `label` sets.")
    template: str = Field(
        default="", description="Wikis: what `archive` puts at the top of a page, such as '{{Out of date}}'."
    )
    linked: int = Field(
        default=0, ge=0, description="Wikis: only pages that so many others link to are marked."
    )
    tell: Tell | None = Field(
        default=None, description="Wikis: a message to those who last edited the marked pages."
    )
    archive: str = Field(
        default="",
        description="Wikis: where `archive` moves old sections of talk pages, '{talkpage}/Archive {year}'.",
    )
    archive_header: str = Field(
        default="", description="Wikis: what a new archive page begins with, such as '{{Talk archive}}'."
    )
    keep: int = Field(
        default=0, ge=0, description="Wikis: so many sections at least stay on a talk page, the newest."
    )

    @model_validator(mode="after")
    def _complete(self) -> StaleParameters:
        for step in self.then:
            if self.then.count(step) > 1:
                raise ValueError(f"'then' names '{step}' twice")
        if "label" in self.then and not self.label:
            raise ValueError("'then: [label]' needs 'label: NAME'")
        if self.archive and not fullmatch(r"\{talkpage\}/([^{}#<>\[\]|]|\{year\})+", self.archive):
            raise ValueError("'archive' names a subpage of the talk page: '{talkpage}/Archive {year}'")
        if self.archive and split(self.when.condition)[0] is None:
            raise ValueError("'archive' needs 'quiet' in 'when': how old the last signature of a section is")
        for name in ("template", "archive"):
            if getattr(self, name) and "archive" not in self.then:
                raise ValueError(f"'{name}' says how something is archived; add 'archive' to 'then'")
        if self.tell and not (self.template or self.label):
            raise ValueError("'tell' is about marked pages: name a 'template' or a 'label'")
        return self
