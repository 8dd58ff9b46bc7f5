"""Whether the wiki has what the settings exclude. A name that it does not have excludes nothing: what
somebody wanted to be left out would be mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from ..base import Finding
from .client import Client
from .scope import CATEGORY, label_of
from .settings import MediaWikiSettings
from .wiki import tidy


def findings(client: Client, settings: MediaWikiSettings) -> Iterator[Finding]:
    """Takes a request for as many names as the wiki answers at once, if there are any."""
    wiki, exclude = client.wiki, settings.exclude
    space = wiki.namespaces[CATEGORY].name
    titles = {f"{space}:{label_of(name, wiki)}": name for name in exclude.labels}
    users = {tidy(name): name for name in exclude.members}
    size = wiki.pages_per_request
    lacking: list[tuple[str, str, str]] = []
    for chunk in (list(titles)[i : i + size] for i in range(0, len(titles), size)):
        pages = client.all(titles=chunk, prop="categoryinfo").get("pages", ())
        there = {tidy(page["title"]) for page in pages if "categoryinfo" in page or "pageid" in page}
        lacking += [("category", titles[title], "labels") for title in chunk if tidy(title) not in there]
    for chunk in (list(users)[i : i + size] for i in range(0, len(users), size)):
        rows = client.all(list="users", ususers=chunk).get("users", ())
        there = {tidy(row["name"]) for row in rows if "userid" in row}
        lacking += [("user", users[name], "members") for name in chunk if name not in there]
    for what, name, key in lacking:
        yield Finding(
            "warning",
            f"There is no {what} '{name}' to exclude.",
            f"Correct exclude.{key}, or what you meant is mirrored.",
        )
