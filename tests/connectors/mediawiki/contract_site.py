"""The test wiki as the contract suite's site. Its truth are the wiki's own tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ordito.config.secret import Secret
from ordito.connectors.base import Family
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.mediawiki.platform import MediaWikiPlatform
from ordito.connectors.records import Ref, Thread
from tests.connectors.adapter import Truth, Unsupported
from tests.connectors.mediawiki.prepared import People
from tests.connectors.mediawiki.site import SITE, connect, settings, truth, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.history import History, Person
from tests.servers.mediawiki.seed import seed
from tests.servers.mediawiki.wiki import Wiki

SECRET = "abcdefghijklmnopqrstuv0123456789"
GRANTS = ("basic", "highvolume", "editpage", "createeditmovepage", "delete")
PASSWORD = "password-1"


def prepare(wiki: Wiki, sign_in: Callable[[str, str], Client]) -> People:
    """Our account may also delete pages and put people into a group, there is a moderator, and two members
    have joined and signed in beforehand."""
    people = [_person("Moderator", ("sysop", "bureaucrat")), _person("Asker"), _person("Answerer")]
    seed(wiki.folder / "wiki.sqlite", History(people, []))
    wiki.maintenance("createAndPromote.php", "--force", "--sysop", "--bot", "Ordito")
    wiki.create_bot_password("Ordito", "contract", SECRET, GRANTS)
    return {person.name: sign_in(person.name, PASSWORD) for person in people}


def _person(name: str, groups: tuple[str, ...] = ()) -> Person:
    now = datetime.now(UTC).replace(microsecond=0)
    return Person(name, now, groups=groups, password=PASSWORD)


class MediaWikiSite:
    """People act through sessions of their own; whoever joins is written into the wiki's tables."""

    name = SITE
    family: Family = "wiki"
    group = "interface-admin"
    badge = ""
    other_space = ""

    def __init__(self, wiki: Wiki, people: People) -> None:
        self.wiki = wiki
        self._people = dict(people)
        wiki.switch(
            wgAddGroups={"sysop": [self.group], "bureaucrat": [self.group]},
            wgRemoveGroups={"sysop": [self.group], "bureaucrat": [self.group]},
        )
        self._account = {"username": "Ordito@contract", "password": Secret.of(SECRET)}
        self.platform = MediaWikiPlatform(SITE, settings(wiki, **self._account))

    def connect(self) -> MediaWikiConnector:
        return connect(self.wiki, None, **self._account)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def truth(self) -> Truth:
        return truth(self.wiki)

    # People

    def _as(self, member: str) -> Client:
        name = self._username(member)
        if name not in self._people:
            self._people[name] = self.wiki.client(name, PASSWORD)
        return self._people[name]

    def _username(self, member: str) -> str:
        return str(self.wiki.rows("select user_name from user where user_id = ?", int(member))[0][0])

    def join(self, username: str) -> str:
        if username not in ("Asker", "Answerer"):
            seed(self.wiki.folder / "wiki.sqlite", History([_person(username)], []))
        return user_id(self.wiki, username)

    def moderator(self) -> str:
        return user_id(self.wiki, "Moderator")

    def open(self, author: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        links = "".join(f"\n[[Category:{label}]]" for label in labels)
        return str(self._as(author).edit(title, text + links, createonly=True)["pageid"])

    def contribute(self, author: str, thread: str, text: str) -> str:
        return str(self._save(author, thread, f"{self.first_text(thread)}\n\n{text}"))

    def rewrite(self, by: str, thread: str, text: str) -> None:
        self._save(by, thread, text)

    def _save(self, by: str, thread: str, text: str) -> int:
        return int(self._as(by).edit(self.state(thread).title, text).get("newrevid", 0))

    def relabel(self, by: str, thread: str, labels: Sequence[str]) -> None:
        body = re.sub(r"\n?\[\[Category:[^]]*\]\]", "", self.first_text(thread))
        self._save(by, thread, body + "".join(f"\n[[Category:{label}]]" for label in labels))

    def edit(self, by: str, contribution: str, text: str) -> None:
        raise Unsupported("edit a revision")

    def close(self, by: str, thread: str, closed: bool = True) -> None:
        raise Unsupported("close a page")

    def archive(self, by: str, thread: str, archived: bool = True) -> None:
        raise Unsupported("archive a page")

    def retitle(self, by: str, thread: str, title: str) -> None:
        self._as(by).post(action="move", fromid=thread, to=title)

    def like(self, by: str, contribution: str) -> None:
        raise Unsupported("like a revision")

    def delete_contribution(self, by: str, contribution: str) -> None:
        raise Unsupported("delete a revision")

    def delete_thread(self, by: str, thread: str) -> None:
        self._as(by).post(action="delete", pageid=thread)

    def suspend(self, by: str, member: str) -> None:
        self._as(by).post(action="block", user=self._username(member), expiry="1 month")

    def put_into_group(self, by: str, member: str, group: str) -> None:
        self._rights(by, member, add=group)

    def take_from_group(self, by: str, member: str, group: str) -> None:
        self._rights(by, member, remove=group)

    def _rights(self, by: str, member: str, **change: str) -> None:
        client = self._as(by)
        tokens = client.get(action="query", meta="tokens", type="userrights")["query"]["tokens"]
        client.send(action="userrights", userid=member, token=tokens["userrightstoken"], **change)

    def refuse_messages(self, member: str) -> None:
        self._as(member).edit(f"User talk:{self._username(member)}", "{{nobots}}")

    def object(self, by: str) -> Ref | None:
        self._as(by).edit("Project:Ordito/Stop", "Please stop.")
        return Ref(SITE, "title", "Project:Ordito/Stop")

    # What is on the server

    def first_text(self, thread: str) -> str:
        return self._text("page_id = ?", int(thread)) or ""

    def _text(self, where: str, *values: str | int) -> str | None:
        rows = self.wiki.rows(
            "select old_text from page join slots on slot_revision_id = page_latest"
            " join content on content_id = slot_content_id join text on 'tt:' || old_id = content_address"
            f" where {where}",
            *values,
        )
        if not rows:
            return None
        text = rows[0][0]
        return text.decode() if isinstance(text, bytes) else str(text)

    def received(self, member: str) -> Sequence[str]:
        title = self._username(member).replace(" ", "_")
        text = self._text("page_namespace = 3 and page_title = ?", title) or ""
        return [part for part in re.split(r"^(?===[^=])", text, flags=re.M) if part.strip()]

    def texts(self, thread: str) -> Sequence[str]:
        space, title = self.wiki.rows(
            "select page_namespace, page_title from page where page_id = ?", int(thread)
        )[0]
        talk = self._text("page_namespace = ? and page_title = ?", space + 1, title)
        return [text for text in (self.first_text(thread), talk) if text]

    def groups_of(self, member: str) -> frozenset[str]:
        rows = self.wiki.rows("select ug_group from user_groups where ug_user = ?", int(member))
        return frozenset(group for (group,) in rows)

    def badges_of(self, member: str) -> frozenset[str]:
        return frozenset()

    def state(self, thread: str) -> Thread:
        return truth(self.wiki).threads[thread]

    # Rights

    def demote(self) -> None:
        for group in ("sysop", "bot"):
            self.take_from_group(self.moderator(), user_id(self.wiki, "Ordito"), group)

    def stop_writes(self) -> None:
        self.wiki.read_only()
