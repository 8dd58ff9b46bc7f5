"""The JSON documents of DESIGN §10 that are about proposals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ..connectors.actions import to_json
from ..connectors.base import Platform
from ..sync.outbox import Proposal
from .engine import Plan
from .kind import Held
from .undoing import undo_of
from .why import Why


def proposal_document(proposal: Proposal, platforms: Mapping[str, Platform]) -> dict[str, Any]:
    """One proposal; `id` is null where nothing was stored."""
    return {
        "id": proposal.id or None,
        "key": proposal.key,
        "policy": proposal.policy,
        "site": proposal.site,
        "item": str(proposal.item),
        "action": to_json(proposal.action),
        "because": [{"fact": b.fact, "condition": b.condition, "value": b.value} for b in proposal.because],
        "state": str(proposal.state),
        "undo": undo_of(proposal.action, platforms[proposal.site]),
        "created_at": proposal.created_at.isoformat(),
    }


def held_documents(held: Iterable[Held]) -> list[dict[str, str]]:
    return [{"policy": h.policy, "item": h.item, "by": h.by, "reason": h.reason} for h in held]


def plan_document(plan: Plan, platforms: Mapping[str, Platform]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "as_of": plan.as_of.isoformat(),
        "proposals": [proposal_document(each, platforms) for each in plan.proposals],
        "held": held_documents(plan.held),
    }
    if plan.errors:
        document["errors"] = [asdict(error) for error in plan.errors]
    return document


def why_document(why: Why) -> dict[str, Any]:
    return {
        "policy": why.policy,
        "item": str(why.item),
        "matches": why.matches,
        "conditions": [
            {
                "condition": each.condition,
                "value": each.value,
                "holds": each.holds,
                "next": each.next.isoformat() if each.next else None,
            }
            for each in why.conditions
        ],
        "held_by": list(why.held_by),
    }
