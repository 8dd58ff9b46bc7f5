"""The JSON documents of `plan` and `why` (DESIGN §10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ..connectors.base import Platform
from .engine import Plan
from .kind import Held
from .review.documents import proposal_document
from .why import Why


def held_documents(held: Iterable[Held]) -> list[dict[str, str]]:
    return [{"policy": h.policy, "item": h.item, "by": h.by, "reason": h.reason} for h in held]


def plan_document(plan: Plan, platforms: Mapping[str, Platform]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "as_of": plan.as_of.isoformat(),
        "proposals": [proposal_document(each, platforms[each.site]) for each in plan.proposals],
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
