"""The review page over a mirrored community, and somebody who is signed in to it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ordito.policies.review.web.application import create
from ordito.policies.review.web.guard import SESSION_COOKIE
from ordito.policies.review.web.page import Page
from ordito.policies.review.web.sign_ins import SESSION, Person, Purpose
from ordito.sync.context import App

BASE = "http://127.0.0.1:8480"


@dataclass
class Browser:
    """Follows links and fills in forms as they stand in the page that it has got."""

    client: FlaskClient
    page: Page
    at: TestResponse | None = None

    def get(self, path: str, **more: str) -> TestResponse:
        self.at = self.client.get(path, base_url=self.page.base, headers=more)
        return self.at

    @property
    def text(self) -> str:
        assert self.at is not None
        return self.at.text

    def post(
        self,
        path: str,
        fields: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """With the token, the fingerprint and the filters of the page that is shown."""
        hidden = {name: values for name, values in inputs(self.text).items() if name != "id"}
        data = {**hidden, **(fields or {})}
        self.at = self.client.post(path, data=data, base_url=self.page.base, headers=headers)
        return self.at

    def sign_in(self, person: Person) -> str:
        """As if somebody had come in; the token of the session."""
        token = self.page.sign_ins.issue(Purpose.SESSION, person, self.page.now(), SESSION)
        self.client.set_cookie(SESSION_COOKIE, token, domain="127.0.0.1")
        return token


    def sign_in_again(self) -> None:
        """After sessions have run out."""
        self.sign_in(Person("mara"))


def inputs(html: str) -> dict[str, list[str]]:
    """The hidden fields of a page, by name; of fields that every form has, one."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html):
        values = found.setdefault(name, [])
        if unescape(value) not in values:
            values.append(unescape(value))
    return found


@pytest.fixture
def page(app: App) -> Iterator[Page]:
    made = Page.make(app, BASE)
    yield made
    made.close()


@pytest.fixture
def visitor(page: Page) -> Browser:
    """Somebody who is not signed in."""
    return Browser(create(page).test_client(), page)


@pytest.fixture
def browser(visitor: Browser) -> Browser:
    """Somebody who is, as mara."""
    visitor.sign_in(Person("mara"))
    return visitor
