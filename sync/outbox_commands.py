"""`ordito apply`, `ordito undo` and `ordito log`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from .outbox import Entry, Filters, Held, Proposal, Report, State, get, journal
from .outbox import apply as apply_approved
from .outbox import undo as undo_applied
from .outbox.documents import apply_document, entries_document, undo_document

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..connectors.base import Receipt
    from .context import App

DONE = (State.APPLYING, State.APPLIED, State.UNDONE, State.FAILED, State.UNSETTLED)
"""What `log` shows unless it is told otherwise: all that was done, or tried."""
_TIME = "%Y-%m-%d %H:%M"
_STATES = [state.value for state in State]


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]…")
@click.pass_obj
def apply(app: App, ids: tuple[int, ...]) -> int:
    """Carry out what is approved.

    With IDs: these now, without waiting for the time in which an approval can be taken back.
    """
    from .store.runs import recorded
    from .workbench import workbench

    with workbench(app, "apply") as bench, recorded(app.store, "apply", app.now) as run:
        report = apply_approved(bench, app.gate(), ids)
        run.exit_code, run.summary = report.exit_code, report.summary
    app.out.document(apply_document(report))
    with app.store.read() as conn:
        show_report(app, conn, report)
    return report.exit_code


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="ID…", required=True)
@click.option("--as", "by", metavar="NAME", help="Who undoes it, for the journal; else the login name.")
@click.pass_obj
def undo(app: App, ids: tuple[int, ...], by: str | None) -> int:
    """Reverse what was done.

    Messages are withdrawn, but notifications and mails have gone out.
    """
    from .store.runs import recorded
    from .workbench import workbench

    with workbench(app, "undo") as bench, recorded(app.store, "undo", app.now) as run:
        report = undo_applied(bench, ids, by or app.user)
        run.exit_code, run.summary = report.exit_code, report.summary
    with app.store.read() as conn:
        entries = [Entry(get(conn, proposal.id), receipt) for proposal, receipt in report.undone]
        app.out.document(undo_document(report, entries))
        show_report(app, conn, report)
    return report.exit_code


@click.command()
@click.argument("item", required=False)
@click.option("--policy", "policies", multiple=True, metavar="POLICY", help="Of this policy.")
@click.option("--member", metavar="ITEM", help="What concerns this member, or was written to them.")
@click.option("--since", metavar="TIME", help="From then on: 2026-03-01, or '7 days'.")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="In this state.")
@click.option("--by", metavar="NAME", help="Approved or undone by this person.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@click.pass_obj
def log(
    app: App,
    item: str | None,
    policies: tuple[str, ...],
    member: str | None,
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    by: str | None,
    limit: int,
) -> int:
    """What was done, when, and by whom approved."""
    from .items import resolve
    from .moments import read_moment

    now = app.now()
    with app.store.read() as conn:
        filters = Filters(
            states=[State(state) for state in states] or DONE,
            policies=policies,
            item=resolve(item, app.platforms(), conn) if item else None,
            member=resolve(member, app.platforms(), conn) if member else None,
            by=by,
            since=read_moment(since, now) if since else None,
            until=read_moment(until, now) if until else None,
        )
        entries = journal(conn, filters, limit=limit)
        app.out.document(entries_document(entries))
        _show_log(app, conn, entries)
    if len(entries) == limit:
        app.out.note(f"These are the newest {limit}; --limit shows more.")
    return 0


def show_report(app: App, conn: Connection, report: Report) -> None:
    """What came of a run, for people: done, held, superseded, failed, and what needs a person."""
    _show_done(app, conn, "Carried out", report.applied)
    _show_done(app, conn, "Undone", report.undone)
    _show_held(app, conn, report)
    _show_each(app, conn, "No longer fitting", report.superseded)
    failures = [
        (f.id, f"{f.error}{' It will be tried again.' if f.retriable else ''}") for f in report.failed
    ]
    _show_each(app, conn, "Failed", failures)
    _show_each(app, conn, "Perhaps done: please look, then say it by ordito review settle", report.unsettled)
    for error in report.errors:
        app.out.warn(" ".join(part for part in (f"{error.site}:", error.message, error.hint) if part))
    if report.empty:
        app.out.say("Nothing to carry out.")


def _show_done(app: App, conn: Connection, title: str, done: list[tuple[Proposal, Receipt]]) -> None:
    def line(proposal: Proposal, receipt: Receipt) -> str:
        pending = "(waits for the site's own moderators)" if receipt.pending else ""
        parts = (_what(app, conn, proposal), _link(app, conn, proposal, receipt), pending, receipt.note)
        return "  ".join(filter(None, parts))

    _section(app, title, (line(proposal, receipt) for proposal, receipt in done))


def _show_held(app: App, conn: Connection, report: Report) -> None:
    """Together what is held for the same reason."""
    grouped: dict[str, list[Held]] = {}
    for held in report.held:
        grouped.setdefault(held.reason, []).append(held)
    for reason, together in grouped.items():
        lines = (
            _what(app, conn, get(conn, held.id)) + (f"  until {held.until:{_TIME}} UTC" if held.until else "")
            for held in together
        )
        _section(app, f"Held: {reason}", lines)


def _show_each(app: App, conn: Connection, title: str, each: Iterable[tuple[int, str]]) -> None:
    _section(app, title, (f"{_what(app, conn, get(conn, id_))}: {why}" for id_, why in each))


def _section(app: App, title: str, lines: Iterable[str]) -> None:
    written = list(lines)
    if written:
        app.out.say(f"{title} ({len(written)})")
    for line in written:
        app.out.say(f"  {line}")


def _show_log(app: App, conn: Connection, entries: list[Entry]) -> None:
    if not entries:
        app.out.say("Nothing was done yet, or nothing that fits.")
    for entry in entries:
        proposal = entry.proposal
        undone = f" by {entry.undone_by}" if entry.undone_by else ""
        by = f"approved by {proposal.approved_by}" if proposal.approved_by else "not approved"
        app.out.say(f"{entry.at:{_TIME}} UTC  {proposal.state}{undone}, {by}")
        app.out.say(f"  {_what(app, conn, proposal)}")
        for more in (_link(app, conn, proposal, entry.receipt), proposal.error):
            if more:
                app.out.say(f"  {more}")


def _what(app: App, conn: Connection, proposal: Proposal) -> str:
    """`12 welcome-newcomers: send message, user anna`; by ids only where a site has left the settings."""
    from .naming import called

    item = str(proposal.item)
    if proposal.item.site in app.settings.sites:
        item = called(conn, proposal.item, app.platform(proposal.item.site))
    return f"{proposal.id} {proposal.policy}: {proposal.verb.replace('_', ' ')}, {item}"


def _link(app: App, conn: Connection, proposal: Proposal, receipt: Receipt | None) -> str:
    """To what was made, else to the item."""
    from .naming import address

    if receipt is not None and receipt.url:
        return receipt.url
    item = proposal.action.item
    return address(conn, item, app.platform(item.site)) if item.site in app.settings.sites else ""
