"""Proposals as JSON documents (DESIGN §10)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ...connectors.actions import to_json
from ...connectors.base import Platform
from ...sync.outbox import Proposal
from ...sync.store.tables import plans
from .queue import Card
from .verbs import undo_of


def proposal_document(proposal: Proposal, platform: Platform | None) -> dict[str, Any]:
    """One element of `proposals` in the documents of `plan` and `review list`."""
    return {
        "id": proposal.id,
        "key": proposal.key,
        "policy": proposal.policy,
        "site": proposal.site,
        "item": str(proposal.item),
        "action": to_json(proposal.action),
        "because": [
            {"fact": each.fact, "condition": each.condition, "value": each.value} for each in proposal.because
        ],
        "state": proposal.state.value,
        "undo": undo_of(proposal.action, platform),
        "created_at": proposal.created_at.isoformat(),
    }


def list_document(
    chosen: Iterable[Proposal],
    platforms: Mapping[str, Platform],
    held: list[dict[str, str]],
    as_of: datetime,
) -> dict[str, Any]:
    """The document of `review list`."""
    return {
        "as_of": as_of.isoformat(),
        "proposals": [proposal_document(each, platforms.get(each.site)) for each in chosen],
        "held": held,
    }


def card_document(card: Card, platform: Platform | None) -> dict[str, Any]:
    """One element of `proposals` in the document of `review show`: that of the list, and all else."""
    proposal, answers = card.proposal, card.answers
    return {
        **proposal_document(proposal, platform),
        "sentence": card.sentence,
        "title": card.item.title,
        "url": card.item.url,
        "recipients": list(card.recipients),
        "lapses_at": _time(proposal.lapses_at),
        "not_before": _time(proposal.not_before),
        "approved_by": proposal.approved_by,
        "approved_at": _time(proposal.approved_at),
        "edited": proposal.edited,
        "error": proposal.error,
        "claimed_by": card.claimed_by,
        "claimed_until": _time(card.claimed_until),
        "answers": None
        if answers is None
        else {
            "item": str(answers.ref),
            "author": answers.author,
            "at": answers.at.isoformat(),
            "url": answers.url,
            "text": answers.text,
            "cut": answers.cut,
        },
        "reviews": [
            {
                "at": each.at.isoformat(),
                "by": each.by,
                "decision": each.decision,
                "reason": each.reason,
                "bulk": each.bulk,
            }
            for each in card.decided
        ],
        "attempts": [
            {
                "doing": each.doing,
                "by": each.by,
                "at": each.at.isoformat(),
                "outcome": each.outcome,
                "error": each.error,
            }
            for each in card.tried
        ],
    }


def held_back(conn: Connection, policies: Iterable[str] = ()) -> list[dict[str, str]]:
    """What the newest plan held back, as it is told in JSON; of these policies only, if some are named."""
    text = conn.execute(select(plans.c.held).order_by(plans.c.id.desc()).limit(1)).scalar_one_or_none()
    wanted = set(policies)
    return [
        {"policy": policy, "item": item, "by": by, "reason": reason}
        for policy, item, by, reason in json.loads(text or "[]")
        if not wanted or policy in wanted
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
