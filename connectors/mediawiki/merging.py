"""Answers of `action=query` that belong together, as one.

Until `batchcomplete` a page may come in several answers, each with some of its properties
(https://www.mediawiki.org/wiki/API:Continue).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Add a later answer's `query` to `whole`."""
    for key, value in part.items():
        if key == "pages":
            _merge_pages(whole.setdefault("pages", []), value)
        elif isinstance(value, list):
            whole.setdefault(key, []).extend(value)
        elif isinstance(value, Mapping):
            whole.setdefault(key, {}).update(value)
        else:
            whole[key] = value


def _merge_pages(pages: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    places = {_identity(page): page for page in pages}
    for page in more:
        held = places.get(_identity(page))
        if held is None:
            pages.append(page)
            continue
        for key, value in page.items():
            if isinstance(value, list) and isinstance(held.get(key), list):
                held[key] = held[key] + value
            else:
                held[key] = value


def _identity(page: Mapping[str, Any]) -> object:
    return page.get("pageid") or page.get("title")
