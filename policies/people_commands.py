"""`ordito experts`: who knows about an area, or could answer an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..config.errors import UsageError
from ..config.words import suggestion

if TYPE_CHECKING:
    from ..connectors.records import Ref
    from ..sync.context import App
    from .builtin.experts import ExpertsParameters
    from .community import Community
    from .insight.expertise import Expert

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Found:
    expert: Expert
    evidence: list[tuple[Ref, str]]
    why: str


@click.command()
@click.argument("area", required=False)
@click.option("--for", "item", metavar="ITEM", help="Who could answer this topic, or knows this page.")
@click.pass_obj
def experts(app: App, area: str | None, item: str | None) -> int:
    """Who knows about an area, or could answer an item."""
    from .wiring import make_engine

    if (area is None) == (item is None):
        hint = "For example: ordito experts beekeeping"
        raise UsageError("Name an area, or an item with --for.", hint=hint)
    engine = make_engine(app)
    with app.store.read(scratch=True) as conn:
        community = engine.community(conn, app.now())
        ref = _resolve(app, conn, item) if item else None
        found = _experts(app, community, area, ref)
    _show(app, area, ref, found)
    return 0


def _resolve(app: App, conn: Any, item: str) -> Ref:
    from ..sync.items import resolve

    return resolve(item, app.platforms(), conn)


def _parameters(app: App) -> ExpertsParameters:
    """Of the first policy of this kind, so that the command and the policy name the same people."""
    from .builtin.experts import ExpertsParameters

    for parameters in app.settings.policies.values():
        if isinstance(parameters, ExpertsParameters):
            return parameters
    return ExpertsParameters.model_construct(use="experts", on=list(app.settings.sites))


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
    return [_with_evidence(app, community, e, evidence_of(community, e, given.areas)) for e in best[:_SHOWN]]


def _with_evidence(
    app: App, community: Community, expert: Expert, cited: list[tuple[str, str]]
) -> _Found:
    from ..connectors.records import Kind, Ref

    refs = [(Ref(expert.member.site, Kind.CONTRIBUTION, id_), title) for id_, title in cited]
    helped = "answers to" if community.sites[expert.member.site].family == "forum" else "edits beside"
    why = f"{expert.answers} {helped} {expert.people} people in {expert.area}"
    return _Found(expert, refs, why)


def _areas_of(community: Community, item: Ref, areas: str) -> set[str]:
    from .comparisons import fold
    from .facts import find_fact

    use = find_fact("labels" if areas == "labels" else "space", "thread")
    values = community.values("thread", item, [use])
    if values is None:
        raise UsageError(f"The mirror has no thread {item}.", hint="Run 'ordito sync' first.")
    value = values[use.name]
    names = value if areas == "labels" else [value]
    return {fold(name) for name in names or () if name}


def _show(app: App, area: str | None, item: Ref | None, found: list[_Found]) -> None:
    app.out.document(
        {
            **({"item": str(item)} if item else {"area": area}),
            "experts": [
                {
                    "member": str(each.expert.member),
                    "username": each.expert.username,
                    "score": round(each.expert.score, 3),
                    "evidence": [str(ref) for ref, _ in each.evidence],
                    "why": each.why,
                }
                for each in found
            ],
        }
    )
    rows = [
        [each.expert.username, f"{each.expert.score:.1f}", each.why,
         "\n".join(f"{title}: {app.platform(ref.site).url(ref)}" for ref, title in each.evidence)]
        for each in found
    ]  # fmt: skip
    app.out.table(["Who", "Score", "Why", "For example"], rows)
    if not found:
        app.out.say("Nobody has shown enough evidence there yet.")
