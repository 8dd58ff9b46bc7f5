"""Whether the forum has what the settings exclude. A name that it does not have excludes nothing: what
somebody wanted to be left out would be mirrored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...config.errors import NotFound, Refused
from ..base import Finding
from . import mapping
from .client import Client, Json
from .read_people import PAGE
from .scope import Scope
from .settings import DiscourseSettings


def findings(client: Client, settings: DiscourseSettings, site: Json) -> Iterator[Finding]:
    """No faults for certain: some is hidden from an account that is not an administrator. Takes a request if
    there are tags to exclude, and one for each member; members only staff may ask for."""
    yield from _categories(settings, site)
    if settings.exclude.labels:
        yield from _tags(client, settings)
    for name in settings.exclude.members if client.me().staff else ():
        # By a list, as the path of a member's page would have the name written into logs. It has all in whose
        # names or addresses this one occurs, a page of them.
        found = client.list_users("new", filter=name)
        if len(found) < PAGE and name.casefold() not in {str(row["username"]).casefold() for row in found}:
            yield _lacking("user", name, "members")


def _categories(settings: DiscourseSettings, site: Json) -> Iterator[Finding]:
    listed = [mapping.space("", row) for row in site.get("categories") or ()]
    unmet = Scope(settings).unmet(listed) if listed else frozenset()
    for name in settings.exclude.spaces:
        if name.casefold() in unmet:
            yield _lacking("category", name, "spaces")


def _tags(client: Client, settings: DiscourseSettings) -> Iterator[Finding]:
    try:
        stands_for = _all_tags(client.get("/tags.json"))
    except NotFound:  # no tagging
        stands_for = {}
    except Refused:
        return
    for name in settings.exclude.labels:
        if name.casefold() not in stands_for:
            yield _lacking("tag", name, "labels")
        elif other := stands_for[name.casefold()]:
            yield Finding(
                "warning",
                f"the tag '{name}' is a synonym: topics carry '{other}' instead.",
                f"Exclude '{other}', or what you meant is mirrored.",
            )


def _all_tags(answer: Json) -> Mapping[str, str]:
    """Casefolded names, each with the tag that it is a synonym of, or ''. Tags of groups and categories are
    listed apart."""
    extras = answer.get("extras") or {}
    lists = [answer, *(extras.get("tag_groups") or ()), *(extras.get("categories") or ())]
    rows = [row for each in lists for row in each.get("tags") or ()]
    return {str(row.get("name") or row["id"]).casefold(): str(row.get("target_tag") or "") for row in rows}


def _lacking(what: str, name: str, key: str) -> Finding:
    return Finding(
        "warning",
        f"there is no {what} '{name}' to exclude, as far as the account sees.",
        f"Correct exclude.{key}, or what you meant is mirrored.",
    )
