"""The first of each area are the same whether all are looked at or those only who may be among them."""

from __future__ import annotations

from random import Random

import pytest

from ordito.config.durations import Duration
from ordito.connectors.records import Kind, Ref
from ordito.policies.community import Community, SiteView
from ordito.policies.insight import expertise
from ordito.policies.insight.expertise import Expert, Score, rank
from ordito.sync.store.store import Store
from tests.policies.town import NOW, Town

AREAS = ("bees", "wheels", "maps", "rare")
PEOPLE = [str(number) for number in range(2, 14)]


def settle(town: Town, site: str, seed: int) -> None:
    """Some write much and some little, as everywhere, in areas of which one is nearly empty."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    town.settle("")
    often = [1 / number for number, _ in enumerate(PEOPLE, start=1)]
    with town.at_once():
        for who in PEOPLE:
            town.member(who, site=site, bot=who == "4")
        for number in range(30):
            asker, *others = random.choices(PEOPLE, often, k=random.randint(1, 9))
            labels = random.choices(AREAS, (9, 6, 3, 0.5), k=random.randint(0, 2))
            kind = "topic" if site == "forum" else random.choice(("page", "page", "talk"))
            days = sorted((random.uniform(1, 900) for _ in range(len(others) + 1)), reverse=True)
            town.topic(str(number), asker, site=site, kind=kind, labels=sorted(set(labels)),
                       space=random.choice("12" if site == "forum" else "04"))  # fmt: skip
            for author, day in zip((asker, *others), days, strict=True):
                post = town.post(str(number), author, day, site=site, likes=random.choice((0, 0, 3)),
                                 sha1=str(random.randint(0, 20)))  # fmt: skip
            if site == "forum" and random.random() < 0.4:
                town.change(Ref(site, Kind.THREAD, str(number)), solved_by=post.id)


def ranked(store: Store, site: str, areas: str, score: Score, top: int | None) -> dict[str, list[Expert]]:
    with store.read(scratch=True) as conn:
        community = Community(conn, {site: SiteView(site, site)}, NOW)
        try:
            return rank(community, site, areas, Duration(365, "day"), evidence=2, people=2,  # type: ignore[arg-type]
                        score=score, top=top)  # fmt: skip
        finally:
            community.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("site", "areas"), [("forum", "labels"), ("forum", "spaces"), ("wiki", "labels")])
def test_the_first_of_each_area_are_those_of_the_whole_ranking(
    town: Town, site: str, areas: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(town, site, seed)
    everybody = ranked(town.store, site, areas, "z", None)
    assert len(everybody) > 1
    for together in (1, 2, 5):
        monkeypatch.setattr(expertise, "_TOGETHER", together)
        for top in (1, 2, 4, 20):
            first = ranked(town.store, site, areas, "z", top)
            assert first == {area: found[:top] for area, found in everybody.items()}


def test_the_first_of_each_area_by_pagerank_are_those_of_the_whole_ranking(town: Town) -> None:
    settle(town, "forum", seed=1)
    everybody = ranked(town.store, "forum", "labels", "pagerank", None)
    first = ranked(town.store, "forum", "labels", "pagerank", 2)
    assert first == {area: found[:2] for area, found in everybody.items()}
