"""All categories of a forum that loads them lazily (`lazy_load_categories_groups`, from late 2023 on): its
description of itself then names but those in the account's sidebar, and its list of categories has pages.

A page has twenty of one level; those of the top level come with the first five below each
(app/models/category_list.rb). Each row names what is below it, and so tells what is still to be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Get = Callable[..., Json]

_FULL = 19
"""Rows of a page that another one may follow: twenty, less the category for what has none, if nothing may be
without."""


def are_missing(site: Mapping[str, Any]) -> bool:
    """Whether this description of a forum names only some of its categories."""
    return bool(site.get("lazy_load_categories")) or "categories" not in site


def all_categories(get: Get, named: Iterable[Json]) -> list[Json]:
    """Those `named` and all others, each once; `get` asks for a path with parameters."""
    found: dict[int, Json] = {}
    asked: set[int] = set()
    _take(found, _level(get, None))
    while True:
        lacking = [n for n, row in found.items() if n not in asked and not _below(row) <= found.keys()]
        if not lacking:
            break
        for number in lacking:
            asked.add(number)
            _take(found, _level(get, number))
    _take(found, named)
    return list(found.values())


def _take(found: dict[int, Json], rows: Iterable[Json]) -> None:
    for row in rows:
        found.setdefault(int(row["id"]), row)


def _below(row: Json) -> set[int]:
    return {int(number) for number in row.get("subcategory_ids") or ()}


def _level(get: Get, parent: int | None) -> Iterator[Json]:
    """The categories right below `parent`, and others that come with them."""
    where = {} if parent is None else {"parent_category_id": parent}
    page, seen = 1, set[int]()
    while True:
        answer = get("/categories.json", page=page, **where).get("category_list") or {}
        rows: list[Json] = answer.get("categories") or []
        yield from rows
        level = {int(row["id"]) for row in rows if row.get("parent_category_id") == parent}
        if len(level) < _FULL or level <= seen:
            return
        seen |= level
        page += 1
