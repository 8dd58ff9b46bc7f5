"""What is said before much is read, and how what was read is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from ordito.config.errors import Unreachable
from ordito.connectors.base import Ahead, Batch
from ordito.connectors.records import Kind
from ordito.sync.mirror import SiteReport, sync_sites
from ordito.sync.progress import Estimate, Silence, estimate_line, resumed_line
from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced
from tests.sync.fakes import FakeSite, source, standing, sync_one
from tests.sync.records import SITE, day, member, post, thread


class Listening(Silence):
    """Somebody who hears the estimates."""

    def __init__(self) -> None:
        self.heard: list[Estimate] = []

    def estimate(self, site: str, estimate: Estimate) -> None:
        self.heard.append(estimate)


def heard(store: Store, site: FakeSite) -> list[Estimate]:
    watch = Listening()
    (report,) = sync_sites(store, {SITE: source(site)}, standing(day(30)), watch)
    assert report.estimates == watch.heard
    return watch.heard


def said(requests: int, **more: Any) -> str:
    return estimate_line(SITE, Estimate(requests, 30, month_ago=date(2026, 2, 1), **more))


def test_the_estimate_comes_before_a_first_sync_only(store: Store) -> None:
    assert heard(store, FakeSite([Batch()])) == [Estimate(120, 30, month_ago=day(0).date())]
    assert heard(store, FakeSite([Batch()])) == []


def test_what_the_estimate_does_not_count_is_said_with_it(store: Store) -> None:
    site = FakeSite([Batch()])
    site.state = replace(site.state, uncounted="Messages come on top.")
    (estimate,) = heard(store, site)
    assert estimate_line(SITE, estimate).endswith("goes on from there. Messages come on top.")


def test_a_first_sync_that_was_stopped_says_that_it_goes_on(store: Store) -> None:
    class Hearing(Silence):
        def __init__(self) -> None:
            self.resumed_sites: list[str] = []

        def resumed(self, site: str) -> None:
            self.resumed_sites.append(site)

    def resumed(site: FakeSite) -> list[str]:
        watch = Hearing()
        sync_sites(store, {SITE: source(site)}, standing(day(30)), watch)
        return watch.resumed_sites

    batches = [Batch(records=(post("1"),)), Batch(records=(post("2"),))]
    faults = {1: Unreachable("The site does not answer.")}
    assert resumed(FakeSite(batches, faults=faults)) == []
    assert resumed(FakeSite(batches, anew=True, faults=faults)) == [], "everything is announced instead"
    assert resumed(FakeSite(batches)) == [SITE]
    assert resumed(FakeSite(batches)) == []
    assert resumed_line(SITE) == "forum: the first sync goes on where it was stopped."


def test_settings_that_make_everything_be_read_again_are_told_with_what_it_costs(store: Store) -> None:
    heard(store, FakeSite([Batch()]))
    (estimate,) = heard(store, FakeSite([Batch()], anew=True))
    assert estimate_line(SITE, estimate).startswith(
        "forum: the settings leave out less than before, so everything is read again: "
        "about 120 requests, about 4 minutes at 30 a minute."
    )


def test_what_a_connector_reads_beside_the_news_is_told_as_it_begins(store: Store) -> None:
    ahead = Ahead(what="everything is read again", requests=45, at_most=True, hint="'x: never' stops that.")
    site = FakeSite([Batch(), Batch(ahead=ahead), Batch(records=(post("1"),))])
    watch = Listening()
    (report,) = sync_sites(store, {SITE: source(site)}, standing(day(30)), watch)
    assert estimate_line(SITE, watch.heard[1]) == (
        "forum: everything is read again: at most about 45 requests, about 2 minutes at 30 a minute. "
        "It can be stopped at any time and goes on from there. 'x: never' stops that."
    )
    told = Synced([report]).document()["sites"][0]["estimates"]
    assert told[1] == {"what": "everything is read again", "requests": 45, "at_most": True, "minutes": 1.5}


def test_an_estimate_says_what_everything_costs_and_what_less_would() -> None:
    assert "about 120 requests, about 4 minutes at 30 a minute" in said(120)
    assert "less than a minute" in said(3)
    assert "about 37.0 hours" in said(66_600)
    assert "With 'since: 2026-02-01' it would be about 900 requests, about 30 minutes" in said(
        66_600, of_month=900
    )
    assert "With 'since" not in said(120, of_month=90) + said(1000, of_month=900)
    bounded = said(66_600, of_month=900, since=date(2020, 1, 1))
    assert "everything since 2020-01-01 is read once: at most about 66,600" in bounded
    assert "is read once: about 900 requests" in said(66_600, of_month=900, since=date(2026, 2, 20))
    assert "at most about 1 request, less than a minute" in said(1, at_most=True)


# --- Counting -----------------------------------------------------------------------------------------


def counts(report: SiteReport) -> tuple[int, int, int]:
    return report.counts.members, report.counts.threads, report.counts.contributions


def test_a_first_sync_that_was_cut_counts_what_it_brought_once(store: Store) -> None:
    """However often it has met it: the end of an enumeration is stored twice, and going on overlaps."""
    people = Batch(records=(member("1"), member("2")), scan="x", ended=(Kind.MEMBER,))
    again = Batch(records=(member("2"), thread("1"), post("1")))
    more = Batch(records=(thread("1"), post("1"), post("2")))
    lost = Unreachable("The site does not answer.")
    first = sync_one(store, FakeSite([people, again, more], faults={2: lost}), day(30))
    assert (first.complete, counts(first)) == (False, (2, 1, 1))
    second = sync_one(store, FakeSite([people, again, more]), day(31))
    assert (second.complete, counts(second)) == (True, (0, 0, 1))


def test_what_a_first_sync_read_and_then_saw_to_be_gone_was_not_deleted(store: Store) -> None:
    """A wiki's redirects are among the revisions, and no pages."""
    batches = [Batch(records=(thread("1"), thread("2"))), Batch(gone=((thread("2").ref, None),))]
    report = sync_one(store, FakeSite(batches), day(30))
    assert (counts(report), report.counts.deleted) == ((0, 1, 0), 0)


def test_a_first_sync_that_nothing_stopped_counts_all_that_the_mirror_holds(store: Store) -> None:
    batch = Batch(records=(member("1"), thread("1"), post("1"), post("2")))
    assert counts(sync_one(store, FakeSite([batch, batch]), day(30))) == (1, 1, 2)
