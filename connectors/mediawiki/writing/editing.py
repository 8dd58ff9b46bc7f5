"""One page, read and saved such that nobody's work is overwritten and nothing is saved twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ....config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    Refused,
)
from ...base import Marker, World
from ..client import Client, Json
from ..convert import text_of
from ..settings import MediaWikiSettings
from ..wikitext import objection

SUMMARY_LENGTH = 500
"""Characters that MediaWiki keeps of an edit summary."""

TOKEN_SIGN = "ordito"  # noqa: S105 - no secret
"""Stands before every token, so that our edits can be counted."""

_IN_FLIGHT = timedelta(seconds=120)
"""A request may still be at work so long after its answer was lost ($wgTransactionalTimeLimit)."""

_CLOCKS = timedelta(minutes=10)
"""How far the wiki's clock may lag behind ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """As it was read; `revision` 0 and `id` 0: there is none. `read_at`: the wiki's own time."""

    id: int
    title: str
    talk: str
    namespace: int
    revision: int
    text: str
    model: str
    redirect: bool
    read_at: str
    editable: bool = True

    @property
    def exists(self) -> bool:
        return self.revision != 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What an edit left: `revision` 0 where the text was like that already; `parent` 0 for a new page."""

    page: int
    title: str
    revision: int
    parent: int


@dataclass(frozen=True, slots=True)
class Text:
    """What to save: the whole page, or a new section (`heading`) at its end."""

    text: str
    heading: str | None = None
    minor: bool = False
    bot: bool = True
    """Hidden from recent changes, where the account has the flag; never for what is meant to be noticed."""
    undo: tuple[int, int] | None = None
    """Instead of `text`: the revision to take back and the one before it, merged by MediaWiki with what
    was changed since."""


class Editor:
    """Reads and saves pages for one connection, at the pace and within the trial that the settings set."""

    def __init__(self, client: Client, settings: MediaWikiSettings, site: str, world: World) -> None:
        self.client = client
        self.site = site
        self._settings = settings
        self._world = world
        self._pace = client.edits(settings.username.partition("@")[0], settings.edits_per_minute)
        self._made: int | None = None

    def read(self, **which: Any) -> Page:
        """The page by `titles`, `pageids` or `revids`. Raises NotFound where an id leads nowhere, Refused
        where there can be no page of that title."""
        answer = self.client.query(
            **which,
            prop="info|revisions",
            inprop="associatedpage",
            intestactions="edit",
            rvprop="ids|content|user",
            rvslots="main",
            meta=None if self.client.has_token() else "tokens",
        )
        pages = answer["query"].get("pages", [])
        if not pages or (pages[0].get("missing") and "title" not in pages[0]):
            raise NotFound("the page is not there any more.", where=self.site)
        page: Json = pages[0]
        if page.get("invalid") or page["ns"] < 0:
            raise Refused(f"'{page.get('title', '')}' cannot be a page's title.", where=self.site)
        revisions = page.get("revisions", [])
        if revisions and text_of(revisions[0]) is None:
            raise Refused(f"the text of {page['title']} is hidden.", where=self.site)
        return Page(
            id=int(page.get("pageid", 0)),
            title=page["title"],
            talk=str(page.get("associatedpage", page["title"])),
            namespace=page["ns"],
            revision=int(revisions[0]["revid"]) if revisions else 0,
            text=(text_of(revisions[0]) or "") if revisions else "",
            model=page.get("contentmodel", "wikitext"),
            redirect=bool(page.get("redirect")),
            read_at=answer["curtimestamp"],
            editable=bool(page.get("actions", {}).get("edit", True)),
        )

    def check(self, page: Page, kind: str = "") -> None:
        """Raises Filtered where a template on the page keeps us from it, or it is no page of wikitext."""
        template = objection(page.text, self.client.account(), kind)
        if template:
            raise Filtered(
                f"{page.title} carries {template}.", where=self.site, hint="Leave it to its people."
            )
        if page.redirect:
            raise Filtered(f"{page.title} is a redirect.", where=self.site)
        if page.model != "wikitext":
            raise Filtered(f"{page.title} is not a page of wikitext but of {page.model}.", where=self.site)

    def save(self, page: Page, what: Text, summary: str) -> Saved:
        """Save what was made from `page`.

        Raises Conflict where somebody changed the same place meanwhile, or made or deleted the page;
        an edit elsewhere on the page is merged by MediaWiki. Refused, TryLater: not saved. OutcomeUnknown.
        """
        self._within_trial()
        self.client.await_turn(self._pace)
        params: dict[str, Any] = {
            **_content(what),
            "summary": summary,
            "minor": what.minor,
            "notminor": not what.minor,
            "bot": what.bot,
            "watchlist": "nochange",
            "starttimestamp": page.read_at,
        }
        if what.heading is not None:
            params |= {"section": "new", "sectiontitle": _one_line(what.heading)}
        if page.exists:
            params |= {"pageid": page.id, "baserevid": page.revision, "nocreate": True}
        else:
            params |= {"title": page.title, "createonly": True}
        edit = self.client.write("edit", **params).get("edit", {})
        if edit.get("result") != "Success":
            raise self._failed(page, edit)
        if self._made is not None and "newrevid" in edit:
            self._made += 1
        return Saved(
            page=int(edit["pageid"]),
            title=edit["title"],
            revision=int(edit.get("newrevid", 0)),
            parent=int(edit.get("oldrevid", 0)),
        )

    def _failed(self, page: Page, edit: Json) -> ConnectorError:
        """An answer without an error that is no success: a captcha, or an extension's refusal."""
        if "captcha" in edit:
            return Filtered(
                f"the wiki asks for a captcha before it saves {page.title}.",
                where=self.site,
                hint="Give the account the right 'skipcaptcha'.",
            )
        if "result" not in edit:
            return OutcomeUnknown("the wiki's answer to an edit says nothing.", where=self.site)
        words = edit.get("info") or edit.get("code") or edit["result"]
        return Filtered(f"the wiki does not save {page.title}: {_one_line(str(words))}", where=self.site)

    def _within_trial(self) -> None:
        """Raises Misconfigured once the account has made as many edits as its trial allows."""
        if reason := self.trial_over():
            raise Misconfigured(
                reason, where=self.site, hint="Report to the wiki; then take `trial` out of the settings."
            )

    def trial_over(self) -> str:
        """Why there may be no more edits; '' where there may be."""
        trial = self._settings.trial
        if trial is None:
            return ""
        if self._made is None:
            rows = self.own(datetime(2001, 1, 1, tzinfo=self._world.now().tzinfo))
            self._made = sum(f"({TOKEN_SIGN} " in row.get("comment", "") for row in rows)
        return f"the trial of {trial} edits is over." if self._made >= trial else ""

    # What we did before

    def own(self, since: datetime) -> Iterator[Json]:
        """Our own revisions since then, oldest first, as `list=usercontribs` gives them."""
        for part, _ in self.client.batches(
            list="usercontribs",
            ucuser=self.client.account(),
            ucdir="newer",
            ucstart=(since - _CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ"),
            ucprop="ids|title|timestamp|comment",
            uclimit="max",
        ):
            yield from part.get("usercontribs", ())

    def logged(self, kind: str, since: datetime) -> Iterator[Json]:
        """Our own entries of one log since then, oldest first."""
        for part, _ in self.client.batches(
            list="logevents",
            letype=kind,
            leuser=self.client.account(),
            ledir="newer",
            lestart=(since - _CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ"),
            leprop="ids|title|type|timestamp|comment|details",
            lelimit="max",
        ):
            yield from part.get("logevents", ())

    def marked(self, rows: Iterator[Json], marker: Marker) -> Json | None:
        """The first row whose comment carries the marker."""
        return next((row for row in rows if is_marked(row, marker)), None)

    def let_it_land(self, since: datetime) -> bool:
        """Wait until a request begun at `since` cannot be at work any more; whether that was necessary."""
        left = (since + _IN_FLIGHT - self._world.now()).total_seconds()
        self.client.pause(max(0.0, left))
        return left > 0

    def deleted_since(self, title: str, since: datetime) -> bool:
        """Whether a page of that title was deleted: our edit would be hidden with it."""
        rows = self.client.query(
            list="logevents",
            letype="delete",
            letitle=title,
            ledir="newer",
            lestart=(since - _CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ"),
            lelimit=1,
            leprop="ids",
        )["query"].get("logevents", [])
        return bool(rows)

    def text_of(self, revision: int) -> str:
        """The text of an old revision ('' for 0). Raises Conflict where it is not to be had any more."""
        if revision == 0:
            return ""
        pages = self.client.query(
            revids=revision, prop="revisions", rvprop="ids|content", rvslots="main"
        )["query"].get("pages", [])
        text = text_of(pages[0]["revisions"][0]) if pages and pages[0].get("revisions") else None
        if text is None:
            raise Conflict(f"the text of revision {revision} is gone or hidden.", where=self.site)
        return text


def summary_of(words: str, marker: Marker) -> str:
    """An edit summary: what was done, why and by which policy, and the token, which is never cut."""
    sign = _sign(marker)
    text = _one_line(" · ".join(filter(None, [words, marker.note])))
    room = SUMMARY_LENGTH - len(sign) - 1
    if len(text) > room:
        text = text[: room - 1].rstrip() + "…"
    return f"{text} {sign}".strip()


def is_marked(row: Json, marker: Marker) -> bool:
    """Whether the summary of a revision or log entry carries the marker."""
    return _sign(marker) in row.get("comment", "")


def _content(what: Text) -> dict[str, Any]:
    if what.undo is not None:
        return {"undo": what.undo[0], "undoafter": what.undo[1]}
    return {"text": unicodedata.normalize("NFC", what.text)}


def _sign(marker: Marker) -> str:
    return f"({TOKEN_SIGN} {marker.token})"


def _one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
