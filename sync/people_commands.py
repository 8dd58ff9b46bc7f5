"""`ordito identities` and `ordito forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..config.errors import UsageError
from ..connectors.records import Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..connectors.records import Ref
    from .context import App
    from .identities import Person


@click.group(invoke_without_command=True)
@click.pass_context
def identities(ctx: click.Context) -> int:
    """One person with accounts on two sites.

    Lists who is linked, and who may be: accounts with the same name. A person is contacted, welcomed and
    recognised once, whatever the number of accounts. Without a word: list.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    code: int = ctx.invoke(list_people)
    return code


@identities.command("list")
@click.pass_obj
def list_people(app: App) -> int:
    """Who is linked, and who may be."""
    from .identities import entries_of, people, refresh
    from .naming import called

    refresh(app, entries_of(app))
    platforms = app.platforms()
    with app.store.read() as connection:
        found = [p for p in people(connection) if all(who.site in platforms for who in p.accounts)]
        names = {who: f"{who.site}: {called(connection, who, platforms[who.site])}"
                 for person in found for who in person.accounts}  # fmt: skip
        rows = [[p.state, "; ".join(names[who] for who in p.accounts), p.source] for p in found]
    app.out.document({"people": [_document(person) for person in found]})
    if rows:
        app.out.table(["", "accounts", "said by"], rows)
        app.out.say("To confirm a suggestion: ordito identities link ACCOUNT ACCOUNT; to refuse it: unlink.")
    else:
        app.out.say("Nobody is linked, and no two accounts have the same name.")
    return 0


@identities.command()
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT ACCOUNT...")
@click.pass_obj
def link(app: App, accounts: tuple[str, ...]) -> int:
    """These accounts belong to one person."""
    from .identities import accounts_of, entries_of, refresh
    from .identities import link as link_accounts

    if len(accounts) < 2:
        raise UsageError("One account cannot be linked.", hint="Name two: forum:@anna wiki:@Anna")
    refresh(app, entries_of(app))
    with app.store.write() as connection:
        refs = [_member(app, connection, text) for text in accounts]
        link_accounts(connection, refs, app.now())
        together = accounts_of(connection, refs[0])
    app.out.document({"linked": [str(ref) for ref in together]})
    app.out.say(f"Linked: {', '.join(map(str, together))}.")
    return 0


@identities.command()
@click.argument("account")
@click.pass_obj
def unlink(app: App, account: str) -> int:
    """This account belongs to nobody else; refuses a suggestion, too."""
    from .identities import entries_of, refresh
    from .identities import unlink as unlink_account

    refresh(app, entries_of(app))
    with app.store.write() as connection:
        who = _member(app, connection, account)
        if not unlink_account(connection, who, app.now()):
            raise UsageError(f"{who} is not linked.", hint="'ordito identities' lists who is.")
    app.out.document({"unlinked": str(who)})
    app.out.say(f"{who} is not linked any more, and will not be suggested again.")
    return 0


@click.command()
@click.argument("member")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(app: App, member: str, yes: bool) -> int:
    """Erase a member from the mirror, for good.

    With all linked accounts: names, texts, groups, and what was said to them. What they wrote stays as
    somebody's. Later syncs do not bring it back. Nothing changes on the platforms.
    """
    from .forgetting import forget as forget_member
    from .identities import accounts_of
    from .locks import Holder, run_lock

    with app.store.read() as connection:
        who = _member(app, connection, member)
        accounts = accounts_of(connection, who)
    _confirm(app, accounts, yes)
    with run_lock(app.store, Holder.here("forget", app.user), app.now):
        done = forget_member(app.store, who, app.now())
    app.out.document(
        {
            "forgotten": [str(ref) for ref in done.accounts],
            "contributions": done.contributions,
            "withdrawn": done.withdrawn,
            "under_way": list(done.under_way),
        }
    )
    app.out.say(
        f"Forgotten: {', '.join(map(str, done.accounts))}; {done.contributions} contributions are "
        f"nobody's now, {done.withdrawn} proposals were withdrawn."
    )
    if done.under_way:
        numbers = ", ".join(map(str, done.under_way))
        app.out.warn(f"Proposals {numbers} are being carried out: run this again when they are settled.")
        return 3
    return 0


def _confirm(app: App, accounts: tuple[Ref, ...], yes: bool) -> None:
    if yes:
        return
    if not app.stdin_terminal or app.json:
        raise UsageError("Forgetting cannot be undone.", hint="Add --yes to do it.")
    click.confirm(f"Forget {', '.join(map(str, accounts))}? This cannot be undone.", abort=True, err=True)


def _member(app: App, connection: Connection, text: str) -> Ref:
    """Raises UsageError for what is no member."""
    from .items import resolve

    ref = resolve(text, app.platforms(), connection)
    if ref.kind != Kind.MEMBER:
        raise UsageError(f"'{text}' is no member.", hint="Write forum:@anna or forum:member:42.")
    return ref


def _document(person: Person) -> dict[str, Any]:
    return {
        "person": person.id,
        "state": person.state,
        "source": person.source,
        "accounts": [str(who) for who in person.accounts],
    }
