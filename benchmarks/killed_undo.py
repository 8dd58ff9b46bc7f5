"""Killing `ordito undo` while it brings back what was done on a real server, and counting there what came.

Everything is carried out first, by runs that nobody disturbs; then all of it is undone, some at a time, by
commands that are typed again for what is left when they were killed (`killed_apply` has the servers and the
moments).
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.servers.mediawiki.client import Client

from . import crowd
from .killed_apply import PLACES, TURNS, Done, Killed, Place, run_and_kill
from .killed_apply import meant_on_wiki as meant

_TOGETHER = 4
"""So many are undone by one command, so that one that comes to its end leaves something for the next."""
_UNDONE_BY = {"closed.disabled": "close_thread", "remove_user_from_group": "add_to_group"}
"""Of a forum's own records, what each tells to be undone."""


def kill_undoing_on(site: str, folder: Path, kills: int, seed: int) -> Killed:
    """Carry everything out; start runs of `undo` and kill them, `kills` times; let one end, and count."""
    people = max(3, kills // 3)
    with PLACES[site](folder, people) as place:
        place.approve_all()
        place.apply_until_done()
        place.age()
        result = Killed(expected=crowd.expected(site, people))
        chance = random.Random(seed)
        for turn in itertools.cycle(TURNS):
            if result.kills + result.ended >= kills or "applied" not in place.states().values():
                break
            run_and_kill(place, turn, chance, result, *place.undo()[: 2 + _TOGETHER])
            place.proxy.wait_until_idle()
            place.age()
        place.undo_until_done()
        result.states = Counter(place.states().values())
        result.done = Counter(_undone(site, place, result.expected))
    return result


def _undone(site: str, place: Place, expected: set[Done]) -> Iterator[Done]:
    """How often each of these was undone, by what the server tells; where it does not tell how often, once
    for what is not there any more."""
    if place.reader is not None:
        yield from _on_wiki(place.reader())
        return
    there = Counter(place.count())
    for (verb, name), often in there.items():
        if verb in _UNDONE_BY:
            yield from [(_UNDONE_BY[verb], name)] * often
    for each in expected:
        verb, often = each[0], there[each]
        if verb == "set_labels":  # a second revision; or none, where the forum has folded both into one
            yield from [each] * (often - 1 if often else 1)
        elif verb not in _UNDONE_BY.values() and not often:
            yield each


def _on_wiki(reader: Client) -> Iterator[Done]:
    """By the edits of the account Ordito that undo another one of its edits, and by its log of rights."""
    rows = reader.everything(
        "usercontribs", ucuser="Ordito", ucprop=["ids", "title", "comment"], uclimit="max"
    )
    made = {str(row["revid"]): meant(row["title"], row["comment"]) for row in rows}
    for row in rows:
        revision = row["comment"].partition("Undo [[Special:Diff/")[2].partition("]]")[0]
        if revision:
            yield made[revision]
    log = reader.everything("logevents", letype="rights", leuser="Ordito", leprop=["title"], lelimit="max")
    for title, often in Counter(row["title"] for row in log).items():
        yield from [("add_to_group", title.removeprefix("User:"))] * (often - 1)
