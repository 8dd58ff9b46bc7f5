"""Sessions and links of the review page: random tokens, of which the store holds keyed hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, exists, insert, or_, select

from ....sync.inserts import insert_missing
from ....sync.store.store import Store
from ....sync.store.tables import sign_ins
from ....sync.store.times import micros, moment

SESSION = timedelta(hours=8)
"""The longest that somebody stays signed in."""

LINK = timedelta(minutes=10)
"""How long the link that `ordito serve` prints can be used, once."""


class Purpose(StrEnum):
    """`link` lets in once, `invitation` until it expires; `answer`: of the forum, and used up."""

    SESSION = "session"
    LINK = "link"
    INVITATION = "invitation"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may review. `site` and `member`: the account by which the forum knows them."""

    name: str
    site: str | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a token stands for."""

    digest: str
    person: Person
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignIns:
    """Tokens in a store. Whoever reads the store learns none."""

    store: Store

    def issue(
        self,
        purpose: Purpose,
        person: Person,
        now: datetime,
        lasts: timedelta,
        *,
        parent: Ticket | None = None,
    ) -> str:
        """A new token, valid for `lasts` and no longer than its parent. What has expired is removed."""
        token = secrets.token_urlsafe(32)
        expires_at = min(now + lasts, parent.expires_at) if parent else now + lasts
        row = {
            "digest": self._digest(purpose, token),
            "purpose": purpose,
            "name": person.name,
            "site": person.site,
            "member": person.member,
            "parent": parent.digest if parent else None,
            "made_at": micros(now),
            "expires_at": micros(expires_at),
        }
        with self.store.write() as conn:
            conn.execute(delete(sign_ins).where(sign_ins.c.expires_at <= micros(now)))
            conn.execute(insert(sign_ins).values(row))
        return token

    def find(self, purpose: Purpose, token: str, now: datetime) -> Ticket | None:
        """None for a token that there is not, has expired, or whose invitation was withdrawn."""
        with self.store.read() as conn:
            return self._find(conn, purpose, token, now)

    def take(self, token: str, now: datetime) -> Ticket | None:
        """What a link stands for, once."""
        with self.store.write() as conn:
            found = self._find(conn, Purpose.LINK, token, now)
            if found is not None:
                conn.execute(delete(sign_ins).where(sign_ins.c.digest == found.digest))
            return found

    def spend(self, nonce: str, now: datetime, lasts: timedelta) -> bool:
        """Remember that an answer of the forum was used; False if it has been before."""
        row = {
            "digest": self._digest(Purpose.ANSWER, nonce),
            "purpose": Purpose.ANSWER.value,
            "name": "",
            "made_at": micros(now),
            "expires_at": micros(now + lasts),
        }
        with self.store.write() as conn:
            return bool(insert_missing(conn, sign_ins, [row]))

    def end(self, token: str) -> None:
        """Sign out."""
        with self.store.write() as conn:
            digest = self._digest(Purpose.SESSION, token)
            conn.execute(delete(sign_ins).where(sign_ins.c.digest == digest))

    def withdraw(self, name: str) -> int:
        """End the invitations of that name; their sessions end with them. How many there were."""
        with self.store.write() as conn:
            theirs = delete(sign_ins).where(
                sign_ins.c.purpose == Purpose.INVITATION, sign_ins.c.name == name
            )
            return conn.execute(theirs).rowcount

    def seal(self, *words: str) -> str:
        """A keyed hash of these words: nobody but us could have made it."""
        return hmac.new(self.store.secret, "\0".join(words).encode(), hashlib.sha256).hexdigest()

    def _digest(self, purpose: Purpose, token: str) -> str:
        return self.seal("sign-in", purpose, token)

    def _find(self, conn: Connection, purpose: Purpose, token: str, now: datetime) -> Ticket | None:
        parents = sign_ins.alias("parents")
        stands = exists().where(parents.c.digest == sign_ins.c.parent)
        row = conn.execute(
            select(sign_ins).where(
                sign_ins.c.digest == self._digest(purpose, token),
                sign_ins.c.expires_at > micros(now),
                or_(sign_ins.c.parent.is_(None), stands),
            )
        ).one_or_none()
        if row is None:
            return None
        return Ticket(row.digest, Person(row.name, row.site, row.member), moment(row.expires_at))
