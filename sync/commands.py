"""`ordito sync` and `ordito audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .context import App


@click.command()
@click.argument("sites", nargs=-1, metavar="[SITE]...")
@click.option("--full", is_flag=True, help="Read everything again; nothing that is known gets lost.")
@click.pass_obj
def sync(app: App, sites: tuple[str, ...], full: bool) -> int:
    """Bring the mirror up to date with the sites.

    Reads what changed since the last time, of all sites or of those named. The first time that is
    everything; it can be stopped at any time and goes on from there.
    """
    from .locks import Holder, run_lock
    from .store.runs import recorded
    from .syncing import error_line, run_sync, summary_line

    app.sites(sites)
    with (
        run_lock(app.store, Holder.here("sync", app.user), app.now),
        recorded(app.store, "sync", app.now) as run,
    ):
        try:
            synced = run_sync(app, sites, full=full)
        except KeyboardInterrupt:
            app.out.note("What was read is kept; the next sync goes on from there.")
            raise
        run.exit_code, run.summary = synced.exit_code, synced.document()
    app.out.document(synced.document())
    for report in synced.reports:
        if report.error is None or report.stored:
            app.out.say(summary_line(report, app.platform(report.site)))
        if report.error is not None:
            app.out.warn(error_line(report))
    return synced.exit_code


@click.command()
@click.argument("sites", nargs=-1, metavar="[SITE]...")
@click.pass_obj
def audit(app: App, sites: tuple[str, ...]) -> int:
    """Compare the mirror with the sites and name every gap.

    Compares counts, asks for what holes in the numbering may hide, reads a random sample again, and says up
    to when each kind of change is known. Best after a sync: what changed since the last one looks like a gap.
    Exits with 3 if there is any that reading could close; what the account may not see is only named.
    """
    from .audit import audit_sites
    from .locks import Holder, run_lock
    from .syncing import audit_document, count_lines, fresh_lines, gap_line, source

    sources = {site: source(app, site) for site in app.sites(sites)}
    if app.out.terminal:
        app.out.note(f"Comparing {', '.join(sources)}: about 50 requests each …")
    with run_lock(app.store, Holder.here("audit", app.user), app.now):
        results = audit_sites(app.store, sources, app.now())
    app.out.document(audit_document(results))
    for result in results:
        gaps = [gap for gap in result.gaps if gap.closable]
        if not gaps and result.error is None:
            app.out.say(f"{result.site}: {result.checked} items compared, no gap found.")
        for gap in gaps:
            app.out.say(gap_line(result.site, gap))
        for line in (*count_lines(result), *fresh_lines(result)):
            app.out.say(line)
        if result.error is not None:
            app.out.warn(f"{result.site}: {result.error.message} {result.error.hint}".rstrip())
    missing = any(result.error or any(gap.closable for gap in result.gaps) for result in results)
    return 3 if missing else 0
