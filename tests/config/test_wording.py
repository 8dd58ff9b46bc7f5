"""pydantic's errors in plain words, for models of every shape."""

from __future__ import annotations

import json
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError, field_validator

from ordito.config.model import DurationField, FileName, ModeField, Model, Percent, Url
from ordito.config.wording import Wrong, wrongs


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(Model):
    size: int = Field(default=1, gt=0, lt=10)
    words: list[str] = Field(default=[], max_length=2)


class Twig(Model):
    length: float = Field(default=0.5, le=1)


class Tree(Model):
    leaf: Leaf | None = None
    either: Leaf | Twig | None = None
    leaves: list[Leaf] = []
    pair: tuple[Twig, ...] = ()
    named: dict[str, Annotated[Twig, "a note"]] = {}
    colour: Colour = Colour.RED
    code: str = Field(default="a1", pattern="^[a-z][0-9]$")
    label: str = Field(default="ab", min_length=2)
    at: datetime | None = None
    grace: DurationField | None = None
    share: Percent = 0.1
    url: Url | None = None
    file: FileName | None = None
    mode: ModeField | None = None

    @field_validator("label")
    @classmethod
    def _not_forbidden(cls, value: str) -> str:
        if value == "forbidden":
            raise ValueError("it is forbidden")
        return value


def wrong(data: dict[str, Any]) -> list[tuple[str, str]]:
    """(path, message and hint) of every error."""
    with pytest.raises(ValidationError) as caught:
        Tree.model_validate_json(json.dumps(data))
    found: list[Wrong] = wrongs(caught.value, Tree, data)
    return [(".".join(map(str, each.path)), f"{each.message} {each.hint}".strip()) for each in found]


@pytest.mark.parametrize(
    ("data", "path", "text"),
    [
        ({"leaf": {"sise": 1}}, "leaf.sise", "unknown key 'sise'. Did you mean 'size'?"),
        ({"leaves": [{}, {"sise": 1}]}, "leaves.1.sise", "unknown key 'sise'. Did you mean 'size'?"),
        ({"pair": [{"lenght": 1}]}, "pair.0.lenght", "unknown key 'lenght'. Did you mean 'length'?"),
        ({"named": {"a.b": {"lenght": 1}}}, "named.a.b.lenght",
         "unknown key 'lenght'. Did you mean 'length'?"),
        ({"named": {"a": {"x": 1}}}, "named.a.x", "unknown key 'x'. Known here: length."),
        ({"leaf": {"size": 0}}, "leaf.size", "should be more than 0."),
        ({"leaf": {"size": 10}}, "leaf.size", "should be less than 10."),
        ({"leaf": {"size": 1.5}}, "leaf.size", "should be a whole number."),
        ({"named": {"a": {"length": 2}}}, "named.a.length", "should be at most 1."),
        ({"named": {"a": {"length": "x"}}}, "named.a.length", "should be a number."),
        ({"leaf": {"words": ["a", "b", "c"]}}, "leaf.words",
         "should have at most 2 items after validation, not 3."),
        ({"colour": "bleu"}, "colour", "'bleu' cannot stand here. Did you mean 'blue'?"),
        ({"code": "xyz"}, "code", "should match pattern '^[a-z][0-9]$'."),
        ({"label": "a"}, "label", "should have at least 2 characters."),
        ({"label": "forbidden"}, "label", "it is forbidden."),
        ({"at": "noon"}, "at", "should be a time. Write it as 2020-01-31T12:00:00Z."),
        ({"grace": 5}, "grace", "should be a duration. Write a number and a unit: '14 days'."),
        ({"share": 5}, "share", "should be a percentage. Write a number and the sign: '5%'."),
        ({"url": "https://x.org/?a=1"}, "url",
         "an address must not contain blanks, ? or #. Write it as https://forum.example.org."),
        ({"url": "http://x:port"}, "url", "should be an address. Write it as https://forum.example.org."),
        ({"file": ""}, "file", "should be the path of a file."),
        ({"mode": 3}, "mode",
         "should be a mode. Write off, propose, auto or {earn: {reviews: 30, accepted: 95%}}."),
        ({"mode": {"earn": {"reviews": 0}}}, "mode.earn.reviews", "should be at least 1."),
    ],
)  # fmt: skip
def test_an_error_is_said_in_plain_words_at_its_place(data: dict[str, Any], path: str, text: str) -> None:
    assert wrong(data) == [(path, text)]


def test_where_one_of_two_mappings_may_stand_the_nearest_key_of_both_is_offered() -> None:
    found = dict(wrong({"either": {"lenght": 1}}))
    assert found == {"either.lenght": "unknown key 'lenght'. Did you mean 'length'?"}


def test_values_that_are_right_already_stay_as_they_are() -> None:
    written = {"grace": "1 day", "mode": "auto", "url": "https://x.org/", "share": "5%"}
    tree = Tree.model_validate_json(json.dumps(written))
    again = tree.model_dump(mode="json", include=set(written))
    assert again == {**written, "url": "https://x.org"}
    assert Tree(grace=tree.grace, mode=tree.mode).mode == tree.mode
