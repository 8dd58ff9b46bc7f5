"""A sync as a command has it: which sites, who watches, and what is said about it in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from ..connectors.records import Kind
from .identities import entries_of, refresh
from .mirror import Gap, SiteReport, Source, sync_sites
from .progress import Moving, Notes
from .store.times import moment

if TYPE_CHECKING:
    from ..config.errors import ConnectorError
    from ..connectors.base import Freshness, Platform
    from .audit import Audited
    from .context import App


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of all sites."""

    reports: list[SiteReport]

    @property
    def exit_code(self) -> int:
        """0 if every site was read to its end, 1 if nothing could be read at all, else 3."""
        if all(report.error is None for report in self.reports):
            return 0
        return 3 if any(report.error is None or report.stored for report in self.reports) else 1

    def document(self) -> dict[str, Any]:
        """The JSON document of DESIGN §10; `errors` only where there are any."""
        document: dict[str, Any] = {"sites": [_site_document(report) for report in self.reports]}
        errors = [
            _error_document(report.site, report.error) for report in self.reports if report.error is not None
        ]
        return document | ({"errors": errors} if errors else {})


def run_sync(app: App, names: Sequence[str] = (), *, full: bool = False) -> Synced:
    """Sync the sites named, or all. The caller holds the run's lock. Raises UsageError, StoreError."""
    sources = {site: source(app, site) for site in app.sites(names)}
    people = entries_of(app)
    with Moving(app.out) if app.out.terminal else nullcontext(Notes(app.out)) as watch:
        synced = Synced(sync_sites(app.store, sources, app.world, watch, full=full))
    if people or any(report.counts.members for report in synced.reports):
        refresh(app, people)
    return synced


def source(app: App, site: str) -> Source:
    return Source(
        site=site,
        family=app.platform(site).family,
        settings=app.sites([site])[site],
        connect=partial(app.connector, site),
    )


def error_line(report: SiteReport) -> str:
    """What went wrong with a site, and the next thing to do."""
    error = report.error
    return "" if error is None else " ".join(f"{report.site}: {error.message} {error.hint}".split())


def summary_line(report: SiteReport, platform: Platform) -> str:
    """One line for people, in the platform's own words."""
    counts = report.counts
    came: Mapping[str, int] = {
        Kind.MEMBER: counts.members, Kind.THREAD: counts.threads, Kind.CONTRIBUTION: counts.contributions
    }  # fmt: skip
    nothing = "nothing new" if report.complete else "nothing read yet"
    new = _amounts(came, platform)
    read = f"read {new}" if new else nothing
    deleted = f", {counts.deleted:,} deleted" if counts.deleted else ""
    removed = ", ".join(filter(None, (_amounts(report.removed, platform), _texts(report.removed, platform))))
    left_out = f"; removed {removed}, which the settings leave out" if removed else ""
    waited = f" ({report.waited:.0f} s of them waiting)" if report.waited >= 1 else ""
    end = "" if report.complete else "; not finished, the next sync goes on from here"
    requests = f"{report.requests:,} request{'' if report.requests == 1 else 's'}"
    return f"{report.site}: {read}{deleted}{left_out}; {requests} in {report.seconds:.0f} s{waited}{end}."


def _amounts(counts: Mapping[str, int], platform: Platform) -> str:
    return ", ".join(
        f"{number:,} {platform.words(kind)}{'' if number == 1 else 's'}"
        for kind in (Kind.MEMBER, Kind.THREAD, Kind.CONTRIBUTION)
        if (number := counts.get(kind, 0))
    )


def _texts(removed: Mapping[str, int], platform: Platform) -> str:
    """Texts of what stays."""
    number, word = removed.get("text", 0), platform.words(Kind.CONTRIBUTION)
    return f"the text of {number:,} {word}{'' if number == 1 else 's'}" if number else ""


def _site_document(report: SiteReport) -> dict[str, Any]:
    return {
        "site": report.site,
        "complete": report.complete,
        "requests": report.requests,
        "waited": report.waited,
        "retries": report.retries,
        "members": report.counts.members,
        "threads": report.counts.threads,
        "contributions": report.counts.contributions,
        "deleted": report.counts.deleted,
        "removed": {
            "members": report.removed[Kind.MEMBER],
            "threads": report.removed[Kind.THREAD],
            "contributions": report.removed[Kind.CONTRIBUTION],
            "texts": report.removed["text"],
        },
        "seconds": report.seconds,
        "estimates": [estimate.document() for estimate in report.estimates],
        "gaps": [gap_document(gap) for gap in report.gaps],
    }


def audit_document(results: Sequence[Audited]) -> dict[str, Any]:
    """The JSON document of `ordito audit`."""
    document: dict[str, Any] = {
        "sites": [
            {
                "site": result.site,
                "checked": result.checked,
                "gaps": [{**gap_document(gap), "closable": gap.closable} for gap in result.gaps],
                "counts": [
                    {"kind": count.kind, "site": count.stated, "mirror": count.held, "why": count.why}
                    for count in result.counts
                ],
                "fresh": [_fresh_document(fresh) for fresh in result.fresh],
            }
            for result in results
        ]
    }
    errors = [_error_document(result.site, result.error) for result in results if result.error is not None]
    return document | ({"errors": errors} if errors else {})


def _fresh_document(fresh: Freshness) -> dict[str, Any]:
    within = None if fresh.within is None else fresh.within.total_seconds()
    until = None if fresh.until is None else fresh.until.isoformat()
    since = None if fresh.reading_since is None else fresh.reading_since.isoformat()
    usually = within if fresh.usually is None else fresh.usually.total_seconds()
    return {
        "change": fresh.aspect, "until": until, "within": within, "usually": usually, "reading_since": since,
    }  # fmt: skip


def fresh_lines(result: Audited) -> Iterator[str]:
    """Up to when the mirror is true: kinds of changes that are alike in that share a line."""
    alike: dict[Freshness, list[str]] = {}
    for fresh in result.fresh:
        alike.setdefault(replace(fresh, aspect="contributions"), []).append(fresh.aspect)
    for fresh, aspects in alike.items():
        what = "every kind of change" if len(alike) == 1 else ", ".join(aspects)
        if fresh.until is None and fresh.hint:
            yield f"{result.site}: not open to this account, so not known: {what}; {fresh.hint}"
            continue
        when, seen, reading = "not known", "", fresh.reading_since
        if fresh.until is not None:
            when = f"true up to {fresh.until:%Y-%m-%d %H:%M} UTC"
            seen = _seen(fresh)
        now = f"; being read since {reading:%Y-%m-%d %H:%M} UTC" if reading is not None else ""
        yield f"{result.site}: {when}: {what}{seen}{now}"


def _seen(fresh: Freshness) -> str:
    if not fresh.within:
        return _SEEN_IN[fresh.within]
    usually = f" as a rule within {_words(fresh.usually)}, always" if fresh.usually else ""
    return f", seen{usually} within {_words(fresh.within)}"


_SEEN_IN: Mapping[timedelta | None, str] = {
    None: ", seen by 'ordito sync --full' only", timedelta(0): ", seen by the next sync"
}  # fmt: skip


def _words(span: timedelta) -> str:
    hours = round(span.total_seconds() / 3600)
    number, unit = (hours // 24, "day") if hours % 24 == 0 and hours else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def count_lines(result: Audited) -> Iterator[str]:
    """Counts that differ for a reason that is no gap."""
    for count in result.counts:
        if count.why:
            yield (
                f"{result.site}: {count.stated:,} {count.kind} there, {count.held:,} here: {count.why}."
            )


def gap_line(site: str, gap: Gap) -> str:
    """One gap for people."""
    since = moment(gap.since)
    return f"{site}: {gap.kind}: {gap.what}" + (f" ({since:%Y-%m-%d %H:%M} UTC)" if since else "")


def _error_document(site: str, error: ConnectorError) -> dict[str, Any]:
    return {"site": site, "kind": error.kind, "message": error.message, "hint": error.hint}


def gap_document(gap: Gap) -> dict[str, Any]:
    since = moment(gap.since)
    return {"kind": gap.kind, "what": gap.what, "since": None if since is None else since.isoformat()}
