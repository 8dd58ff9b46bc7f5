"""What a person typed as an ITEM, as a reference: an address, a name, or the platform's own words.

Names are looked up in the mirror by the platforms' rules (forums ignore case; wikis do for the first letter
only, and take an underscore for a space); they never become keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sqlalchemy import Connection, select

from ..config.errors import UsageError
from ..connectors.base import Platform
from ..connectors.records import Kind, Ref
from .store.tables import members, spaces, threads

if TYPE_CHECKING:
    from sqlalchemy import Table

_FORMS = "Write an address, @name, User:Name, forum:topic:1, wiki:page:7 or wiki:title:Main Page."
_USER_NAMESPACE = "2"


def resolve(text: str, platforms: Mapping[str, Platform], conn: Connection) -> Ref:
    """The item that `text` names. Raises UsageError where it names none, or more than one.

    An id is not looked up: what it refers to may be missing in the mirror. The title of a page that the
    mirror does not hold stays a reference by title.
    """
    typed = unicodedata.normalize("NFC", text.strip())
    if "://" in typed:
        return _address(typed, platforms, conn)
    if typed.startswith("@"):
        return _one(typed, _members(typed[1:], platforms.values(), conn))
    site, _, rest = typed.partition(":")
    if site in platforms:
        return _on_site(typed, rest, platforms[site], conn)
    wikis = [platform for platform in platforms.values() if platform.family == "wiki"]
    named = [ref for wiki in wikis for ref in _user_page(typed, wiki, conn)]
    return _one(typed, named or [ref for wiki in wikis for ref in _pages(typed, wiki, conn)])


def _address(typed: str, platforms: Mapping[str, Platform], conn: Connection) -> Ref:
    for platform in platforms.values():
        found = platform.parse(typed)
        if found is None:
            if name := _profile(typed, platform):
                return _one(typed, _members(name, [platform], conn))
            continue
        if found.kind != "title":
            return found
        named = _user_page(found.id, platform, conn) or list(_pages(found.id, platform, conn))
        return named[0] if named else found
    sites = ", ".join(platforms) or "none"
    raise UsageError(f"{typed} is no address of an item on one of the sites ({sites}).", hint=_FORMS)


def _profile(typed: str, platform: Platform) -> str:
    """The user name in the address of a forum's profile, which knows no id; '' for other addresses."""
    topic = platform.url(Ref(platform.site, Kind.THREAD, "0"))
    base = re.escape(topic.removesuffix("/t/0"))
    match = re.match(rf"{base}/u/([^/?#]+)", typed) if platform.family == "forum" else None
    return unquote(match[1]) if match else ""


def _on_site(typed: str, rest: str, platform: Platform, conn: Connection) -> Ref:
    """`rest` is what follows the name of the site: `@name`, or a kind and an id."""
    if rest.startswith("@"):
        return _one(typed, _members(rest[1:], [platform], conn))
    word, _, id_ = rest.partition(":")
    kinds = {platform.words(kind): kind for kind in Kind} | {kind.value: kind for kind in Kind}
    if kind := kinds.get(word.casefold()):
        if not id_:
            raise UsageError(f"'{typed}' lacks the {word}'s id.", hint=_FORMS)
        if kind == Kind.MEMBER and not id_.isdecimal():
            return _one(typed, _members(id_, [platform], conn))
        return Ref(platform.site, kind, id_)
    if platform.family != "wiki":
        words = ", ".join(platform.words(kind) for kind in Kind)
        raise UsageError(f"'{word}' is no kind of item on {platform.site}; there are: {words}.", hint=_FORMS)
    title = id_ if word == "title" else rest
    named = list(_pages(title, platform, conn))
    if word != "title":
        named = _user_page(title, platform, conn) or named
    return named[0] if named else Ref(platform.site, "title", _tidy(title))


def _user_page(title: str, platform: Platform, conn: Connection) -> list[Ref]:
    """The account whose user page this is, on a wiki in whatever language."""
    if platform.family != "wiki":
        return []
    space, colon, name = title.partition(":")
    query = select(spaces.c.name).where(spaces.c.site == platform.site, spaces.c.id == _USER_NAMESPACE)
    own = conn.execute(query).scalar_one_or_none() or "User"
    if not colon or _tidy(space).casefold() not in {"user", own.casefold()}:
        return []
    return list(_members(name, [platform], conn))


def _members(name: str, platforms: Iterable[Platform], conn: Connection) -> Iterator[Ref]:
    for platform in platforms:
        for id_ in _matching(name, platform, conn, members, "username"):
            yield Ref(platform.site, Kind.MEMBER, id_)


def _pages(title: str, platform: Platform, conn: Connection) -> Iterator[Ref]:
    for id_ in _matching(title, platform, conn, threads, "title"):
        yield Ref(platform.site, Kind.THREAD, id_)


def _matching(name: str, platform: Platform, conn: Connection, table: Table, column: str) -> list[str]:
    """Ids with that name; SQLite folds the case of ASCII only, so what differs is compared here."""
    here = select(table.c.id, table.c[column]).where(
        table.c.site == platform.site, table.c.deleted_at.is_(None)
    )
    exact = conn.execute(here.where(table.c[column] == _tidy(name))).all()
    if exact or platform.family == "wiki":
        return [row.id for row in exact]
    wanted = unicodedata.normalize("NFC", name).casefold()
    return [id_ for id_, stored in conn.execute(here) if stored.casefold() == wanted]


def _tidy(name: str) -> str:
    """As MediaWiki stores names: spaces, and a capital at the beginning."""
    text = " ".join(name.replace("_", " ").split())
    return text[:1].upper() + text[1:]


def _one(typed: str, found: Iterable[Ref]) -> Ref:
    refs = list(found)
    if len(refs) == 1:
        return refs[0]
    if refs:
        raise UsageError(
            f"'{typed}' names more than one item.", hint=f"Write {' or '.join(str(ref) for ref in refs)}."
        )
    raise UsageError(f"The mirror knows nothing called '{typed}'.", hint=f"{_FORMS} Or run 'ordito sync'.")
