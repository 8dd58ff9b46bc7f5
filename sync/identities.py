"""One person, several accounts: who is known to be whom, and who may be.

Accounts with the same `person` in the table belong together. A link is made by an admin or by the file
`people.yaml`; equal user names on two sites are only ever suggested.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from ..config.errors import UsageError
from ..connectors.records import Kind, Ref
from .store.guard import comparable
from .store.tables import checkpoints, identities, members
from .store.times import micros

if TYPE_CHECKING:
    from .context import App

LINKED, SUGGESTED, REFUSED = "linked", "suggested", "refused"
ADMIN, FILE, USERNAME = "admin", "file", "username"


@dataclass(frozen=True, slots=True)
class Person:
    """Accounts that belong together, or may."""

    id: str
    state: str
    source: str
    accounts: tuple[Ref, ...]


def people(connection: Connection) -> list[Person]:
    """Everybody with more than one account, linked ones first."""
    rows = connection.execute(select(identities).where(identities.c.state != REFUSED)).all()
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.person, row.state].append(row)
    persons = [
        Person(person, state, members[0].source, tuple(sorted(_ref(row) for row in members)))
        for (person, state), members in found.items()
        if len(members) > 1
    ]
    return sorted(persons, key=lambda person: (person.state != LINKED, person.accounts))


def accounts_of(connection: Connection, who: Ref) -> tuple[Ref, ...]:
    """All accounts that are linked with this one, itself included."""
    person = _person_of(connection, who)
    if person is None:
        return (who,)
    rows = connection.execute(
        select(identities).where(identities.c.person == person, identities.c.state == LINKED)
    )
    return tuple(sorted({who, *(_ref(row) for row in rows)}))


def link(connection: Connection, accounts: Sequence[Ref], now: datetime, *, source: str = ADMIN) -> None:
    """These accounts belong to one person, with all that are linked with any of them already.

    Raises UsageError for two accounts on one site: a person has one there as far as policies are concerned.
    """
    everybody = sorted({account for who in accounts for account in accounts_of(connection, who)})
    for one, other in combinations(everybody, 2):
        if one.site == other.site:
            raise UsageError(
                f"{one} and {other} are both on {one.site}; a person is linked with one account a site.",
                hint="Unlink one of them first: ordito identities unlink ACCOUNT.",
            )
    linked = (_person_of(connection, who) for who in everybody)
    person = next((person for person in linked if person), None) or _new_person(everybody)
    for who in everybody:
        connection.execute(delete(identities).where(*_is(who), identities.c.state != REFUSED))
        connection.execute(delete(identities).where(*_is(who), identities.c.person == person))
        connection.execute(insert(identities).values(_row(who, person, LINKED, source, now)))


def unlink(connection: Connection, who: Ref, now: datetime) -> bool:
    """This account belongs to nobody else's; neither is that suggested again. False if nothing said so.

    Raises UsageError for a link that stands in the file of people.
    """
    rows = connection.execute(select(identities).where(*_is(who), identities.c.state != REFUSED)).all()
    if any(row.source == FILE for row in rows):
        raise UsageError(
            f"The link of {who} stands in the file of people.", hint="Take it out there, and sync."
        )
    for row in rows:
        mine = (identities.c.person == row.person, identities.c.state == row.state)
        rest = connection.execute(select(identities).where(*mine)).all()
        connection.execute(
            update(identities).where(*_is(who), *mine).values(state=REFUSED, at=micros(now), source=ADMIN)
        )
        if len(rest) == 2:  # nobody is left to be linked with
            connection.execute(update(identities).where(*mine).values(state=REFUSED, at=micros(now)))
    return bool(rows)


def suggest(connection: Connection, now: datetime) -> int:
    """Note accounts with the same name on two sites that nobody has judged yet; returns how many people."""
    known = select(identities.c.site, identities.c.member)
    ours = select(checkpoints.c.site, checkpoints.c.account)
    judged = {(site, member) for query in (known, ours) for site, member in connection.execute(query)}
    named: dict[str, dict[str, list[Ref]]] = {}
    accounts = (members.c.deleted_at.is_(None), members.c.bot.is_(False), members.c.staged.is_(False))
    sizes = select(members.c.site).where(*accounts).group_by(members.c.site).order_by(func.count())
    *smaller, largest = connection.scalars(sizes).all() or [""]
    for site in (*smaller, largest):  # of the largest only those are kept in mind who are elsewhere as well
        query = select(members.c.id, members.c.username).where(members.c.site == site, *accounts)
        for id_, username in connection.execute(query):
            name = comparable(username)
            if site != largest or name in named:
                named.setdefault(name, {}).setdefault(site, []).append(Ref(site, Kind.MEMBER, id_))
    new = 0
    for by_site in named.values():
        alike = [refs[0] for refs in by_site.values() if len(refs) == 1]
        if len(alike) < 2 or any((who.site, who.id) in judged for who in alike):
            continue
        person = _new_person(alike)
        connection.execute(
            insert(identities), [_row(who, person, SUGGESTED, USERNAME, now) for who in alike]
        )
        new += 1
    return new


def take_file(
    connection: Connection,
    entries: Iterable[Mapping[str, str]],
    resolve: Callable[[str, str], Ref | None],
    now: datetime,
) -> list[str]:
    """Make the links of `people.yaml` what the file says; those of admins stay.

    `resolve` gives the account that a name means on a site. Returns the names that mean none, `site: name`.
    """
    connection.execute(
        delete(identities).where(identities.c.source == FILE, identities.c.state == LINKED)
    )
    unknown: list[str] = []
    for entry in entries:
        found = {f"{site}: {name}": resolve(site, name) for site, name in entry.items()}
        unknown += [text for text, who in found.items() if who is None]
        accounts = [who for who in found.values() if who is not None]
        if len(accounts) > 1:
            link(connection, accounts, now, source=FILE)
    return unknown


def entries_of(app: App) -> list[dict[str, str]]:
    """What the settings' file of people says. Raises UsageError."""
    file = app.settings.identities.file
    return read_file(Path(file), app.settings.sites) if file else []


def refresh(app: App, entries: Sequence[Mapping[str, str]]) -> None:
    """Take in the file of people, and note new suggestions if the settings want them. Raises UsageError."""
    from .items import resolve

    wanted, platforms = app.settings.identities, app.platforms()
    with app.store.write() as connection:

        def account(site: str, name: str) -> Ref | None:
            try:
                ref = resolve(f"{site}:{name if ':' in name else '@' + name}", platforms, connection)
            except UsageError:
                return None
            return ref if ref.kind == Kind.MEMBER else None

        for unknown in take_file(connection, entries, account, app.now()):
            app.out.warn(f"{wanted.file}: there is no account {unknown}.")
        if wanted.username == "suggest":
            suggest(connection, app.now())


def read_file(path: Path, sites: Iterable[str]) -> list[dict[str, str]]:
    """`people.yaml`: a list of people, each with the name of the account on each site.

    Raises UsageError that names the place of the fault.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    known = set(sites)
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or []
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint=_FILE_HINT) from error
    except (MarkedYAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise UsageError("This is not YAML.", where=place, hint=_FILE_HINT) from error
    if not isinstance(content, list):
        raise UsageError("This is not a list of people.", where=str(path), hint=_FILE_HINT)
    for number, entry in enumerate(content, 1):
        if not isinstance(entry, dict) or len(entry) < 2:
            raise UsageError(f"Person {number} has not two accounts.", where=str(path), hint=_FILE_HINT)
        if strange := [str(site) for site in entry if site not in known]:
            raise UsageError(
                f"Person {number} has an account on '{strange[0]}', which is no site of the settings.",
                where=str(path),
                hint=f"There are: {', '.join(sorted(known))}.",
            )
    return [{str(site): str(name) for site, name in entry.items()} for entry in content]


_FILE_HINT = "Write a list with a line for each person, such as: - {forum: anna, wiki: Anna B}."


def _new_person(accounts: Iterable[Ref]) -> str:
    """The same for the same accounts, so that reading the file again changes nothing."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"ordito:{min(accounts)}").hex


def _person_of(connection: Connection, who: Ref) -> str | None:
    query = select(identities.c.person).where(*_is(who), identities.c.state == LINKED)
    person: str | None = connection.scalar(query)
    return person


def _is(who: Ref) -> tuple[Any, Any]:
    return identities.c.site == who.site, identities.c.member == who.id


def _ref(row: Any) -> Ref:
    return Ref(row.site, Kind.MEMBER, row.member)


def _row(who: Ref, person: str, state: str, source: str, now: datetime) -> dict[str, Any]:
    return {
        "site": who.site, "member": who.id, "person": person, "state": state, "source": source,
        "at": micros(now),
    }  # fmt: skip
