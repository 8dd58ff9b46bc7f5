"""Signing in with a Discourse forum as the provider (DiscourseConnect).

We send the browser to the forum's `/session/sso_provider` with a nonce and the address to come back to, as
Base64 of a query string with an HMAC-SHA256 of it; the forum signs its answer with the same secret. See
https://meta.discourse.org/t/32974.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

from ....config.errors import OrditoError
from .sign_ins import Person, SignIns

NONCE = timedelta(minutes=10)
"""How long somebody may take to sign in at the forum."""


class NotSignedIn(OrditoError):
    """The answer of the forum lets nobody in; `suspicious` if it was not made for this browser."""

    def __init__(self, message: str, *, suspicious: bool = False) -> None:
        super().__init__(message, hint="Please sign in again.")
        self.suspicious = suspicious


@dataclass(frozen=True, slots=True)
class Answer:
    """What the forum says of somebody."""

    person: Person
    staff: bool
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Connect:
    """One forum, and the address to which it sends people back."""

    site: str
    forum: str
    secret: str = field(repr=False)
    back: str
    sign_ins: SignIns

    def begin(self, visit: str, now: datetime) -> str:
        """Where to send a browser. `visit` is known to this browser only, and binds the answer to it."""
        stamp = f"{int(now.timestamp())}-{secrets.token_hex(16)}"
        nonce = f"{stamp}-{self._seal(stamp, visit)}"
        payload = base64.b64encode(urlencode({"nonce": nonce, "return_sso_url": self.back}).encode()).decode()
        query = urlencode({"sso": payload, "sig": self._sign(payload)})
        return f"{self.forum}/session/sso_provider?{query}"

    def finish(self, payload: str, signature: str, visit: str, now: datetime) -> Answer:
        """Read the forum's answer, which can be used once. Raises NotSignedIn."""
        if not hmac.compare_digest(self._sign(payload).encode(), signature.encode()):
            raise NotSignedIn("The answer was not signed by the forum.", suspicious=True)
        fields = _fields(payload)
        nonce = fields.get("nonce", "")
        self._check(nonce, visit, now)
        if fields.get("failed") == "true" or not fields.get("external_id") or not fields.get("username"):
            raise NotSignedIn("You are not signed in at the forum.")
        if not self.sign_ins.spend(nonce, now, NONCE):
            raise NotSignedIn("This answer of the forum was used before.", suspicious=True)
        return Answer(
            person=Person(fields["username"], self.site, fields["external_id"]),
            staff="true" in (fields.get("admin"), fields.get("moderator")),
            groups=frozenset(fields.get("groups", "").split(",")) - {""},
        )

    def _check(self, nonce: str, visit: str, now: datetime) -> None:
        stamp, _, seal = nonce.rpartition("-")
        if not visit or not hmac.compare_digest(self._seal(stamp, visit).encode(), seal.encode()):
            raise NotSignedIn("This answer was not asked for in this browser.", suspicious=True)
        begun = datetime.fromtimestamp(int(stamp.partition("-")[0]), UTC)
        if not timedelta(minutes=-1) <= now - begun <= NONCE:
            raise NotSignedIn("Signing in took too long.")

    def _seal(self, stamp: str, visit: str) -> str:
        return self.sign_ins.seal("nonce", stamp, visit)

    def _sign(self, payload: str) -> str:
        return hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _fields(payload: str) -> Mapping[str, str]:
    try:
        text = base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, ValueError):
        raise NotSignedIn("The answer of the forum cannot be read.", suspicious=True) from None
    return {key: values[0] for key, values in parse_qs(text).items()}
