"""What people answer to us: the phrase that ends all contact, and a yes or no to a question.

Read from the mirror before every plan, and again of the people whom an action addresses before it is done:
replies of others in threads in which we wrote, by their own words (`answers.py`). What is neither a plain yes
nor a plain no is kept as unclear, for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, tuple_

from ..connectors.records import Kind, Ref
from ..sync.inserts import insert_missing
from ..sync.store.tables import attempts, consents, contributions, doings, opt_outs, proposals, texts, threads
from ..sync.store.times import micros
from .answers import Verdict, asks_to_stop, own_lines, takes_back, verdict
from .builtin.experts import ASK

_WHOLE = ("page", "talk")
"""Threads whose contributions are whole texts, not answers: see `talk_inbox.py`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of `member` in a thread in which we wrote for `policy` (its `step`), in lines of their own."""

    contribution: Ref
    member: str
    addressed: str
    policy: str
    step: str
    lines: tuple[str, ...]


def take_in(conn: Connection, phrase: str, now: datetime, of: Sequence[Ref] | None = None) -> int:
    """Note opt-outs and answers that are not noted yet; how many there were. In the caller's transaction.

    `of`: only those of these accounts.
    """
    from .talk_inbox import talk_answers  # which knows what an answer is from here

    noted = 0
    said: dict[tuple[str, str, str], tuple[Answer, Verdict]] = {}
    for answer in (*_answers(conn, of), *talk_answers(conn, phrase, of)):
        if answer.lines and asks_to_stop(answer.lines[0], phrase):
            noted += _opt_out(conn, answer, now)
        elif answer.step == ASK and answer.member == answer.addressed:
            key = (answer.contribution.site, answer.member, answer.policy)
            found = verdict(answer.lines) or _nothing_left(conn, answer)
            if found and _counts(found, answer, key in said and said[key][1] != "unclear"):
                said[key] = (answer, found)  # the last one counts
    return noted + sum(_consent(conn, answer, found, now) for answer, found in said.values())


def _counts(found: Verdict, answer: Answer, decided: bool) -> bool:
    """Whether a reply is an answer: after a plain yes or no, thanks and the like are none."""
    return found != "unclear" or not decided or takes_back(answer.lines)


def _nothing_left(conn: Connection, answer: Answer) -> Verdict | None:
    """Nobody can be sure any more of an answer that was noted and then struck out."""
    c, at = consents.c, answer.contribution
    noted = select(c.answer).where(c.site == at.site, c.member == answer.member, c.about == answer.policy)
    return "unclear" if conn.execute(noted.where(c.evidence == str(at))).first() else None


def _answers(conn: Connection, of: Sequence[Ref] | None) -> Iterator[Answer]:
    ours, theirs = contributions.alias("ours"), contributions.alias("theirs")
    made = doings.alias("made")
    written = select(made.c.id).where(made.c.site == theirs.c.site, made.c.kind == Kind.CONTRIBUTION)
    query = (
        select(
            theirs.c.site, theirs.c.id, theirs.c.author, texts.c.text,
            proposals.c.item, proposals.c.policy, proposals.c.step,
        )
        .join_from(doings, ours, and_(ours.c.site == doings.c.site, ours.c.id == doings.c.id))
        .join(theirs, and_(theirs.c.site == ours.c.site, theirs.c.thread == ours.c.thread))
        .join(threads, and_(threads.c.site == theirs.c.site, threads.c.id == theirs.c.thread))
        .join(texts, and_(texts.c.site == theirs.c.site, texts.c.contribution == theirs.c.id))
        .join(attempts, attempts.c.id == doings.c.attempt)
        .join(proposals, proposals.c.id == attempts.c.proposal)
        .where(
            doings.c.kind == Kind.CONTRIBUTION,
            theirs.c.author != ours.c.author,
            theirs.c.created_at >= ours.c.created_at,
            theirs.c.deleted_at.is_(None),
            theirs.c.id.not_in(written),
            threads.c.kind.not_in(_WHOLE),
        )
        .order_by(theirs.c.created_at, theirs.c.id)
    )  # fmt: skip
    if of is not None:
        query = query.where(tuple_(theirs.c.site, theirs.c.author).in_([(who.site, who.id) for who in of]))
    for row in conn.execute(query).all():
        item = Ref.parse(row.item)
        addressed = item.id if item.kind == Kind.MEMBER else ""
        ref = Ref(row.site, Kind.CONTRIBUTION, row.id)
        yield Answer(ref, row.author, addressed, row.policy, row.step, tuple(own_lines(row.text)))


def _opt_out(conn: Connection, answer: Answer, now: datetime) -> int:
    row = {
        "site": answer.contribution.site,
        "member": answer.member,
        "how": "phrase",
        "at": micros(now),
        "evidence": str(answer.contribution),
    }
    return insert_missing(conn, opt_outs, [row])


def _consent(conn: Connection, answer: Answer, found: Verdict, now: datetime) -> int:
    key = {"site": answer.contribution.site, "member": answer.member, "about": answer.policy}
    values = {"answer": found, "at": micros(now), "evidence": str(answer.contribution)}
    if insert_missing(conn, consents, [key | values]):
        return 1
    same = and_(*(consents.c[name] == value for name, value in key.items()))
    other = or_(consents.c.evidence != values["evidence"], consents.c.answer != values["answer"])
    changed = conn.execute(consents.update().where(same, other).values(**values))
    return changed.rowcount
