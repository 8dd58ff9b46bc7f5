"""What tests of the stand-in share: a site that runs, and a session that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import requests

from .forum import Forum
from .serve import DiscourseServer


class Site:
    """A running stand-in with members alice (trust level 2) and bob (1), asked as `system` by default."""

    def __init__(self, server: DiscourseServer) -> None:
        self.server = server
        self.forum = server.forum
        self.session = requests.Session()
        self.session.headers.update(server.headers())

    def ask(self, method: str, path: str, user: str | None = None, **more: Any) -> requests.Response:
        headers = {"Api-Username": user} if user else None
        url = self.server.url + path
        return self.session.request(method, url, headers=headers, allow_redirects=False, timeout=5, **more)

    def get(self, path: str, user: str | None = None, /, **query: Any) -> requests.Response:
        return self.ask("GET", path, user, params=query)

    def json(self, path: str, user: str | None = None, /, **query: Any) -> Any:
        response = self.get(path, user, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, user: str | None = None, /, **form: Any) -> requests.Response:
        return self.ask("POST", path, user, data=form)

    def put(self, path: str, user: str | None = None, /, **form: Any) -> requests.Response:
        return self.ask("PUT", path, user, data=form)

    def delete(self, path: str, user: str | None = None, /, **form: Any) -> requests.Response:
        return self.ask("DELETE", path, user, data=form)


class Serve(Protocol):
    def __call__(self, dialect: str = "2021", forum: Forum | None = None) -> Site: ...


@contextmanager
def serving() -> Iterator[Serve]:
    """Starts stand-ins when called, without limit of requests, and stops them all in the end."""
    with ExitStack() as stack:

        def serve(dialect: str = "2021", forum: Forum | None = None) -> Site:
            forum = forum or Forum(dialect=dialect)
            if forum.user("alice") is None:
                forum.new_user("alice", trust_level=2)
                forum.new_user("bob", trust_level=1)
            forum.settings.max_admin_api_reqs_per_minute = None
            site = Site(stack.enter_context(DiscourseServer(forum)))
            stack.callback(site.session.close)
            return site

        yield serve
