"""The wiki's API over one polite session: mwclient's `Site` without what harms, with what it lacks.

mwclient repeats POSTs silently, sends neither `maxlag` nor `baserevid` and does not sign in again. So its
retries are off, the session decides what may be repeated, and every call here carries `maxlag`,
`formatversion=2` and, once signed in, `assert` and `assertuser`: a lost session is noticed and never edits
as an IP address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import mwclient
from mwclient.errors import APIDisabledError, InvalidResponse

from ...config.errors import (
    ConnectorError,
    Forbidden,
    Misconfigured,
    NotThisPlatform,
    OutcomeUnknown,
    RateLimited,
    ReadOnly,
    SignInFailed,
    Unreachable,
)
from ..base import World
from ..http import PATIENCE, PoliteSession
from ..pacing import Allowance, Budget
from .faults import ContinueRefused, error_of
from .merging import merge
from .wiki import WIKI_QUERY, Wiki

Json = dict[str, Any]
Value = str | int | bool | None | Sequence[str | int]

MAXLAG = 5
"""Seconds of replication lag above which the wiki shall turn us away, as its etiquette asks."""

TRIES = 4
_BACK_OFF = 60
"""Seconds of the window that MediaWiki's own rate limits use by default."""

_LONG_URL = 4000
"""Characters of a query, as it is sent, above which it goes into the body: servers take 8,000 as a rule."""


class Client(mwclient.Site):  # type: ignore[misc]  # mwclient ships no types
    """One account on one wiki. It signs in at the first call, and again when the session was lost.

    All calls raise the errors below ConnectorError; a write whose answer is lost is OutcomeUnknown.
    """

    def __init__(
        self, site: str, url: str, username: str, password: str, session: PoliteSession, world: World
    ) -> None:
        address = urlsplit(url)
        super().__init__(
            address.netloc,
            path=address.path.removesuffix("api.php"),
            scheme=address.scheme,
            pool=session,
            max_retries=0,
            do_init=False,
        )
        self.name = site
        self._username = username
        self._password = password
        self._session = session
        self._world = world
        self._account: str | None = None
        self._locked_out: ReadOnly | None = None
        self._tokens: dict[str, str] = {}
        self._wiki: Wiki | None = None

    # Reading

    @property
    def wiki(self) -> Wiki:
        """What the wiki says of itself and of our account; asked for once."""
        if self._wiki is None:
            self.query()
        assert self._wiki is not None  # noqa: S101 - every query without it asks for it
        return self._wiki

    def query(self, **params: Any) -> Json:
        """One `action=query`; the whole answer. The first one also asks what `wiki` needs."""
        learning = self._wiki is None
        answer = self.call("query", **(_joined(params, WIKI_QUERY) if learning else params))
        found = answer.get("query", {})
        if learning:  # a full answer leaves it out, and one to a `continue` takes it for told before
            self._wiki = Wiki.of(found if Wiki.told(found) else self.call("query", **WIKI_QUERY)["query"])
        if "continue" not in params:
            self._turned_off([name for name in str(params.get("list") or "").split("|") if name not in found])
        for kind, token in found.get("tokens", {}).items():
            self._tokens[kind.removesuffix("token")] = token
        return answer

    def _turned_off(self, names: list[str]) -> None:
        """A list that is not in the answer at all, not even empty: the wiki only warns of that."""
        if any(names):
            raise Misconfigured(
                f"the wiki's API does not offer list={', '.join(names)}.",
                where=self.name,
                hint="Ask its admins to turn that on again ($wgAPIListModules).",
            )

    def batches(self, start: Mapping[str, Any] | None = None, **params: Any) -> Iterator[tuple[Json, Json]]:
        """Answers merged until their pages are complete, each with the `continue` that follows it ({}: end).

        `start`: a `continue` to begin from; where the wiki does not know it any more, from the beginning.
        """
        going_on: Json = dict(start or {})
        merged: Json = {}
        while True:
            try:
                answer = self.query(**{**params, **going_on})
            except ContinueRefused:
                if not start:
                    raise
                start, going_on = None, {}
                continue
            merge(merged, answer.get("query", {}))
            if "curtimestamp" in answer:
                merged.setdefault("curtimestamp", answer["curtimestamp"])
            before, start, going_on = going_on, None, answer.get("continue", {})
            if going_on and going_on == before:
                raise _no_room(self.name)
            if answer.get("batchcomplete") or not going_on:
                yield merged, going_on
                merged = {}
            if not going_on:
                return

    def all(self, **params: Any) -> Json:
        """All answers of a query as one; for what is known to be small."""
        merged: Json = {}
        for part, _ in self.batches(**params):
            merge(merged, part)
        return merged

    @property
    def sent(self) -> int:
        """How many requests were sent, signing in included."""
        return int(self._session.statistics["requests"])

    def account(self) -> str:
        """The name of the account that we are signed in as."""
        if self._account is None:
            self._sign_in()
        assert self._account is not None  # noqa: S101 - or _sign_in has raised
        return self._account

    # Writing

    def write(self, action: str, token: str = "csrf", **params: Value) -> Json:  # noqa: S107 - a token's kind
        """One call that changes something; its answer. Never sent again once it may have been taken."""
        return self.call(action, write=True, token_kind=token, **params)

    def has_token(self, kind: str = "csrf") -> bool:
        return kind in self._tokens

    def pause(self, seconds: float) -> None:
        self._session.pause(seconds)

    def edits(self, account: str, per_minute: float) -> Allowance:
        """The budget of an account's edits on this wiki."""
        url = f"{self.scheme}://{self.host}{self.path}"
        return self._session.allowance(Budget.of_edits(url, account, per_minute))

    def await_turn(self, allowance: Allowance) -> None:
        self._session.await_turn(allowance)

    # One call, with what may be mended on the way

    def call(self, action: str, *, write: bool = False, token_kind: str = "", **params: Any) -> Json:
        """Wait out lag and limits, renew the session or token once, and raise for every other error."""
        mended: set[str] = set()
        for attempt in range(1, TRIES + 1):
            manners = self._manners(write)
            if token_kind:
                params["token"] = self._token(token_kind)
            answer = self._send(action, write, {**params, **manners})
            error = answer.get("error")
            if error is None:
                return answer
            code = error.get("code", "")
            if code == "maxlag":
                self._wait(max(float(MAXLAG), float(error.get("lag", 0))), attempt, "is lagging")
            elif code == "ratelimited":
                self._wait(self._window(action) / 2 * attempt, attempt, "limits our pace")
            elif code == "readapidenied" and self._locked_out is not None:
                raise self._locked_out
            elif code in ("assertuserfailed", "assertnameduserfailed", "badtoken") and code not in mended:
                mended.add(code)
                self._tokens.clear()
                if code != "badtoken":
                    self._account = None
                self._session.again()
            elif code.startswith("internal_api_error") and not write and attempt < TRIES:
                self._session.again(2.0**attempt)
            else:
                raise error_of(error, self.name, write)
        raise RateLimited("the wiki asks us to wait.", where=self.name)

    def _manners(self, write: bool) -> dict[str, Value]:
        """Signs in where necessary. A wiki that takes no edits lets nobody sign in: it is then read like
        by any visitor."""
        if self._account is None and self._locked_out is None:
            try:
                self._sign_in()
            except ReadOnly as error:
                if write:
                    raise
                self._locked_out = error
        if self._account is not None:
            return {"assert": "user", "assertuser": self._account, "maxlag": MAXLAG}
        if write:
            self._sign_in()
            return self._manners(write)
        return {"maxlag": MAXLAG}

    def _wait(self, seconds: float, attempt: int, what: str) -> None:
        """Wait before the next try; RateLimited after the last, and where that takes too long. Lag and limits
        refuse before acting."""
        if attempt == TRIES or seconds > PATIENCE:
            until = self._world.now() + timedelta(seconds=seconds)
            raise RateLimited(
                f"the wiki {what}.", where=self.name, hint="The next run goes on.", until=until
            )
        self._session.again(seconds, everybody=True)

    def _window(self, action: str) -> float:
        windows = self._wiki.windows if self._wiki is not None else {}
        return float(windows.get(action, _BACK_OFF))

    def _token(self, kind: str) -> str:
        if kind not in self._tokens:
            self.query(meta="tokens", type=kind)
        return self._tokens[kind]

    def _sign_in(self) -> None:
        self._session.cookies.clear()  # nobody can sign in within the session of a bot password
        asked = self._send("query", False, {"meta": "tokens", "type": "login"})
        if "error" in asked and asked["error"].get("code") != "readapidenied":
            raise error_of(asked["error"], self.name, write=False)
        try:
            token = asked["query"]["tokens"]["logintoken"]
        except (KeyError, TypeError):
            raise _not_a_wiki(self.name) from None
        answer = self._send(
            "login",
            False,
            {"lgname": self._username, "lgpassword": self._password, "lgtoken": token},
            post=True,
        )
        if "error" in answer:
            raise error_of(answer["error"], self.name, write=False)
        login = answer.get("login", {})
        if login.get("result") != "Success":
            raise _sign_in_failed(self.name, self._username, login, self._world)
        self._account = str(login["lgusername"])
        self._tokens.clear()
        if self._locked_out is not None:  # what the wiki said to a visitor is no longer so
            self._locked_out, self._wiki = None, None

    def _send(self, action: str, write: bool, params: Mapping[str, Value], post: bool = False) -> Json:
        data = {key: text for key, value in params.items() if (text := _text(value)) is not None}
        data["formatversion"] = "2"
        if action == "query":
            data["curtimestamp"] = "1"
        if token := data.pop("token", None):
            data["token"] = token  # last: a request cut short is then refused
        method = "POST" if write or post or len(urlencode(data)) > _LONG_URL else "GET"
        for repeated in range(1 if write else 2):  # something in between, or a broken answer: once more
            if repeated:
                self._session.again()
            try:
                answer = self.raw_api(action, method, retry_on_error=not write, **data)
            except (InvalidResponse, APIDisabledError):
                continue
            if isinstance(answer, dict) and isinstance(answer.get("error", {}), dict):
                return answer
        if write:
            raise OutcomeUnknown("the answer to a write is not JSON.", where=self.name)
        raise self._no_answer()

    def _no_answer(self, said: str = "the wiki's answer is not JSON") -> ConnectorError:
        """The answer is not the API's: a wrong address, or, where that has worked, something in between."""
        if self._account is None:
            return _not_a_wiki(self.name)
        return Unreachable(f"{said}.", where=self.name, hint="The next run goes on.")

    def raw_call(
        self,
        script: str,
        data: Mapping[str, str],
        files: object = None,
        retry_on_error: bool = True,
        http_method: str = "POST",
    ) -> str:
        """mwclient's one way to the network, without its retries: whether to try again, and when, is the
        session's business."""
        url = f"{self.scheme}://{self.host}{self.path}{script}{self.ext}"
        reading = http_method == "GET"
        response = self._session.request(
            http_method,
            url,
            repeat=retry_on_error,
            params=data if reading else None,
            data=None if reading else data,
        )
        status = response.status_code
        if status in (401, 403):
            raise Misconfigured(
                f"the server in front of the wiki answers {status}.",
                where=self.name,
                hint="Ask its admins to let this program's User-Agent through.",
            )
        if status in (413, 414):
            raise Forbidden(f"the server answers {status}: the request is too large.", where=self.name)
        if 400 <= status < 500:
            raise self._no_answer(f"the server answers {status}")
        return response.text


def _text(value: Value) -> str | None:
    """A parameter as the API wants it; None: leave it out (a boolean is true by its presence)."""
    if value is None or value is False:
        return None
    if value is True:
        return "1"
    if isinstance(value, str | int):
        return str(value)
    texts = [str(part) for part in value]
    if any("|" in text for text in texts):
        return "\x1f" + "\x1f".join(texts)
    return "|".join(texts)


def _joined(params: Mapping[str, Value], more: Mapping[str, str]) -> dict[str, Value]:
    """Both together; `meta` and the like are lists separated by |."""
    return {**more, **params, "meta": "|".join(filter(None, [str(params.get("meta") or ""), more["meta"]]))}


def _not_a_wiki(site: str) -> NotThisPlatform:
    return NotThisPlatform(
        "the url answers, and not as MediaWiki's API does.",
        where=site,
        hint="Give the address of api.php; the page Special:Version of the wiki shows it.",
    )


def _no_room(site: str) -> Misconfigured:
    return Misconfigured(
        "the wiki's answers have no room for one of its pages.",
        where=site,
        hint="Its admins should set $wgAPIMaxResultSize well above $wgMaxArticleSize, as MediaWiki does.",
    )


def _sign_in_failed(site: str, username: str, login: Json, world: World) -> Misconfigured | RateLimited:
    reason = " ".join(str(login.get("reason") or login.get("result") or "no reason given").split())[:300]
    if login.get("result") == "Throttled":
        until = world.now() + timedelta(seconds=int(login.get("wait", 300)))
        return RateLimited("the wiki lets nobody sign in so often.", where=site, until=until)
    return SignInFailed(
        f"the wiki does not accept {username}: {reason}",
        where=site,
        hint="Make a bot password on Special:BotPasswords and give its name (Account@label) and password.",
    )
