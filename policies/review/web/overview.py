"""The policies with what became of their proposals, the constitution, and how the last runs went."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import Connection, func, select

from ....config.mode import Mode
from ....config.settings import Constitution
from ....sync.outbox import State
from ....sync.store.tables import checkpoints, gaps, locks, proposals, reviews, runs
from ....sync.store.times import moment
from ...earning import acts_alone
from .page import page

views = Blueprint("overview", __name__)

_RUNS = 30


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `kind` '': it has left the settings. `accepted`, `judged`: of what people decided."""

    name: str
    kind: str
    sites: tuple[str, ...]
    mode: str
    alone: bool
    states: Mapping[str, int]
    accepted: int
    judged: int

    @property
    def rate(self) -> str:
        return f"{100 * self.accepted // self.judged} %" if self.judged else ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program. `told`: what it did, in numbers."""

    command: str
    started_at: datetime
    finished_at: datetime | None
    exit_code: int | None
    told: str


@views.get("/policies")
def policies() -> str:
    here = page()
    with here.app.store.read() as conn:
        shown = _policies(conn)
    return render_template(
        "policies.html", policies=shown, constitution=_articles(here.app.settings.constitution)
    )


@views.get("/health")
def health() -> str:
    here = page()
    with here.app.store.read() as conn:
        synced = {row.site: row for row in conn.execute(select(checkpoints))}
        counted = conn.execute(select(gaps.c.site, func.count()).group_by(gaps.c.site))
        missing: dict[str, int] = {site: number for site, number in counted}
        working = conn.execute(select(locks.c.holder).limit(1)).scalar_one_or_none()
        latest = conn.execute(select(runs).order_by(runs.c.id.desc()).limit(_RUNS)).all()
    mirrored = [
        (site, moment(synced[site].synced_at) if site in synced else None, missing.get(site, 0))
        for site in here.app.settings.sites
    ]
    last = [
        Run(row.command, moment(row.started_at), moment(row.finished_at), row.exit_code, _told(row.summary))
        for row in latest
    ]
    return render_template("health.html", mirrored=mirrored, working=working, runs=last)


def _policies(conn: Connection) -> list[Policy]:
    settings = page().app.settings
    states: dict[str, dict[str, int]] = defaultdict(dict)
    grouped = select(proposals.c.policy, proposals.c.state, func.count())
    for policy, state, number in conn.execute(grouped.group_by(proposals.c.policy, proposals.c.state)):
        states[policy][state] = number
    judged = _judged(conn)
    found = []
    for name in [*settings.policies, *sorted(set(states) - set(settings.policies))]:
        policy = settings.policies.get(name)
        mode = policy.mode.within(settings.constitution.mode) if policy else Mode("off")
        found.append(
            Policy(
                name=name,
                kind=policy.use if policy else "",
                sites=tuple(policy.on) if policy else (),
                mode=_mode(mode),
                alone=acts_alone(conn, name, mode),
                states={state: states[name][state] for state in State if state in states[name]},
                accepted=judged[name, "approved"],
                judged=judged[name, "approved"] + judged[name, "rejected"],
            )
        )
    return found


def _judged(conn: Connection) -> Counter[tuple[str, str]]:
    """Approvals and rejections of each policy; the last word on a proposal counts."""
    last = (
        select(func.max(reviews.c.id))
        .where(reviews.c.decision.in_(("approved", "rejected", "reopened")))
        .group_by(reviews.c.proposal)
    )
    rows = conn.execute(
        select(proposals.c.policy, reviews.c.decision, func.count())
        .join_from(reviews, proposals, proposals.c.id == reviews.c.proposal)
        .where(reviews.c.id.in_(last))
        .group_by(proposals.c.policy, reviews.c.decision)
    )
    return Counter({(policy, decision): number for policy, decision, number in rows})


def _mode(mode: Mode) -> str:
    match mode.level:
        case "off":
            return "off"
        case "propose":
            return "proposes; people decide"
        case "auto":
            return "acts by itself"
    return f"acts by itself once {mode.earn.accepted:.0%} of {mode.earn.reviews} single reviews approved"


def _articles(law: Constitution) -> list[tuple[str, str]]:
    """The constitution in force, an article a line."""
    limits, contact, never, hours = law.limits, law.contact, law.never, law.quiet_hours
    lists = (
        ("members", never.members),
        ("groups", never.groups),
        ("areas", never.spaces),
        ("labels", never.labels),
    )
    left_alone = "; ".join(f"{what}: {', '.join(names)}" for what, names in lists if names)
    group = f"being in the group {law.opt_out.group}, or " if law.opt_out.group else ""
    return [
        ("The most that any policy may", _mode(law.mode)),
        (
            "In one run",
            f"{limits.per_run} actions, {limits.per_policy} of one policy, "
            f"{limits.share:.0%} of the items that it looks at",
        ),
        (
            "One person hears from us",
            f"at most {contact.messages} time{'' if contact.messages == 1 else 's'} in {contact.per}, "
            "all policies together",
        ),
        (
            "Quiet hours",
            f"{hours.start:%H:%M} to {hours.end:%H:%M}, {hours.timezone}" if hours else "none",
        ),
        ("Left alone", left_alone or "nobody in particular"),
        ("People opt out by", f"{group}answering {law.opt_out.phrase}"),
        ("Everything halts by", f"a word on {law.stop}" if law.stop else "no page is named for it"),
        ("An approval waits", f"{law.undo_window}, so that it can be taken back"),
        ("Nobody reviews it", f"it lapses after {law.expire}"),
    ]


def _told(summary: str) -> str:
    """The numbers of a run's summary that are not zero, whatever the command; `a.b` for nested ones."""
    numbers = {name: value for name, value in _numbers(json.loads(summary)) if value}
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in numbers.items())


def _numbers(document: Any, prefix: str = "") -> list[tuple[str, float]]:
    if isinstance(document, bool) or document is None:
        return []
    if isinstance(document, int | float):
        return [(prefix, document)]
    if isinstance(document, dict):
        return [
            each
            for name, value in document.items()
            for each in _numbers(value, f"{prefix} {name}".strip())
        ]
    return []
