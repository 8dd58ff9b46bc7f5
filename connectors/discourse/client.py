"""pydiscourse's client on our polite session: its knowledge of paths, our manners and errors.

pydiscourse by itself has no keep-alive, no time-out, sleeps as long as it is told and takes a redirect for
an empty success; all of that lies in the one method `_request`, which is replaced here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from pydiscourse import DiscourseClient

from ...config.errors import (
    ConnectorError,
    Forbidden,
    Misconfigured,
    NotFound,
    NotThisPlatform,
    OutcomeUnknown,
    SignInFailed,
    Unreachable,
)
from ..base import World
from ..http import PoliteSession
from . import answers, categories
from .settings import DiscourseSettings

Json = dict[str, Any]

_WHOM = "X-Discourse-Username"
"""The header in which a forum says whose request it answers."""


@dataclass(frozen=True, slots=True)
class Me:
    """The account that the key acts as."""

    id: str
    username: str
    admin: bool
    moderator: bool
    trust_level: int
    mutes: bool
    """Whether it has muted categories or tags, or ignores somebody; lists leave their topics, and topics
    their replies, out for it."""

    @property
    def staff(self) -> bool:
        return self.admin or self.moderator


class Client(DiscourseClient):  # type: ignore[misc]  # pydiscourse ships no types
    """All of pydiscourse's methods; a body comes back decoded, an empty one as None.

    Raises the errors below ConnectorError as `answers.fault` maps them.
    """

    def __init__(self, site: str, settings: DiscourseSettings, world: World) -> None:
        key = settings.api_key.reveal()
        if not key.isascii():
            raise SignInFailed(
                "the API key has characters that no key has.", where=site, hint="Copy it anew."
            )
        super().__init__(settings.base, settings.username, key)
        self.site = site
        self.session = PoliteSession(
            site,
            world=world,
            url=settings.base,
            requests_per_minute=settings.requests_per_minute,
            cookies=False,
            headers={
                "Accept": "application/json; charset=utf-8",
                "Api-Key": key,
                "Api-Username": settings.username,
            },
        )
        self.read_only = False
        """Whether the last answer said that the forum takes no writes at the moment."""
        self.prints = True
        """Whether topics can be had in their print view, as far as is known."""
        self._names_us = False
        """Whether the forum says whom it answers; a proxy could keep that to itself."""
        self._me: Me | None = None
        self._tag_objects: bool | None = None

    def me(self) -> Me:
        """Who we are; one request, once. Raises SignInFailed, NotThisPlatform."""
        if self._me is None:
            response, fault = self._read("/session/current.json")
            if _is_odd(fault):
                self.session.again()
                response, fault = self._read("/session/current.json")
            if isinstance(fault, Forbidden | NotFound):
                raise self._sign_in_failed(fault)
            if fault is not None:
                raise fault
            self._me = self._account(answers.body(response))
        return self._me

    def acts_as_anybody(self) -> bool:
        """Whether the key works for another account as well; one request."""
        other = "discobot" if self.me().username.casefold() == "system" else "system"
        return self._send("GET", "/session/current.json", headers={"Api-Username": other}).status_code == 200

    def tags_are_objects(self) -> bool:
        """Whether this version names tags by objects, as from 2026 on, instead of by strings; one request,
        once."""
        if self._tag_objects is None:
            tags = self.get("/tags.json").get("tags") or ()
            self._tag_objects = any(isinstance(tag.get("id"), int) for tag in tags)
        return self._tag_objects

    def get_site_info(self) -> Json:
        """The forum's description of itself, with all categories that we may see; one request, and more where
        categories are loaded lazily."""
        site = self.get("/site.json")
        if categories.are_missing(site):
            site["categories"] = categories.all_categories(self.get, site.get("categories") or ())
        return site

    def get(self, path: str, **params: Any) -> Json:
        """A JSON object from a path that pydiscourse has no method for."""
        content = self._request("GET", path, params=params)
        if not isinstance(content, dict):
            raise self._odd(path)
        return content

    def topic_view(self, number: str, **params: Any) -> Json:
        """A topic as its page shows it. Raises NotFound for one that is not there, or not for us, and also
        where the forum leads to something else instead."""
        path = f"/t/{number}.json"
        answer = self._asked("GET", path, {"params": params, "redirects": "return"})
        content = self.get(path, **params) if answer.is_redirect else answers.body(answer)
        if not isinstance(content, dict) or "id" not in content:
            raise self._odd(path)
        if str(content["id"]) != number:
            raise NotFound("something else is in its place.", where=self.site)
        return content

    def ask(self, path: str, **fields: Any) -> Json:
        """The JSON object that answers a POST which only reads."""
        content = answers.body(self._asked("POST", path, {"data": fields}))
        if not isinstance(content, dict):
            raise self._odd(path)
        return content

    def rows(self, path: str, **params: Any) -> list[Json]:
        """A JSON array of objects (the admin lists of users have one as their root)."""
        content = self._request("GET", path, params=params)
        if not isinstance(content, list):
            raise self._odd(path)
        return content

    def location(self, path: str) -> str:
        """Where a path redirects to; '' if it is unknown (404)."""
        response = self._send("GET", path, redirects="return")
        if response.is_redirect:
            return response.headers["Location"]
        fault = answers.fault(response, self.site, write=False)
        if fault is not None and not isinstance(fault, NotFound | NotThisPlatform):
            raise fault
        return ""

    def publish(self, fields: Mapping[str, Any]) -> Json:
        """POST /posts; never sent twice. The forum does recognise an identical post within two minutes, but
        only once it has dealt with the first: after 2 s of waiting for that it makes a second one
        (lib/distributed_memoizer.rb). Raises OutcomeUnknown if the answer is lost; `find` tells then."""
        content = self._request("POST", "/posts.json", data=dict(fields))
        if not isinstance(content, dict):
            raise OutcomeUnknown("the forum said nothing about a new post.", where=self.site)
        return content

    def _request(
        self,
        verb: str,
        path: str,
        params: Any = None,
        files: Any = None,
        data: Any = None,
        json: Any = None,
        override_request_kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = {"params": params, "files": files, "data": data, "json": json}
        kwargs |= override_request_kwargs or {}
        if verb == "GET":
            return answers.body(self._asked("GET", path, kwargs))
        response = self._send(verb, path, **kwargs)
        fault = answers.fault(response, self.site, write=True)
        if isinstance(fault, Forbidden | NotFound) and self._me is None:
            self.me()  # a wrong key looks like this too, and then this raises SignInFailed
        if fault is not None:
            raise fault
        return answers.body(response)

    def _asked(self, verb: str, path: str, kwargs: Mapping[str, Any]) -> requests.Response:
        """The answer to a read. What comes from something else than the forum, or is not said to our account,
        is asked for once more: only a word of the forum to us may pass for an item that is gone."""
        response, fault = self._read(path, verb, **kwargs)
        to_us = self._is_to_us(response, path)
        if _is_odd(fault) or not to_us:
            if not to_us:
                self._me = None
                self.me()  # raises SignInFailed if the key is not accepted
            self.session.again()
            response, fault = self._read(path, verb, **kwargs)
            if fault is None and not self._is_to_us(response, path):
                raise answers.key_unseen(self.site)
        if isinstance(fault, NotThisPlatform) and response.status_code < 400 and self._me is not None:
            hint = "Something stands before the forum, perhaps for maintenance; the next run goes on."
            fault = Unreachable(fault.message, where=self.site, hint=hint)
        if fault is not None:
            raise fault
        return response

    def _read(
        self, path: str, verb: str = "GET", **kwargs: Any
    ) -> tuple[requests.Response, ConnectorError | None]:
        """The answer, and what is wrong with it. The first try of a POST passes for a write, as a forum
        that is read-only for now refuses one, and that is not to be waited for."""
        try:
            response = self._send(verb, path, **kwargs)
        except OutcomeUnknown:
            self.session.again()
            response = self._send(verb, path, repeat=True, **kwargs)
        return response, answers.fault(response, self.site, write=False)

    def _is_to_us(self, response: requests.Response, path: str) -> bool:
        """Whether the forum, as far as it tells, knew our account as it answered. Its controllers name
        themselves, and whom they answer; what stands before them refuses a key without either."""
        status, headers = response.status_code, response.headers
        if _WHOM in headers:
            self._names_us = True
            return True
        if "X-Discourse-Route" in headers and status in (200, 403, 404):
            return not self._names_us
        return not (status == 403 or (status == 404 and path.startswith("/admin/")))

    def _send(self, verb: str, path: str, **kwargs: Any) -> requests.Response:
        response = self.session.request(verb, self.host + path, **kwargs)
        self.read_only = response.headers.get("Discourse-Readonly") == "true"
        return response

    def _account(self, content: Any) -> Me:
        user = content.get("current_user") if isinstance(content, dict) else None
        if not isinstance(user, dict) or "id" not in user:
            raise NotThisPlatform(
                "the address answers, but not as a Discourse does.",
                where=self.site,
                hint="Check the url in the settings.",
            )
        return Me(
            id=str(user["id"]),
            username=str(user["username"]),
            admin=bool(user.get("admin")),
            moderator=bool(user.get("moderator")),
            trust_level=int(user.get("trust_level") or 0),
            mutes=any(user.get(key) for key in ("muted_category_ids", "muted_tags", "ignored_users")),
        )

    def _sign_in_failed(self, fault: ConnectorError) -> SignInFailed:
        return SignInFailed(
            f"the forum does not accept the key for '{self.api_username}': {fault.message}",
            where=self.site,
            hint="Check api_key and username, and that the key is neither revoked nor the account suspended.",
        )

    def _odd(self, path: str) -> NotThisPlatform:
        return NotThisPlatform(
            f"{path.split('?')[0]} answers in a form that no known Discourse has.", where=self.site
        )


def _is_odd(fault: ConnectorError | None) -> bool:
    """Whether something else than the forum seems to have answered, or the answer is broken."""
    return isinstance(fault, Unreachable | Misconfigured)
