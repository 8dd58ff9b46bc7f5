"""How well a ranking names, from the history before it only, who will answer a new topic.

    python -m benchmarks.ranking [--tune]

On the public forum of the shared data; skipped where that is not there. Beside it, on the same topics, a
plain ranking by the replies to others that somebody wrote of late (half-life 60 days). Two questions are
asked: of a topic with an answer that its author accepted, was that person named; of every topic that another
member replied to, was anybody named who did. hit@k: among the first k; MRR: the mean of one over the place.
Intervals are of a bootstrap over the topics.

`--tune` prints the coefficients, fitted to the topics of 2016 to 2018, and how those of the years before do
on 2017 and on 2018; it never looks at what came later, which the plain run reports on. It needs numpy.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import mul
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from ordito.policies.insight.answerers import COEFFICIENTS, Past, Terms, Topic
from ordito.policies.insight.fading import Fading
from ordito.policies.insight.similar import words_of
from tests.shared import SHARED

from .measure import Figure, show

TUNED_FROM, REPORTED_FROM = "2016", "2019"
_ACCEPTED_COUNTS = 2.0
"""In the fit: an accepted answer beside all the others of a topic."""
_RIDGE = 1.0
_RESAMPLES = 2000
_NOWHERE = 10**9


@dataclass(frozen=True, slots=True)
class Case:
    """A topic of the forum: what everybody's terms and the plain ranking's values were when it was opened,
    and who answered then. `seconds`: of the processor, for the ranking."""

    year: str
    terms: dict[str, Terms]
    plain: dict[str, float]
    answered: frozenset[str]
    accepted: frozenset[str]
    seconds: float


class Quality(NamedTuple):
    """hit@1, hit@5 and MRR."""

    first: float
    five: float
    mrr: float


# --- the forum ------------------------------------------------------------------------------------------


def cases(folder: Path, start: str) -> Iterator[Case]:
    """Every topic from a year on that another member answered, in order of time."""
    topics = {each["id"]: each for each in _read(folder / "topics.jsonl.gz")}
    posts = sorted(
        (p for p in _read(folder / "posts.jsonl.gz") if p["post_type"] == 1),
        key=lambda p: (_days(p["created_at"]), p["id"]),
    )
    answers: dict[int, list[dict[str, Any]]] = {}
    first: dict[int, str] = {}
    for post in posts:
        if post["user_id"] != topics[post["topic_id"]]["user_id"]:
            answers.setdefault(post["topic_id"], []).append(post)
        if post["post_number"] == 1:
            first[post["topic_id"]] = post["raw"]
    past, plain, written = Past(), Fading(60), iter(posts)
    upcoming = next(written, None)
    for topic in sorted(topics.values(), key=lambda t: t["created_at"]):
        at = _days(topic["created_at"])
        while upcoming is not None and _days(upcoming["created_at"]) < at:
            _wrote(past, plain, upcoming, topics)
            upcoming = next(written, None)
        asked = Topic(
            str(topic["id"]), str(topic["user_id"]), (str(topic["category_id"]),),
            words_of(topic["title"], first.get(topic["id"], "")),
        )  # fmt: skip
        if topic["created_at"] >= start and topic["id"] in answers:
            yield _case(past, plain, asked, at, topic, answers[topic["id"]])
        past.opened(asked, at)


def _wrote(past: Past, plain: Fading, post: dict[str, Any], topics: dict[int, dict[str, Any]]) -> None:
    at, who = _days(post["created_at"]), str(post["user_id"])
    past.wrote(who, str(post["topic_id"]), str(post["id"]), at)
    if post["user_id"] != topics[post["topic_id"]]["user_id"]:
        plain.add(who, at)


def _case(
    past: Past, plain: Fading, asked: Topic, at: float, topic: dict[str, Any], answers: list[dict[str, Any]]
) -> Case:
    before = time.thread_time()
    past.likely(asked, at)
    seconds = time.thread_time() - before
    return Case(
        topic["created_at"][:4],
        past.terms(asked, at),
        {who: plain.value(who, at) for who in past.people if who != asked.author},
        frozenset(str(post["user_id"]) for post in answers),
        frozenset(
            str(p["user_id"]) for p in answers if p["post_number"] == topic["accepted_answer_post_number"]
        ),
        seconds,
    )


def _read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _days(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() / 86400


# --- how good it is -------------------------------------------------------------------------------------


def place(values: dict[str, float], right: frozenset[str]) -> int:
    """Where the first of the right people stands; of equal values the one who was there first."""
    order = sorted(values, key=lambda who: -values[who])
    return next((number for number, who in enumerate(order, 1) if who in right), _NOWHERE)


def sums(terms: dict[str, Terms], coefficients: Terms) -> dict[str, float]:
    return {who: sum(map(mul, coefficients, each)) for who, each in terms.items()}


def quality(places: list[int]) -> Quality:
    count = len(places)
    first, five = (sum(p <= most for p in places) / count for most in (1, 5))
    return Quality(first, five, sum(1 / p for p in places) / count)


def interval(places: list[int]) -> tuple[Quality, Quality]:
    """The middle 95 % of what other topics of the same kind might have given."""
    draw = random.Random(1)
    drawn = [quality(draw.choices(places, k=len(places))) for _ in range(_RESAMPLES)]
    low, high = int(_RESAMPLES * 0.025), int(_RESAMPLES * 0.975)
    columns = [sorted(column) for column in zip(*drawn, strict=True)]
    return Quality(*(c[low] for c in columns)), Quality(*(c[high] for c in columns))


def report(found: list[Case]) -> int:
    table = Table("topics", "ranking", "hit@1", "hit@5", "MRR", box=box.MARKDOWN)
    figures = []
    aims = {"accepted": Quality(0, 0.60, 0.38), "answered": Quality(0, 0.81, 0.60)}
    for question, aim in aims.items():
        asked = [case for case in found if getattr(case, question)]
        plain = [place(case.plain, getattr(case, question)) for case in asked]
        ours = [place(sums(case.terms, COEFFICIENTS), getattr(case, question)) for case in asked]
        for name, places in (("replies of late", plain), ("Ordito", ours)):
            low, high = interval(places)
            cells = [f"{v:.3f} ({a:.3f}–{b:.3f})" for v, a, b in zip(quality(places), low, high, strict=True)]
            table.add_row(f"{len(asked):,} {question}", name, *cells)
        beside, reached = quality(plain), quality(ours)
        for measure in ("five", "mrr"):
            label = f"{question}, {'hit@5' if measure == 'five' else 'MRR'}"
            figures.append(
                Figure(label, getattr(reached, measure), "", getattr(beside, measure), "replies of late",
                       aim=getattr(aim, measure), at_least=True, ratio=False)
            )  # fmt: skip
    times = sorted(case.seconds * 1000 for case in found)
    figures.append(Figure("one topic, median", median(times), "ms"))
    figures.append(Figure("one topic, slowest of a hundred", times[int(len(times) * 0.99)], "ms", aim=20))
    Console(width=140, highlight=False).print(table)
    return show(f"Who will answer: topics from {REPORTED_FROM} on", figures)


# --- tuning ---------------------------------------------------------------------------------------------


def tune(found: list[Case]) -> None:
    """Coefficients of all years before the report, after a look at how those of the years before did."""
    for year in ("2017", "2018"):
        before, then = [c for c in found if c.year < year], [c for c in found if c.year == year]
        fitted = fit(before)
        for question in ("accepted", "answered"):
            asked = [case for case in then if getattr(case, question)]
            plain = quality([place(case.plain, getattr(case, question)) for case in asked])
            ours = quality([place(sums(case.terms, fitted), getattr(case, question)) for case in asked])
            words = " ".join(f"{value:.3f}" for value in ours)
            print(f"{year}, {len(asked)} {question}: {words}; plain {' '.join(f'{v:.3f}' for v in plain)}")
    fitted = fit(found)
    print(", ".join(f"{name}={value:.3f}" for name, value in fitted._asdict().items()))


def fit(found: list[Case]) -> Terms:
    """The most likely coefficients, by Newton's method: the likelihood has a single peak. Everybody who
    answered a topic counts alike, together as one answer; who gave the accepted one counts besides."""
    import numpy as np

    rows = [np.array(list(case.terms.values())) for case in found]
    starts = np.cumsum([0, *(len(each) for each in rows)])
    terms = np.concatenate(rows)
    spread = terms.std(axis=0)
    terms = terms / spread
    owner = np.repeat(np.arange(len(found)), np.diff(starts))
    target = np.concatenate([_targets(case) for case in found])
    answers = np.add.reduceat(target, starts[:-1])

    def expected(weights: Any) -> tuple[Any, float]:
        value = terms @ weights
        value -= np.maximum.reduceat(value, starts[:-1])[owner]
        whole = np.add.reduceat(np.exp(value), starts[:-1])[owner]
        fits = float((target * (value - np.log(whole))).sum() - _RIDGE / 2 * weights @ weights)
        return np.exp(value) / whole, fits

    weights = np.zeros(terms.shape[1])
    chance, fits = expected(weights)
    while True:
        slope = terms.T @ (target - answers[owner] * chance) - _RIDGE * weights
        mean = np.add.reduceat(terms * chance[:, None], starts[:-1])
        bend = (terms * (chance * answers[owner])[:, None]).T @ terms - (mean * answers[:, None]).T @ mean
        step = np.linalg.solve(bend + _RIDGE * np.eye(len(weights)), slope)
        reached = expected(weights + step)
        while reached[1] < fits:  # too far
            step /= 2
            reached = expected(weights + step)
        weights, gained = weights + step, reached[1] - fits
        chance, fits = reached
        if gained < 1e-4:
            return Terms(*(float(each) for each in weights / spread))


def _targets(case: Case) -> list[float]:
    able = case.answered & case.terms.keys()
    return [
        (who in able) / max(1, len(able)) + _ACCEPTED_COUNTS * (who in case.accepted) for who in case.terms
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="How well who will answer is named.")
    parser.add_argument("--tune", action="store_true", help="print coefficients instead")
    options = parser.parse_args()
    folder = SHARED / "data" / "forum"
    if not folder.is_dir():
        print("Skipped: the forum of the shared data is not there.")
        return 0
    found = list(cases(folder, TUNED_FROM))
    if options.tune:
        tune([case for case in found if case.year < REPORTED_FROM])
        return 0
    return report([case for case in found if case.year >= REPORTED_FROM])


if __name__ == "__main__":
    sys.exit(main())
