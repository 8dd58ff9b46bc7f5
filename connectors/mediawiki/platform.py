"""All about a wiki that needs no connection: words, addresses, escaping."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ..actions import Action
from ..base import Aspect, Family, Markup
from ..records import Kind, Ref
from .escaping import escape, link
from .probe import NEEDS
from .settings import MediaWikiSettings
from .wiki import tidy

VERBS: frozenset[type[Action]] = frozenset(NEEDS)

ASPECTS: tuple[Aspect, ...] = (
    "contributions", "edits", "deletions", "threads", "titles", "moves", "labels", "members", "renames",
    "roles", "groups", "suspensions",
)  # fmt: skip
"""What recent changes and logs tell: all of it at each sync."""

_WORDS: Mapping[Kind, str] = {
    Kind.MEMBER: "user",
    Kind.SPACE: "namespace",
    Kind.THREAD: "page",
    Kind.CONTRIBUTION: "revision",
    Kind.GROUP: "user group",
}
_SPECIAL = {
    "permalink": Kind.CONTRIBUTION, "permanentlink": Kind.CONTRIBUTION, "diff": Kind.CONTRIBUTION,
    "redirect/page": Kind.THREAD, "redirect/revision": Kind.CONTRIBUTION, "redirect/user": Kind.MEMBER,
}  # fmt: skip
"""Special pages that lead to an item by its number; their English names work on every wiki."""


class MediaWikiPlatform:
    """See `Platform` in `connectors/base.py`."""

    family: Family = "wiki"
    markup: Markup = "wikitext"
    verbs = VERBS

    def __init__(self, site: str, settings: MediaWikiSettings) -> None:
        self.site = site
        address = urlsplit(settings.url)
        self._host = address.netloc.casefold()
        self._scripts = address.path.removesuffix("api.php")
        self._index = f"{address.scheme}://{address.netloc}{self._scripts}index.php"

    def words(self, kind: Kind) -> str:
        return _WORDS[kind]

    def url(self, ref: Ref) -> str:
        """Addresses by number stay valid when a page or an account is renamed."""
        match ref.kind:
            case "title":
                return self._page(ref.id)
            case Kind.THREAD:
                return f"{self._index}?curid={quote(ref.id)}"
            case Kind.CONTRIBUTION:
                return f"{self._index}?diff={quote(ref.id)}"
            case Kind.MEMBER:
                return self._page(f"Special:Redirect/user/{ref.id}")
            case Kind.SPACE:
                return f"{self._page('Special:AllPages')}&namespace={quote(ref.id)}"
            case Kind.GROUP:
                return self._page(f"Special:ListUsers/{ref.id}")
        return ""

    def _page(self, title: str) -> str:
        return f"{self._index}?title={quote(title.replace(' ', '_'), safe='/:')}"

    def parse(self, text: str) -> Ref | None:
        """Addresses of pages, of revisions and of the special pages that lead to them."""
        try:
            address = urlsplit(text.strip())
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
        except ValueError:
            return None
        if address.scheme not in ("http", "https") or address.netloc.casefold() != self._host:
            return None
        for key, kind in (("diff", Kind.CONTRIBUTION), ("oldid", Kind.CONTRIBUTION), ("curid", Kind.THREAD)):
            if query.get(key, "").isdecimal():
                return Ref(self.site, kind, query[key])
        title = query.get("title") or self._title_in(address.path)
        return self._titled(title) if title else None

    def _title_in(self, path: str) -> str:
        """The title in the path: `…/index.php/Title`, `…/wiki/Title`, or `/Title` beside the scripts."""
        here, root = self._scripts, "/" if self._scripts != "/" else None
        for prefix in (f"{here}index.php/", f"{here}wiki/", "/wiki/", root):
            if prefix is not None and path.startswith(prefix) and not path.endswith(".php"):
                return unquote(path.removeprefix(prefix))
        return ""

    def _titled(self, title: str) -> Ref | None:
        title = tidy(title, capital=False)
        space, _, rest = title.partition(":")
        if space.casefold() == "special":
            name, _, number = rest.rpartition("/")
            kind = _SPECIAL.get(name.casefold())
            return Ref(self.site, kind, number) if kind is not None and number.isdecimal() else None
        return Ref(self.site, "title", title)

    def escape(self, text: str) -> str:
        return escape(text)

    def link(self, label: str, url: str) -> str:
        return link(label, url)

    def profile(self, member: Ref, username: str) -> str:
        return self.url(member)

    def mention(self, username: str) -> str:
        name = escape(username)
        return f"[[User:{name}|{name}]]"
