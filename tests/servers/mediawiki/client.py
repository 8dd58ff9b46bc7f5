"""The wiki's API as one account: how tests prepare a state and look at what the program has left behind."""

from typing import Any, Self

import requests


class ApiError(Exception):
    """The API refused; `code` is MediaWiki's own word for why."""

    def __init__(self, code: str, info: str) -> None:
        super().__init__(f"{code}: {info}")
        self.code = code


class Client:
    """One session. Results are as MediaWiki's formatversion 2 gives them."""

    def __init__(self, api_url: str, timeout: float = 60) -> None:
        self._api_url = api_url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._token = ""

    def close(self) -> None:
        """Close the connection; the session is lost."""
        self._session.close()

    def login(self, name: str, password: str) -> Self:
        """Sign in, with the account's own password or a bot password. Raises ApiError where refused."""
        token = self.get(action="query", meta="tokens", type="login")["query"]["tokens"]["logintoken"]
        result = self.send(action="login", lgname=name, lgpassword=password, lgtoken=token)["login"]
        if result["result"] != "Success":
            raise ApiError("login", f"{name}: {result}")
        self._token = ""
        return self

    def get(self, **parameters: Any) -> dict[str, Any]:
        """One reading request; lists are joined as the API wants them."""
        response = self._session.get(self._api_url, params=_encode(parameters), timeout=self._timeout)
        return self._answer(response)

    def send(self, files: Any = None, **parameters: Any) -> dict[str, Any]:
        """One request that changes something and brings its own token."""
        data = _encode(parameters)
        response = self._session.post(self._api_url, data=data, files=files, timeout=self._timeout)
        return self._answer(response)

    def post(self, **parameters: Any) -> dict[str, Any]:
        """One request that changes something, with this session's token."""
        if not self._token:
            self._token = self.get(action="query", meta="tokens")["query"]["tokens"]["csrftoken"]
        return self.send(**parameters, token=self._token)

    def edit(self, title: str, text: str, summary: str = "", **parameters: Any) -> dict[str, Any]:
        """Save a page; what the API says of the edit (`newrevid`, `pageid`, …)."""
        sent = self.post(action="edit", title=title, text=text, summary=summary, **parameters)
        result: dict[str, Any] = sent["edit"]
        if result["result"] != "Success":
            raise ApiError("edit", f"{title}: {result}")
        return result

    def upload(self, name: str, content: bytes) -> None:
        """Save a file under this name. Needs `switch(wgEnableUploads=True)`."""
        self.post(files={"file": (name, content)}, action="upload", filename=name, ignorewarnings=True)

    def text(self, title: str) -> str | None:
        """The present wikitext of a page; None if there is no such page."""
        page = self.revisions(title, limit=1)
        return page[0]["slots"]["main"]["content"] if page else None

    def revisions(self, title: str, limit: int = 50) -> list[dict[str, Any]]:
        """A page's revisions, newest first, with user, comment, tags and text; none if there is no page."""
        prop = ["ids", "timestamp", "user", "comment", "flags", "tags", "content"]
        answer = self.get(
            action="query", prop="revisions", titles=title, rvprop=prop, rvslots="main", rvlimit=limit
        )
        revisions: list[dict[str, Any]] = answer["query"]["pages"][0].get("revisions", [])
        return revisions

    def everything(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """All items of a list, e.g. `everything("allpages", apnamespace=0)`, following continuation."""
        items: list[dict[str, Any]] = []
        further: dict[str, Any] = {}
        while True:
            answer = self.get(action="query", list=name, **parameters, **further)
            items += answer["query"][name]
            further = answer.get("continue", {})
            if not further:
                return items

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        if error := answer.get("error"):
            raise ApiError(error["code"], error["info"])
        return answer


def _encode(parameters: dict[str, Any]) -> dict[str, str]:
    """MediaWiki's ways: lists joined by `|`, true present, false and None absent."""
    encoded = {"format": "json", "formatversion": "2"}
    for name, value in parameters.items():
        if isinstance(value, list | tuple):
            encoded[name] = "|".join(map(str, value))
        elif value is True:
            encoded[name] = "1"
        elif value is not None and value is not False:
            encoded[name] = str(value)
    return encoded
