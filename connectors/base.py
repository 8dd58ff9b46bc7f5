"""What a connector is: the one door to one site of one platform.

`Platform` is all about a site that needs no connection (words, escaping, addresses); `Connector` is the
connection. Both are built by `registry.py`. Errors are those below ConnectorError in `config.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

from .actions import Action
from .pacing import Allowances
from .records import Kind, Record, Ref

Cursor = Mapping[str, Any]
"""Where a connector goes on reading: a JSON object that only the connector understands."""

Family = Literal["forum", "wiki"]
Markup = Literal["markdown", "wikitext"]


@dataclass(frozen=True, slots=True)
class World:
    """What a connector takes from outside instead of asking for it itself.

    `now` gives an aware UTC datetime, `monotonic` and `sleep` seconds; `contact` (an address or URL)
    goes into the User-Agent. `allowances` gives budgets that others share; None: each process has its own.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    contact: str = ""
    allowances: Allowances | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a connector is about to read beside the news, for people to know before it begins.

    `what`: a clause ("everything is read again"). `requests`: about so many, or `at_most`. `hint`: how the
    settings bound it.
    """

    what: str
    requests: int
    at_most: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some records and the cursor to go on from; both are stored in one transaction.

    `gone`: items that the platform says are deleted, with the time if it is known. `scan` names a full
    enumeration that the records belong to; the batch that has `ended` set completes the enumeration of
    those kinds: what the mirror holds of them and did not see in this scan is then asked for by `fetch`.
    `part`, `done`, `total` describe the progress for people; `ahead` is what comes after this batch.
    """

    records: tuple[Record, ...] = ()
    cursor: Cursor | None = None
    gone: tuple[tuple[Ref, datetime | None], ...] = ()
    scan: str = ""
    ended: tuple[Kind, ...] = ()
    part: str = ""
    done: int = 0
    total: int | None = None
    ahead: Ahead | None = None


Aspect = Literal[
    "contributions", "edits", "deletions", "likes",
    "threads", "titles", "moves", "labels", "states", "solutions",
    "members", "renames", "roles", "groups", "trust levels", "member titles", "suspensions",
    "suppressions",
]  # fmt: skip
"""A kind of change, which a mirror may have missed. `contributions`, `threads` and `members` are new ones;
`moves` of threads into another space and of contributions into another thread; `states`: closed, archived,
visible; `roles`: admin, moderator, bot; `suspensions`: silences and blocks too; `suppressions`: what a wiki
hides without a trace."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Up to when no change of a kind is missed, by the way in which a connector reads.

    `within`: how long such a change stays unseen at most, if syncs come often enough; zero: until the next
    one; None: until everything is read again. `usually`: how long where nothing else masks it. `until` is
    None where our account may not read that kind, and `hint` says then what would let it.
    `reading_since`: when the reading began that finds them and is not finished; None: none is under way.
    """

    aspect: Aspect
    until: datetime | None
    within: timedelta | None = timedelta(0)
    reading_since: datetime | None = None
    usually: timedelta | None = None
    hint: str = ""


class Known(Protocol):
    """What a connector may ask the mirror while it reads."""

    def stamps(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The stored `Thread.stamp` of those of the threads that the mirror holds."""

    def conversations(self) -> Sequence[str]:
        """Ids of the private messages that we opened and still listen to."""

    def contribution_ids(self, thread: str) -> frozenset[str]:
        """Ids of the undeleted contributions that the mirror holds of a thread."""

    def listed(self, low: int, high: int) -> frozenset[str]:
        """Ids from `low` to `high`, on a forum, of the undeleted contributions that the mirror holds of
        topics which are not unlisted, without whispers and the platform's own notes: what a list of all
        posts has to show, but for what newer forums leave out of it."""

    def spoken(self, threads: Sequence[str]) -> Mapping[str, int]:
        """How many undeleted contributions of these threads the mirror holds, without whispers and the
        platform's own notes; 0 may be left out."""

    def sealed(self, name: str) -> str:
        """A digest that only this mirror makes of it: to know an excluded name again without keeping it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `ordito check`. `hint` is the next thing to do."""

    level: Literal["ok", "warning", "error"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Who we are on a site and what we may do there.

    `can`: the verbs that the account's rights allow. `counts` as the platform states them (members,
    threads, contributions, …). `requests`: estimate for a first sync, in requests, from those counts;
    `requests_of_month`: for one with a `since` of 30 days ago, where the platform tells. `uncounted`: a
    sentence about what comes on top of both. `sees_all`: whether
    no space is closed to the account; else the platform counts more than it shows.
    """

    account: str
    account_id: str
    version: str
    can: frozenset[type[Action]]
    counts: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    requests_of_month: int | None = None
    uncounted: str = ""
    sees_all: bool = True
    groups: frozenset[str] | None = None
    badges: frozenset[str] | None = None
    read_only: bool = False
    language: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a performed action left on the platform; a JSON object in the outbox (`receipt_to_json`).

    `made`: contributions and threads created by it. `before`: the state before, as `undo` needs it.
    `after`: what `undo` compares to see whether anybody changed the item since. `attribution` is
    `unknown` where somebody else may have brought the state about. `pending`: the platform holds it for
    approval by its own moderators. `note`: what of it is left for a person to do, in a sentence.
    """

    site: str
    verb: str
    at: datetime
    made: tuple[Ref, ...] = ()
    url: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    attribution: Literal["ours", "unknown"] = "ours"
    pending: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """`find` looked everywhere that the action could have left its mark: it was not carried out; or only half
    of it, as `reason` says, and `perform` goes on from there."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """`find` cannot decide; a person has to look."""

    reason: str


Found = Receipt | NotDone | Unknown


@dataclass(frozen=True, slots=True)
class Marker:
    """How our contributions are recognised, and the words for an edit summary.

    `token` is unique per proposal and installation, `[a-z0-9-]+`. `note` names the policy and where to
    stop it. Both together go into an edit summary; a forum post carries only the token, in a comment.
    """

    token: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is read of a member when a message to that member is prepared, and never stored.

    `language`: a tag such as `it`, '' if the platform does not say. `accepts`: False if the member does
    not take messages (or carries an opt-out such as `{{nobots}}`), with the `reason`.
    """

    language: str = ""
    accepts: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a page stands to which something is to be done: asked when that is planned and when it is carried
    out, and never stored, because edits of *other* pages change it.

    `links`: how many pages of content link to it, at least (counted no further than was asked for).
    `editable`: whether our account may edit it.
    """

    links: int
    editable: bool


@runtime_checkable
class Linking(Protocol):
    """What a connector can do besides where pages link to pages."""

    def standing(self, threads: Sequence[str], links: int) -> Mapping[str, Standing]:
        """Of those of the pages that are there; `links`: how far they are counted. Raises TryLater."""


@runtime_checkable
class Halving(Protocol):
    """A connector some of whose actions take more than one step."""

    def take_back(self, action: Action, marker: Marker) -> None:
        """What an interrupted try of this action left of it goes again, because the action is not wanted any
        more. Raises Conflict or Refused where only a person can do that, another ConnectorError where it may
        succeed later."""


class Platform(Protocol):
    """All about a site that needs no connection."""

    site: str
    family: Family
    markup: Markup
    verbs: frozenset[type[Action]]

    def words(self, kind: Kind) -> str:
        """The platform's own word: topic, page, post, revision, user, category, namespace."""

    def url(self, ref: Ref) -> str:
        """The address for people; '' where there is none."""

    def parse(self, text: str) -> Ref | None:
        """A URL of this site, or None if it is not one. Never raises."""

    def escape(self, text: str) -> str:
        """`text` as one line that cannot mention, transclude, link, format or end a comment."""

    def link(self, label: str, url: str) -> str:
        """A link in the site's markup; `label` is escaped here."""

    def profile(self, member: Ref, username: str) -> str:
        """The address of a member's page for people who need not be staff, as `url` may ask for."""

    def mention(self, username: str) -> str:
        """The member's name such that it notifies (forum) or links to the user page (wiki)."""


class Connector(Protocol):
    """The connection to one site. Nothing here sleeps or reads a clock but through its World."""

    site: str
    verbs: frozenset[type[Action]]

    def probe(self) -> Health:
        """Who am I, which rights, version and limits, what is missing. Raises Misconfigured, TryLater."""

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        """All that changed since `cursor` (None: everything), in bounded memory, ending when up to date.

        Every batch carries the cursor after it. Stopped after any batch and started again from its
        cursor, the records that follow bring a store to the same state. Raises TryLater, Misconfigured.
        """

    def begins_anew(self, cursor: Cursor, known: Known) -> bool:
        """Whether `changes` cannot go on from there and reads everything, because the settings ask for more
        than those of then, or the cursor has a form of long ago. Asks nothing of the site."""

    def freshness(self, cursor: Cursor, synced_at: datetime) -> Sequence[Freshness]:
        """How fresh a mirror is whose `changes` ended with `cursor` when they began at `synced_at`: each kind
        of change that the platform knows, once. Asks nothing."""

    def fetch(self, ref: Ref) -> Batch | None:
        """Fresh: the item and everything its facts need; None if it is gone or not visible to us."""

    def profile(self, member: str) -> Profile:
        """Raises NotFound where there is no such member."""

    def halted(self, stop: Ref | None) -> str:
        """Why every action must halt ('' = go): text on the stop page, a reply in the stop topic, an
        edit by others to our own talk page. Raises ConnectorError where it cannot be read: halt, then."""

    def perform(self, action: Action, marker: Marker) -> Receipt:
        """Do it once. State verbs record the state before. Raises Refused, Conflict, TryLater (not
        done in all three cases), OutcomeUnknown (perhaps done), Misconfigured."""

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        """After a crash or an OutcomeUnknown: was it done, since `since`? Raises TryLater."""

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        """Bring back the state before, unless somebody changed it since (Conflict) or it was perhaps not
        our doing (Refused). The receipt of an undo can be undone only by the action itself.

        After a crash it is asked again with the same receipt: where the state before is there already, a
        Conflict is as good an answer as a receipt."""

    def statistics(self) -> Mapping[str, float]:
        """Since this connector was made: `requests`, `retries`, `waited` (seconds)."""

    def close(self) -> None:
        """Give back connections and files."""


def receipt_to_json(receipt: Receipt) -> dict[str, Any]:
    return {
        "site": receipt.site,
        "verb": receipt.verb,
        "at": receipt.at.isoformat(),
        "made": [str(ref) for ref in receipt.made],
        "url": receipt.url,
        "before": receipt.before,
        "after": receipt.after,
        "attribution": receipt.attribution,
        "pending": receipt.pending,
        **({"note": receipt.note} if receipt.note else {}),
    }


def receipt_from_json(document: Mapping[str, Any]) -> Receipt:
    return Receipt(
        site=document["site"],
        verb=document["verb"],
        at=datetime.fromisoformat(document["at"]),
        made=tuple(Ref.parse(text) for text in document["made"]),
        url=document["url"],
        before=document["before"],
        after=document["after"],
        attribution=document["attribution"],
        pending=document["pending"],
        note=document.get("note", ""),
    )
