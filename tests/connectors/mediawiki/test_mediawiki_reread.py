"""How often a wiki is read again as a whole: by the settings, told as it begins, and told by an audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from ordito.connectors.base import Ahead, Batch, Freshness
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.mediawiki.settings import MediaWikiSettings
from ordito.sync.audit import Audited
from ordito.sync.syncing import fresh_lines
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.site import Clock, connect, mirror
from tests.servers.mediawiki.wiki import Wiki


def after(wiki: Wiki, days: float, **settings: Any) -> MediaWikiConnector:
    return connect(wiki, Clock(timedelta(days=days).total_seconds()), **settings)


def announced(batches: list[Batch]) -> list[Ahead]:
    return [batch.ahead for batch in batches if batch.ahead is not None]


def until_it_reads_again(mirrored: MemoryMirror) -> None:
    """Sync, and be stopped after the first users were read again."""
    for batch in mirrored.connector.changes(mirrored.cursor, mirrored):
        mirrored.apply(batch)
        if "scan" in (batch.cursor or {}):
            return


def suppressions(mirrored: MemoryMirror) -> Freshness:
    assert mirrored.cursor is not None
    found = mirrored.connector.freshness(mirrored.cursor, datetime.now(UTC))
    return next(fresh for fresh in found if fresh.aspect == "suppressions")


def told(mirrored: MemoryMirror) -> str:
    """The line of `ordito audit`."""
    assert mirrored.cursor is not None
    fresh = tuple(mirrored.connector.freshness(mirrored.cursor, datetime.now(UTC)))
    return list(fresh_lines(Audited(site="wiki", fresh=fresh)))[-1]


def test_what_it_costs_is_told_as_it_begins_and_close_to_the_truth(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    mirrored.connector = after(content, 31)
    (ahead,) = announced(mirrored.sync())
    used = mirrored.connector.statistics()["requests"]
    assert ahead.what == "everything is read again, as every 30 days, for what the wiki hides without a trace"
    assert "'reread: never'" in ahead.hint and not ahead.at_most
    assert abs(ahead.requests - used) <= 2
    mirrored.connector = connect(content)
    assert announced(mirrored.sync()) == []


def test_the_settings_say_how_often(content: Wiki) -> None:
    mirrored = mirror(connect(content, reread="90 days"))
    for days, due in ((89, False), (91, True)):
        mirrored.connector = after(content, days, reread="90 days")
        assert bool(announced(mirrored.sync())) is due
    assert suppressions(mirrored).within == timedelta(days=90)


def test_never_means_never_and_the_audit_says_how_old_that_makes_it(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    first = suppressions(mirrored).until
    mirrored.connector = after(content, 400, reread="never")
    assert announced(mirrored.sync()) == []
    assert suppressions(mirrored) == Freshness("suppressions", first, None)
    assert told(mirrored) == (
        f"wiki: true up to {first:%Y-%m-%d %H:%M} UTC: suppressions, seen by 'ordito sync --full' only"
    )


def test_while_it_is_under_way_the_audit_says_up_to_when_the_last_one_was_true(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    first = suppressions(mirrored).until
    mirrored.connector = after(content, 31)
    until_it_reads_again(mirrored)
    fresh = suppressions(mirrored)
    assert (fresh.until, fresh.within) == (first, timedelta(days=30))
    assert fresh.reading_since is not None
    assert told(mirrored) == (
        f"wiki: true up to {first:%Y-%m-%d %H:%M} UTC: suppressions, seen within 30 days; "
        f"being read since {fresh.reading_since:%Y-%m-%d %H:%M} UTC"
    )
    mirrored.connector = connect(content)
    mirrored.sync()
    assert suppressions(mirrored).until == fresh.reading_since


def test_turned_off_while_it_is_under_way_it_stops(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    first = suppressions(mirrored).until
    mirrored.connector = after(content, 31)
    until_it_reads_again(mirrored)
    mirrored.connector = after(content, 31, reread="never")
    mirrored.sync()
    assert mirrored.connector.statistics()["requests"] - 2 <= 2  # how far back changes are told, and those
    assert suppressions(mirrored) == Freshness("suppressions", first, None)


@pytest.mark.parametrize("value", ["nevr", "12 hours", 30, "0 days"])
def test_what_makes_no_sense_is_refused_with_an_example(value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        MediaWikiSettings(connector="mediawiki", url="https://w.example.org/api.php", reread=value)  # type: ignore[call-arg, arg-type]
    assert "reread" in str(refused.value)
