"""What changed since a time: recent changes and logs in one request, then only the pages concerned.

A row can appear a little after its own time, so every read begins some minutes earlier; the rows of those
minutes that were dealt with are remembered by id. Recent changes are kept for a limited time that the API
does not tell (90 days by default): where the oldest one is younger than our position, the list of all
revisions by date takes their place. The logs are kept for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..base import Batch, Cursor, Known
from .changed import Changed, Rows
from .client import Client, Json, Value
from .convert import REVISION_PROPS, Converter, moment
from .logs import LOG_PROPS

OVERLAP = timedelta(minutes=5)
_SURE = timedelta(days=1)
"""After a pause no longer than this nothing asks how far back the recent changes go."""


def start_of_recent(
    time: str, scanned: str = "", extent: Json | None = None, seen: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The cursor of a mirror that is complete up to `time`. `scanned`: when everything was last read.
    `extent`: how much of the wiki it holds. `seen`: the rows of the last minutes before that were dealt with,
    as ranges of ids."""
    cursor = {"phase": "recent", "time": time, "scanned": scanned, "seen": dict(seen or {})}
    return cursor | ({"extent": extent} if extent is not None else {})


@dataclass(frozen=True, slots=True)
class Recent:
    """An incremental read; `now` only decides whether to ask how far back the recent changes go."""

    client: Client
    convert: Converter
    known: Known
    now: datetime

    def run(self, cursor: Cursor) -> Iterator[Batch]:
        """Batches up to now. Their cursor stays where it was until all that an answer tells is read."""
        position = moment(cursor["time"])
        source = cursor.get("source") or self._source(position)
        state: dict[str, Any] = {**cursor, "source": source}
        fresh = {kind: unpacked(ids) for kind, ids in state.get("fresh", {}).items()}
        seen = {kind: unpacked(ids) for kind, ids in state["seen"].items()}
        query = _query(source, position - OVERLAP)
        for answer, going_on in self.client.batches(state.get("continue"), **query):
            until = str(state.setdefault("until", answer["curtimestamp"]))
            rows = _rows(answer, seen, fresh, since=_stamp(moment(until) - OVERLAP))
            first, last = "continue" not in state, not going_on
            yield from Changed(self.client, self.convert, self.known, first, last).read(rows, state)
            packs = {kind: packed(ids) for kind, ids in fresh.items()}
            if going_on:
                state = {**state, "continue": going_on, "fresh": packs}
            else:
                state = start_of_recent(until, cursor.get("scanned", ""), cursor.get("extent"), packs)
            yield Batch(cursor=state, part="changes")

    def _source(self, position: datetime) -> str:
        """`recentchanges`, or `allrevisions` where those do not surely reach back far enough."""
        if self.now - position <= _SURE:
            return "recentchanges"
        answer = self.client.query(list="recentchanges", rcdir="newer", rclimit=1, rcprop="timestamp")
        oldest = answer["query"].get("recentchanges", [])
        reaches = oldest and moment(oldest[0]["timestamp"]) <= position - OVERLAP
        return "recentchanges" if reaches else "allrevisions"


def _query(source: str, start: datetime) -> dict[str, Value]:
    logs: dict[str, Value] = {
        "ledir": "newer", "lestart": _stamp(start), "lelimit": "max", "leprop": LOG_PROPS
    }  # fmt: skip
    if source == "recentchanges":
        return logs | {
            "list": "recentchanges|logevents",
            "rcdir": "newer",
            "rcstart": _stamp(start),
            "rctype": "edit|new|categorize",
            "rcprop": "ids|title|timestamp|flags|user|userid|sizes|sha1",
            "rclimit": "max",
        }
    return logs | {
        "list": "allrevisions|logevents",
        "arvdir": "newer",
        "arvstart": _stamp(start),
        "arvprop": REVISION_PROPS,
        "arvlimit": "max",
    }


def _rows(answer: Json, seen: Mapping[str, set[int]], fresh: dict[str, set[int]], since: str) -> Rows:
    """The rows that were not dealt with before (`seen`); those not older than `since` go into `fresh`."""
    rows = Rows()

    def new(kind: str, number: int, at: str) -> bool:
        if at >= since:
            fresh.setdefault(kind, set()).add(number)
        return number not in seen.get(kind, ())

    for row in answer.get("recentchanges", ()):
        if not new("changes", row["rcid"], row["timestamp"]):
            continue
        if row["type"] == "categorize":
            rows.categorized.add(str(row["pageid"]))
        else:
            rows.edits.append({**row, "parentid": row["old_revid"], "size": row["newlen"]})
    for page in answer.get("allrevisions", ()):
        place = {key: page[key] for key in ("pageid", "ns", "title")}
        for revision in page["revisions"]:
            if new("revisions", revision["revid"], revision["timestamp"]):
                rows.edits.append({**revision, **place})
    for row in answer.get("logevents", ()):
        if new("logs", row["logid"], row["timestamp"]):
            rows.logs.append(row)
    return rows


def packed(ids: set[int]) -> str:
    """Ids as ranges, `3-9,12`: they mostly follow each other, and a cursor should be small."""
    ranges: list[list[int]] = []
    for number in sorted(ids):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in ranges)


def unpacked(text: str) -> set[int]:
    ids: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        ids.update(range(int(first), int(last or first) + 1))
    return ids


def _stamp(time: datetime) -> str:
    """As the API writes times; such texts compare like the times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
