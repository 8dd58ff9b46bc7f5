"""`ordito experts`: who knows about an area, or could answer an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from ..config.errors import UsageError
from ..config.words import suggestion

if TYPE_CHECKING:
    from datetime import datetime

    from ..connectors.records import Ref
    from ..sync.context import App
    from .builtin.experts import ExpertsParameters
    from .community import Community
    from .conditions import Condition
    from .insight.expertise import Expert

_SHOWN = 10
_NAMED = 5
"""For one topic: the first five hold the one who answers four times out of five."""
_LINKS = 2


@dataclass(frozen=True, slots=True)
class _Found:
    """One person; `evidence` with the titles of its threads. `shown`: the score as people read it."""

    member: Ref
    username: str
    score: float
    shown: str
    evidence: list[tuple[Ref, str]]
    why: str


@click.command()
@click.argument("area", required=False)
@click.option("--for", "item", metavar="ITEM", help="Who could answer this topic, or knows this page.")
@click.pass_obj
def experts(app: App, area: str | None, item: str | None) -> int:
    """Who knows about an area, or could answer an item.

    Of a topic, everybody's score is the share of all answers that is expected of them. In an area, or for a
    page, it is by how much answering exceeds asking.
    """
    from .wiring import make_engine

    if (area is None) == (item is None):
        hint = "For example: ordito experts beekeeping"
        raise UsageError("Name an area, or an item with --for.", hint=hint)
    engine = make_engine(app)
    with app.store.read(scratch=True) as conn:
        community = engine.community(conn, app.now())
        ref = _thread(app, conn, item) if item else None
        since = None
        if ref is None or community.sites[ref.site].family == "wiki":
            found = _experts(app, community, area, ref)
        else:
            found, since = _likely(app, community, ref)
    _show(app, area, ref, found, since)
    return 0


def _thread(app: App, conn: Any, item: str) -> Ref:
    """The thread that is meant: of a post, the one it is in."""
    from sqlalchemy import select

    from ..connectors.records import Kind, Ref
    from ..sync.items import resolve
    from ..sync.store.tables import contributions

    ref = resolve(item, app.platforms(), conn)
    if ref.kind == Kind.CONTRIBUTION:
        c = contributions
        within = conn.execute(select(c.c.thread).where(c.c.site == ref.site, c.c.id == ref.id))
        return Ref(ref.site, Kind.THREAD, within.scalar_one_or_none() or "")
    return ref


def _missing(item: Ref) -> UsageError:
    return UsageError(f"The mirror has no thread {item}.", hint="Run 'ordito sync' first.")


def _parameters(app: App) -> ExpertsParameters:
    """Of the first policy of this kind, so that the command and the policy name the same people."""
    from .builtin.experts import ExpertsParameters

    for parameters in app.settings.policies.values():
        if isinstance(parameters, ExpertsParameters):
            return parameters
    return ExpertsParameters.model_construct(use="experts", on=list(app.settings.sites))


def _barred(app: App, family: str) -> Condition:
    """Who is not meant: whom the policy excepts, and accounts that nobody can talk to."""
    from .builtin.common import nobody_to_talk_to, unless

    written = _parameters(app).except_
    return unless(written.condition if written else None, *nobody_to_talk_to(family))


def _likely(app: App, community: Community, item: Ref) -> tuple[list[_Found], datetime | None]:
    """And since when topics were read for it, if not all of them."""
    from .insight.history import read_since
    from .insight.suggest import title_of, who_could_answer

    unless = _barred(app, community.sites[item.site].family)
    found = who_could_answer(community, item, app.settings.constitution, unless, _NAMED)
    if found is None:
        raise _missing(item)
    named = [
        _Found(each.member, each.username, each.score, f"{each.score:.0%}",
               [(ref, title_of(community, ref)) for ref in each.evidence], each.why)
        for each in found
    ]  # fmt: skip
    return named, read_since(community, item.site)


def _experts(app: App, community: Community, area: str | None, item: Ref | None) -> list[_Found]:
    from .comparisons import fold
    from .insight.expertise import evidence_of, rank

    given = _parameters(app)
    sites = [item.site] if item else [site for site in given.on if community.sites[site].complete]
    rankings = {
        site: rank(community, site, given.areas, given.half_life,
                   evidence=given.at_least.evidence, people=given.at_least.people)
        for site in sites
    }  # fmt: skip
    known = {name for ranking in rankings.values() for name in ranking}
    wanted = _areas_of(community, item, given.areas) if item else {fold(area or "")}
    chosen = {name for name in known if fold(name) in wanted}
    if not chosen and area is not None:
        hint = suggestion(area, known, empty="Nobody has shown enough evidence in any area yet.")
        raise UsageError(f"There is no area '{area}'.", hint=hint)
    best = sorted(
        (e for ranking in rankings.values() for name in chosen for e in ranking.get(name, ())),
        key=lambda expert: -expert.score,
    )
    named = islice(_named(app, community, best), _SHOWN)
    return [_with_evidence(community, e, evidence_of(community, e, given.areas)) for e in named]


def _named(app: App, community: Community, experts: list[Expert]) -> Iterator[Expert]:
    """Those who may be named: whom neither the policy excepts nor the constitution leaves alone."""
    from .constitution import Law
    from .insight.suggest import fit

    law, known = Law(community.conn, app.settings.constitution), {e.member for e in experts}
    meant: set[Ref] = set()
    for site in {who.site for who in known}:
        unless = _barred(app, community.sites[site].family)
        meant |= fit(community, site, [who.id for who in known if who.site == site], unless)
    for expert in experts:
        if expert.member in meant and law.left_alone(expert.member) is None:
            yield expert


def _with_evidence(community: Community, expert: Expert, cited: list[tuple[str, str]]) -> _Found:
    from ..connectors.records import Kind, Ref

    refs = [(Ref(expert.member.site, Kind.CONTRIBUTION, id_), title) for id_, title in cited]
    forum = community.sites[expert.member.site].family == "forum"
    done = _many(expert.answers, *(("answer", "answers") if forum else ("lasting edit", "lasting edits")))
    people = _many(expert.people, "person", "people")
    why = f"{done} {'to' if forum else 'beside'} {people} in {expert.area}"
    return _Found(expert.member, expert.username, expert.score, f"{expert.score:.1f}", refs, why)


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _areas_of(community: Community, item: Ref, areas: str) -> set[str]:
    from .comparisons import fold
    from .facts import find_fact

    use = find_fact("labels" if areas == "labels" else "space", "thread")
    values = community.values("thread", item, [use])
    if values is None:
        raise _missing(item)
    value = values[use.name]
    names = value if areas == "labels" else [value]
    return {fold(name) for name in names or () if name}


def _show(
    app: App, area: str | None, item: Ref | None, found: list[_Found], since: datetime | None
) -> None:
    app.out.document(
        {
            **({"item": str(item)} if item else {"area": area}),
            **({"since": since.isoformat()} if since else {}),
            "experts": [
                {
                    "member": str(each.member),
                    "username": each.username,
                    "score": round(each.score, 3),
                    "evidence": [str(ref) for ref, _ in each.evidence],
                    "why": each.why,
                }
                for each in found
            ],
        }
    )
    rows = [
        [each.username, each.shown, each.why,
         "\n".join(f"{title}: {app.platform(ref.site).url(ref)}" for ref, title in each.evidence[:_LINKS])]
        for each in found
    ]  # fmt: skip
    if rows:
        app.out.table(["Who", "Score", "Why", "For example"], rows)
    else:
        app.out.say("Nobody has shown enough evidence there yet.")
    if since:
        app.out.say(f"\nFrom topics opened since {since:%Y-%m-%d}, and what was written since then.")
