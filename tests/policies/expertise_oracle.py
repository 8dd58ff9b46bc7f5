"""The fact `expertise` in plain Python, from the words of the catalogue; part of the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.policies.worlds import Row

if TYPE_CHECKING:
    from tests.policies.oracle import Oracle

_STOOD = 14 * 24 * 3600 * 1_000_000
_WEEK = 7 * 24 * 3600 * 1_000_000


def expertise(oracle: Oracle, m: Row) -> dict[str, float]:
    """By area, the larger of two areas of one name in whatever case; what is old fades by whole weeks."""
    scores: dict[str, tuple[float, str]] = {}
    for kind in ("labels", "spaces") if oracle.forum else ("labels",):
        answered: dict[str, float] = {}
        asked: dict[str, float] = {}
        for c in oracle._written(author=m["id"]):
            for area in _areas(oracle, oracle._thread(c["thread"]), kind):
                if _is_answer(oracle, c, m):
                    answered[area] = answered.get(area, 0) + _worth(oracle, c)
        for t in oracle.world["threads"]:
            if oracle.forum and t["author"] == m["id"] and t["created_at"] is not None:
                for area in _areas(oracle, t, kind):
                    asked[area] = asked.get(area, 0) + _left(oracle, t["created_at"])
        for area in answered.keys() | asked.keys():
            a, q = answered.get(area, 0), asked.get(area, 0)
            score = (round((a - q) / (a + q) ** 0.5, 3), area)
            scores[area.casefold()] = max(scores.get(area.casefold(), score), score)
    return {area: score for score, area in scores.values()}


def _areas(oracle: Oracle, thread: Row | None, kind: str) -> set[str]:
    if thread is None or not oracle._thread_there(thread):
        return set()
    if kind == "labels":
        return set(oracle._names("thread", thread, "label"))
    return {oracle._thread_space(thread)} - {None}


def _is_answer(oracle: Oracle, c: Row, m: Row) -> bool:
    thread = oracle._thread(c["thread"])
    assert thread is not None
    if oracle.forum:
        return thread["author"] not in (None, m["id"])
    return thread["kind"] == "page" and c["kind"] == "regular" and _lasted(oracle, c)


def _lasted(oracle: Oracle, c: Row) -> bool:
    """It has stood for two weeks, and no text from before came back meanwhile, nor is it such a text."""
    there = [r for r in oracle._written(thread=c["thread"]) if r["sha1"]]
    there.sort(key=lambda r: (r["created_at"], r["id"]))
    for number, back in enumerate(there):
        first = next((r for r in reversed(there[:number]) if r["sha1"] == back["sha1"]), None)
        if first is None:
            continue
        if back["id"] == c["id"]:
            return False
        within = first["created_at"] <= c["created_at"] <= back["created_at"] <= c["created_at"] + _STOOD
        if within and c["id"] not in (first["id"], back["id"]):
            return False
    return bool(c["created_at"] <= oracle.at - _STOOD)


def _worth(oracle: Oracle, c: Row) -> float:
    thread = oracle._thread(c["thread"])
    accepted = 2 if thread is not None and thread["solved_by"] == c["id"] else 0
    return _left(oracle, c["created_at"]) * (1 + accepted + (c["likes"] or 0) / 4)


def _left(oracle: Oracle, moment: int) -> float:
    """What is left of it: half after a year."""
    return float(0.5 ** ((oracle.at - moment) // _WEEK * 7 / 365))
