"""One polite HTTP session for every adapter: pace, patience, and no second try where that could do harm.

What comes back is an answer of the site below 500; everything else is an error of `config.errors`:

- a request that surely was not taken (no connection, 429) is tried again, then TryLater;
- one that only reads is tried again after any fault of the network or the server, then Unreachable;
- a write whose answer was lost (reset, time-out, truncated, 5xx page of a proxy) is OutcomeUnknown and
  never repeated here: only the caller knows when that is harmless (`repeat=True`).

A JSON answer of 5xx to a write comes back to the caller: it is the platform that speaks, for example of
its read-only mode. Logs name method, path and status, never a query, a header or a body.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
from requests import exceptions as trouble
from urllib3 import exceptions as lower

from .. import __version__
from ..config.errors import (
    ConnectorError,
    Misconfigured,
    NotThisPlatform,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
)
from .base import World
from .pacing import Allowance, Bucket, Budget

log = logging.getLogger("ordito.http")

Redirects = Literal["follow", "return"]

ATTEMPTS = 5
"""Tries of one request after a fault of the network or the server, pauses doubling from 2 s."""
UNANSWERED = 3
"""Tries where nobody listens: a wrong address should be told soon, and the next run comes anyway."""
PATIENCE = 120.0
"""The longest wait, in seconds, that a site may ask for within one run."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOPS = 5
_AT_ONCE = 1e-6
"""Seconds that are none: what rounding leaves."""
_BLIND_WAIT = 11.0
"""Seconds to wait after a 429 that does not say how long: Discourse's shortest window is 10 s."""


class _Again(Exception):
    """This attempt failed and another one is harmless; `error` is what to raise after the last of `tries`."""

    def __init__(self, error: ConnectorError, wait: float | None = None, tries: int = ATTEMPTS) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.tries = tries


class PoliteSession(requests.Session):
    """A `requests.Session` with manners, for one site; for mwclient it is the `pool`.

    `site` is the key in the settings and stands in every error; those who ask the same `url`
    share one budget. `timeout`: seconds to connect and to wait for each piece of the answer. `patience`:
    longest wait that the site may impose, also when it told somebody else of the same budget. `cookies`:
    keep those that the site sets (MediaWiki's sign-in lives in them, Discourse's API needs none).
    Not for use by several threads.
    """

    def __init__(
        self,
        site: str,
        *,
        world: World,
        url: str = "",
        requests_per_minute: float = 30,
        timeout: tuple[float, float] = (5, 60),
        patience: float = PATIENCE,
        cookies: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.site = site
        self._world = world
        self._allowance = self.allowance(Budget.of_requests(url or site, requests_per_minute))
        self._timeout = timeout
        self._patience = patience
        self._counts = {"requests": 0.0, "retries": 0.0, "waited": 0.0}
        self.headers["User-Agent"] = user_agent(world.contact)
        self.headers.update(headers or {})
        # Any callable keeps requests from looking for credentials in the user's .netrc.
        self.auth = _as_it_is
        if not cookies:
            self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    @property
    def statistics(self) -> Mapping[str, float]:
        """`requests` sent, `retries` among them, seconds `waited`, since the session was made."""
        return dict(self._counts)

    def allowance(self, budget: Budget) -> Allowance:
        """The world's allowance for a budget, or one of our own."""
        return (self._world.allowances or self._own_bucket)(budget)

    def _own_bucket(self, budget: Budget) -> Allowance:
        return Bucket(budget, self._world.monotonic)

    def pause(self, seconds: float) -> None:
        """Wait, and count it."""
        if seconds > 0:
            self._counts["waited"] += seconds
            self._world.sleep(seconds)

    def again(self, seconds: float = 0, *, everybody: bool = False) -> None:
        """Wait before the same is asked once more, and count that. `everybody`: all who share the site's
        budget shall wait so long."""
        self._counts["retries"] += 1
        if everybody:
            self._allowance.hold(seconds)
        self.pause(seconds)

    def await_turn(self, allowance: Allowance) -> None:
        """Wait for the next turn. Raises RateLimited where it is too far off to wait for."""
        waited = 0.0
        while True:
            wait = allowance.take(self._patience)
            waited += wait
            if waited > self._patience:
                raise self._rate_limited("the site has asked for a pause that is not over", wait)
            if wait < _AT_ONCE:
                return
            self.pause(wait)
            if allowance.paused() < _AT_ONCE:  # nobody was told to wait while we did
                return

    def request(  # type: ignore[override]  # requests takes the rest by position, nobody gives it so
        self,
        method: str,
        url: str,
        *,
        repeat: bool = False,
        redirects: Redirects = "follow",
        **kwargs: Any,
    ) -> requests.Response:
        """Send it as politely as the module says.

        `repeat`: a POST or the like that may be sent twice without harm, because it only reads or the
        site recognises it. `redirects`: `follow` follows those of reads within the same host and takes
        any other as a wrong address; `return` gives the answer of 3xx to the caller. The other keywords
        are those of `requests.Session.request`.

        Raises Unreachable, RateLimited, OutcomeUnknown, Misconfigured, NotThisPlatform.
        """
        harmless = repeat or method.upper() in _READS
        kwargs.setdefault("timeout", self._timeout)
        kwargs["allow_redirects"] = False
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=_enough,
            wait=_wait,
            sleep=self.pause,
            before_sleep=self._note_retry,
            reraise=True,
        )
        try:
            response: requests.Response = retrying(self._once, method.upper(), url, harmless, kwargs)
        except _Again as failure:
            raise failure.error from failure.__cause__
        if not response.is_redirect or redirects == "return":
            return response
        return self._follow(response, method.upper(), kwargs)

    def _note_retry(self, state: tenacity.RetryCallState) -> None:
        self._counts["retries"] += 1

    def _once(self, method: str, url: str, harmless: bool, kwargs: dict[str, Any]) -> requests.Response:
        self.await_turn(self._allowance)
        self._counts["requests"] += 1
        try:
            response = super().request(method, url, **kwargs)
        except trouble.RequestException as error:
            raise self._failed(error, harmless) from error
        log.debug("%s: %s %s: %d", self.site, method, urlsplit(url).path, response.status_code)
        if response.status_code == 429:
            raise self._too_fast(response, harmless)
        if response.status_code >= 500 and (harmless or not _is_json(response)):
            raise self._broken(response, harmless)
        return response

    def _failed(self, error: trouble.RequestException, harmless: bool) -> Exception:
        """What a request without an answer means."""
        if isinstance(error, trouble.SSLError) and not _broke_off(error):
            return Misconfigured(
                "the site's certificate is not accepted.",
                where=self.site,
                hint="Renew it, or correct the url in the settings.",
            )
        if isinstance(error, ValueError):  # requests' family of malformed addresses and headers
            return Misconfigured(
                f"the request cannot be made: {type(error).__name__}.",
                where=self.site,
                hint="Correct the url and the account in the settings.",
            )
        unsent, why = _diagnosis(error, self._timeout)
        hint = "Check the url and the connection; the next run goes on where this one stopped."
        if harmless or unsent:
            away = Unreachable(f"the site cannot be reached: {why}.", where=self.site, hint=hint)
            return _Again(away, tries=UNANSWERED if unsent else ATTEMPTS)
        return OutcomeUnknown(f"the answer to a write was lost: {why}.", where=self.site)

    def _too_fast(self, response: requests.Response, harmless: bool) -> Exception:
        """429: refused before anything was done, so a write may be repeated as well."""
        asked = self._asked_wait(response)
        wait = _BLIND_WAIT if asked is None else asked
        error = self._rate_limited(f"the site asks us to wait {wait:.0f} s", wait)
        wait += 1  # because the site rounds down and its clock is not ours
        self._allowance.slow_down()
        if harmless or wait <= self._patience + 1:  # a write's long limit is of that action only
            self._allowance.hold(wait)
        return error if wait > self._patience + 1 else _Again(error, wait)

    def _rate_limited(self, what: str, wait: float) -> RateLimited:
        until = self._world.now() + timedelta(seconds=min(wait, 10 * 365 * 86400))
        return RateLimited(
            f"{what}.",
            where=self.site,
            hint=f"A run after {until:%Y-%m-%d %H:%M} UTC goes on; a lower requests_per_minute may help.",
            until=until,
        )

    def _broken(self, response: requests.Response, harmless: bool) -> Exception:
        status = response.status_code
        if not harmless:
            return OutcomeUnknown(f"a write was answered by {status} {_reason(response)}.", where=self.site)
        asked = self._asked_wait(response)
        error = Unreachable(
            f"the site answers {status} {_reason(response)}.",
            where=self.site,
            hint="It may be in maintenance; the next run goes on where this one stopped.",
        )
        if asked is not None:
            self._allowance.hold(asked)
        return error if asked is not None and asked > self._patience else _Again(error, asked)

    def _asked_wait(self, response: requests.Response) -> float | None:
        """Seconds that the answer asks us to wait, by Retry-After (number or date) or `wait_seconds`."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        if text:
            try:
                moment, now = parsedate_to_datetime(text), self._time_there(response)
                return max(0.0, (moment - now).total_seconds())
            except (ValueError, TypeError):
                pass
        try:
            return max(0.0, float(response.json()["extras"]["wait_seconds"]))
        except (ValueError, TypeError, KeyError, IndexError):
            return None

    def _time_there(self, response: requests.Response) -> datetime:
        """The site's own time as it answered; its clock need not agree with ours."""
        try:
            return parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError):
            return self._world.now()

    def _follow(self, response: requests.Response, method: str, kwargs: dict[str, Any]) -> requests.Response:
        for _ in range(_HOPS):
            here, there = response.url, urljoin(response.url, response.headers["Location"])
            if method not in _READS or _origin(here) != _origin(there):
                path = urlsplit(there).path
                place = "" if path == urlsplit(here).path else path  # the same page elsewhere: the site moved
                raise NotThisPlatform(
                    f"the site redirects to {_origin(there)}{place}.",
                    where=self.site,
                    hint="Write the address that it leads to as url in the settings.",
                )
            rest = {key: value for key, value in kwargs.items() if key != "params"}
            response = self.request(method, there, redirects="return", **rest)
            if not response.is_redirect:
                return response
        raise NotThisPlatform("the site redirects in a circle.", where=self.site, hint="Check the url.")


def user_agent(contact: str) -> str:
    """`ordito/<version> (<contact>; bot) python-requests/<version>`, plain ASCII on one line."""
    contact = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()").strip()
    comment = f"{contact}; bot" if contact else "bot"
    return f"ordito/{__version__} ({comment}) {requests.utils.default_user_agent()}"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _enough(state: tenacity.RetryCallState) -> bool:
    failure = state.outcome.exception() if state.outcome else None
    return isinstance(failure, _Again) and state.attempt_number >= failure.tries


def _wait(state: tenacity.RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, _Again) and failure.wait is not None:
        return failure.wait
    return float(2**state.attempt_number)


def _diagnosis(error: trouble.RequestException, timeout: tuple[float, float]) -> tuple[bool, str]:
    """Whether the request surely was not sent, and the reason in a few words."""
    if isinstance(error, trouble.ConnectTimeout):
        return True, f"no connection within {timeout[0]:g} s"
    cause = _innermost(error)
    if isinstance(cause, lower.NameResolutionError):
        return True, "its name cannot be resolved"
    if isinstance(error, trouble.ProxyError):
        return True, "the proxy refuses"
    if isinstance(cause, lower.NewConnectionError):
        return True, "the connection is refused"
    if isinstance(error, trouble.Timeout):
        return False, f"no answer within {timeout[1]:g} s"
    if isinstance(error, trouble.ChunkedEncodingError | trouble.ContentDecodingError):
        return False, "the answer is incomplete"
    return False, "the connection broke"


def _broke_off(error: trouble.SSLError) -> bool:
    """Whether the other side only hung up, as a balancer does that is started anew."""
    cause = _innermost(error)
    return any(isinstance(each, ssl.SSLEOFError) for each in (cause, *cause.args))


def _innermost(error: BaseException) -> BaseException:
    """urllib3's own error, which requests wraps once or twice as an argument."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else error


def _is_json(response: requests.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "")


def _reason(response: requests.Response) -> str:
    return (response.reason or "error")[:40]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
