"""The JSON documents of `apply`, `undo` and `log` (DESIGN §10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ...connectors.base import receipt_to_json
from .bench import Report
from .listing import Entry


def apply_document(report: Report) -> dict[str, Any]:
    return {
        "applied": [{"id": p.id, "receipt": receipt_to_json(receipt)} for p, receipt in report.applied],
        "superseded": [{"id": id_, "reason": reason} for id_, reason in report.superseded],
        "held": [{"id": h.id, "until": _time(h.until), "reason": h.reason} for h in report.held],
        "failed": [{"id": f.id, "error": f.error, "retriable": f.retriable} for f in report.failed],
        "unsettled": [{"id": id_, "error": error} for id_, error in report.unsettled],
        **_errors([asdict(error) for error in report.errors]),
    }


def undo_document(report: Report, entries: Iterable[Entry]) -> dict[str, Any]:
    """What was not undone is among the errors."""
    failed = [
        {"site": f.site, "kind": f.kind, "message": f"Proposal {f.id} was not undone. {f.error}", "hint": ""}
        for f in report.failed
    ]
    return {**entries_document(entries), **_errors([*(asdict(error) for error in report.errors), *failed])}


def entries_document(entries: Iterable[Entry]) -> dict[str, Any]:
    return {
        "entries": [
            {
                "id": entry.proposal.id,
                "item": str(entry.proposal.item),
                "verb": entry.proposal.verb,
                "state": str(entry.proposal.state),
                "at": _time(entry.at),
                "approved_by": entry.proposal.approved_by,
                "receipt": None if entry.receipt is None else receipt_to_json(entry.receipt),
            }
            for entry in entries
        ]
    }


def _errors(errors: list[dict[str, str]]) -> dict[str, Any]:
    """The key is there only where something failed."""
    return {"errors": errors} if errors else {}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
