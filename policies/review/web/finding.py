"""What somebody is looking at: the filters of the list, as they stand in an address; and what is next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from ....sync.outbox import Filters, State
from ....sync.outbox.listing import conditions
from ....sync.store.tables import proposals, reviews
from ....sync.store.times import micros

PER_PAGE = 25
_LONGEST = 200
_LAST_PAGE = 100_000
_ALL = "all"
_LATELY = 50
_OFFERED = 6
"""Reasons of earlier rejections that a phone offers to be tapped instead of typed."""


def page_number(text: str) -> int:
    """1 for what is none."""
    return min(max(int(text), 1), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 20 else 1


def typed(query: Mapping[str, str], name: str) -> str:
    """What somebody wrote into a field, as one line that a database takes."""
    return " ".join(query.get(name, "")[:_LONGEST].replace("\0", "").split())


def arguments(page: int, **said: str) -> dict[str, str]:
    """Of an address, which leaves out what says nothing."""
    return {name: value for name, value in said.items() if value} | ({"page": str(page)} if page > 1 else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The filters of the list; an empty one lets everything through. `state` is a `State` or `all`."""

    policy: str = ""
    site: str = ""
    verb: str = ""
    state: str = State.PROPOSED
    words: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Search:
        """From the arguments of an address; what cannot be meant is left out."""
        state = query.get("state", "")
        return cls(
            policy=typed(query, "policy"),
            site=typed(query, "site"),
            verb=typed(query, "verb"),
            state=state if state == _ALL or state in set(State) else State.PROPOSED,
            words=typed(query, "words"),
            page=page_number(query.get("page", "")),
        )

    @classmethod
    def parse(cls, text: str) -> Search:
        """From a hidden field of a form (`str(search)`)."""
        return cls.read(dict(parse_qsl(text, max_num_fields=20)))

    def __str__(self) -> str:
        return urlencode(self.query())

    def query(self, **changes: str | int) -> dict[str, str]:
        """The arguments of an address; the first page unless `page` is among the changes."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        return arguments(
            changed.page,
            policy=changed.policy,
            site=changed.site,
            verb=changed.verb,
            state=changed.state if changed.state != State.PROPOSED else "",
            words=changed.words,
        )

    def filters(self) -> Filters:
        return Filters(
            states=() if self.state == _ALL else (State(self.state),),
            policies=(self.policy,) if self.policy else (),
            sites=(self.site,) if self.site else (),
            verbs=(self.verb,) if self.verb else (),
            words=self.words,
        )

    @property
    def narrowed(self) -> bool:
        """Whether something but the state is asked for."""
        return bool(self.policy or self.site or self.verb or self.words)


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter with its values, each with the number of proposals that it would leave."""

    name: str
    values: tuple[tuple[str, int], ...]


def facets(conn: Connection, search: Search) -> tuple[int, dict[str, Facet]]:
    """How many there are, and each filter counted with all the others in force: in one pass over them."""
    c = proposals.c
    columns = {"policy": c.policy, "site": c.site, "verb": c.verb, "state": c.state}
    chosen = {name: getattr(search, name) for name in columns}
    chosen["state"] = "" if search.state == _ALL else search.state
    counted: dict[str, Counter[str]] = {name: Counter() for name in columns}
    total = 0
    query = select(*columns.values(), func.count()).where(*conditions(Filters(words=search.words)))
    for *values, number in conn.execute(query.group_by(*columns.values())):
        said = dict(zip(columns, values, strict=True))
        against = [name for name, wanted in chosen.items() if wanted and said[name] != wanted]
        total += 0 if against else number
        for name in columns:
            if against in ([], [name]):
                counted[name][said[name]] += number
    return total, {name: Facet(name, tuple(sorted(numbers.items()))) for name, numbers in counted.items()}


def following(
    conn: Connection, search: Search, after: int, me: str, now: datetime, *, back: bool = False
) -> int | None:
    """The proposal that comes next for this person: it waits and nobody else has claimed it.

    After the last one the first follows; None where there is no other one.
    """
    ids, order = proposals.c.id, proposals.c.id.desc() if back else proposals.c.id
    waiting = _free(search, me, now).where(ids != after)
    beyond = waiting.where(ids < after if back else ids > after)
    for query in (beyond, waiting):
        found = conn.execute(query.order_by(order).limit(1)).one_or_none()
        if found is not None:
            return found[0]
    return None


def reasons_given(conn: Connection, policy: str) -> list[str]:
    """Why proposals of this policy were rejected lately, the newest first and each once."""
    lately = (
        select(reviews.c.reason)
        .join_from(reviews, proposals, proposals.c.id == reviews.c.proposal)
        .where(proposals.c.policy == policy, reviews.c.decision == "rejected", reviews.c.reason != "")
        .order_by(reviews.c.id.desc())
        .limit(_LATELY)
    )
    return list(dict.fromkeys(conn.scalars(lately)))[:_OFFERED]


def alike(conn: Connection, policy: str, verb: str, me: str, now: datetime, limit: int) -> list[int]:
    """Ids of what one policy wants done in the same way and that this person may decide."""
    query = _free(Search(policy=policy, verb=verb), me, now).order_by(proposals.c.id).limit(limit)
    return [id_ for (id_,) in conn.execute(query)]


def _free(search: Search, me: str, now: datetime) -> Select[int]:
    c = proposals.c
    waiting = replace(search, state=State.PROPOSED).filters()
    mine: ColumnElement[bool] = or_(
        c.claimed_by.is_(None), c.claimed_by == me, c.claimed_until <= micros(now)
    )
    return select(c.id).where(*conditions(waiting), mine)
