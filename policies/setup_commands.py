"""`ordito init` and `ordito check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.errors import OrditoError, SettingsError, StoreError, UsageError
from ..config.init import Answers, Site, draft, presets, tidy_url, variable_for, write

if TYPE_CHECKING:
    from ..connectors.base import Connector
    from ..sync.context import App
    from .check import Checker, Row

_ACCOUNTS = {"discourse": "ordito", "mediawiki": "Ordito@cron"}
_ASKED = {"discourse": "Address of your Discourse forum", "mediawiki": "Address of your MediaWiki"}


@click.command(short_help="Ask for the sites and write a commented ordito.yaml.")
@click.option("--forum", metavar="URL", help="Address of a Discourse forum.")
@click.option("--forum-user", metavar="NAME", help="Account that acts there.  [default: ordito]")
@click.option("--forum-key", metavar="VARIABLE", help="Environment variable that holds its API key.")
@click.option("--wiki", metavar="URL", help="Address of a MediaWiki: of its api.php, or of any page.")
@click.option("--wiki-user", metavar="NAME", help="Bot password's name.  [default: Ordito@cron]")
@click.option("--wiki-password", metavar="VARIABLE", help="Environment variable that holds the password.")
@click.option("--language", metavar="TAG", help="Language of messages: en or it.  [default: en]")
@click.option("--timezone", metavar="ZONE", help="Of your quiet hours, such as Europe/Rome.")
@click.option("--contact", metavar="ADDRESS", help="What the sites' admins see in their logs.")
@click.option("--preset", metavar="NAME", help="Kind of community.  [default: community-of-practice]")
@click.pass_obj
def init(
    app: App,
    forum: str | None,
    forum_user: str | None,
    forum_key: str | None,
    wiki: str | None,
    wiki_user: str | None,
    wiki_password: str | None,
    language: str | None,
    timezone: str | None,
    contact: str | None,
    preset: str | None,
) -> None:
    """Write a commented ordito.yaml, and check it.

    On a terminal it asks for what the options do not say. It never asks for a key or a password, only for
    the name of the environment variable that will hold it, and never touches a file that exists.
    """
    path = Path(app.path)
    if path.exists():
        write(path, "")  # says that it exists, before anybody has answered anything
    ask = _Questions(app.stdin_terminal and not (forum or wiki))
    sites = [
        *_site(ask, "discourse", forum, forum_user, forum_key),
        *_site(ask, "mediawiki", wiki, wiki_user, wiki_password),
    ]
    if not sites:
        raise UsageError("There is no site to set up.", hint="Give --forum URL, --wiki URL or both.")
    answers = Answers(
        tuple(sites),
        language=ask.text(language, "Language of messages (en, it)", "en"),
        timezone=ask.text(timezone, "Time zone of your quiet hours, such as Europe/Rome (empty: none)", ""),
        contact=ask.text(contact, "Your address, for the logs of the sites (empty: none)", ""),
        preset=ask.preset(preset),
    )
    write(path, draft(answers))
    _report(app, path)


@click.command(short_help="Check settings, policies, messages, accounts and rights.")
@click.option("--offline", is_flag=True, help="Ask no site.")
@click.pass_obj
def check(app: App, offline: bool) -> int:
    """Check settings, policies and messages; then, on the sites, accounts, rights and what is missing.

    Ends with 2 if the settings are wrong, with 1 if a site is.
    """
    from .check import worst

    checker = _checker(app)
    rows = checker.offline(_mirrored(app))
    code = 2 if worst(rows) == "error" else 0
    _show(app, rows)
    if not offline:
        found = checker.online(lambda site: _connect(app, site))
        _show(app, found)
        rows += found
        code = code or (1 if worst(found) == "error" else 0)
    app.out.document({"findings": [row.to_dict() for row in rows]})
    return code


def _mirrored(app: App) -> list[Row]:
    """What can be said where a store is there already; none is made for it."""
    from .area_names import unknown_areas
    from .check import Row
    from .wiring import make_engine

    try:
        url = app.settings.store_url
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
            return []
        engine = make_engine(app)
        with app.store.read() as conn:
            return unknown_areas(engine, conn, engine.active())
    except StoreError as error:
        return [Row("warning", app.settings.where("store"), error.message, error.hint)]
    except OrditoError:  # the settings of the store are at fault, which is said already
        return []


class _Questions:
    """Asks on a terminal; elsewhere takes the defaults."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal

    def text(
        self, given: str | None, question: str, default: str, read: Callable[[str], str] = str.strip
    ) -> str:
        if given is not None:
            return read(given)
        if not self._terminal:
            return default
        return str(click.prompt(question, default=default, show_default=bool(default), err=True,
                                value_proc=_again(read)))  # fmt: skip

    def preset(self, given: str | None) -> str:
        known = presets()
        if given is not None or not self._terminal:
            return given or "community-of-practice"
        click.echo("\nWhat are you?", err=True)
        for number, line in enumerate(known.values(), 1):
            click.echo(f"  {number}  {line}", err=True)
        chosen = click.prompt("Number", default=1, type=click.IntRange(1, len(known)), err=True)
        return list(known)[chosen - 1]


def _again(read: Callable[[str], str]) -> Callable[[str], str]:
    """`read`, whose refusal makes click ask again."""

    def value(text: str) -> str:
        try:
            return read(text)
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    return value


def _site(
    ask: _Questions, connector: str, url: str | None, user: str | None, variable: str | None
) -> list[Site]:
    """The site, or nothing where there is none."""
    name = "forum" if connector == "discourse" else "wiki"
    address = ask.text(
        url, f"{_ASKED[connector]} (empty: none)", "", lambda text: tidy_url(connector, text) if text else ""
    )
    if not address:
        return []
    account = _ACCOUNTS[connector]
    secret = "API key" if connector == "discourse" else "bot password"
    proposed = variable_for(name, connector)
    return [
        Site(
            name,
            connector,
            address,
            ask.text(user, f"Account that Ordito uses on the {name}", account),
            ask.text(variable, f"Environment variable that will hold its {secret}", proposed),
        )
    ]


def _report(app: App, path: Path) -> None:
    """What is in the file just written, and what to do next. A file that cannot be used is removed."""
    try:
        rows = _checker(app).offline()
    except SettingsError:
        path.unlink()
        raise
    missing = [row.hint for row in rows if row.level == "error"]
    app.out.say(f"Wrote {path}. Next:" if missing else f"Wrote {path}.")
    for number, hint in enumerate(missing, 1):
        app.out.say(f"  {number}. {hint}")
    then = "Then read" if missing else "Read"
    app.out.say(f"{then} it, change what you like, and run 'ordito check'.")
    app.out.document({"written": str(path), "findings": [row.to_dict() for row in rows]})


def _connect(app: App, site: str) -> Connector:
    """A site that does not answer is tried for half a minute: say what is being waited for."""
    app.out.note(f"Asking {site} …")
    return app.connector(site)


def _checker(app: App) -> Checker:
    from .check import Checker
    from .wiring import make_engine, make_messages

    engine = make_engine(app)
    return Checker(app.settings, engine.policies, engine.platforms, make_messages(app), app.now().date())


def _show(app: App, rows: Sequence[Row]) -> None:
    for row in rows:
        app.out.say(f"{row.level:<8} {row.where}: {row.message}{' ' + row.hint if row.hint else ''}")
