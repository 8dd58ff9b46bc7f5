"""`ordito serve`: the review page for moderators."""

from __future__ import annotations

import ipaddress
import signal
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ...config.errors import OrditoError, UsageError

if TYPE_CHECKING:
    from ...sync.context import App
    from .web.page import Page

_THREADS = 4
_TRUSTED = "127.0.0.1"  # a proxy on this machine


class NoAddress(OrditoError):
    """The page cannot listen where it should."""


@click.command()
@click.option("--host", metavar="HOST", help="Listen there instead of where the settings say.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="And on this port; 0: any.")
@click.option("--invite", metavar="NAME", help="Print a personal link for NAME, and end.")
@click.option("--hours", type=click.IntRange(1, 72), default=8, show_default=True, help="How long it works.")
@click.option("--withdraw", metavar="NAME", help="End the personal links of NAME and their sessions.")
@click.pass_obj
def serve(
    app: App, host: str | None, port: int | None, invite: str | None, hours: int, withdraw: str | None
) -> int:
    """The review page for moderators.

    On this machine alone, the link that is printed signs you in, once. Others sign in with the forum, or
    with a personal link from --invite.
    """
    place, number = _address(app, host, port)
    if invite is not None and withdraw is not None:
        raise UsageError("--invite and --withdraw exclude each other.")
    if invite is not None:
        return _invite(app, _base(app, place, number), invite, hours)
    if withdraw is not None:
        return _withdraw(app, withdraw)
    host_page(app, place, number, lambda page: _tell(app, page, place))
    return 0


def host_page(app: App, host: str, port: int, ready: Callable[[Page], None]) -> None:
    """Serve the page until a signal ends it; `ready` is called once it listens. Raises NoAddress."""
    from waitress.server import create_server

    from .web.application import create
    from .web.page import Page

    listening = _listener(host, port)
    with listening:
        base = _base(app, host, listening.getsockname()[1])
        page = Page.make(app, base)
        behind_proxy = app.settings.review.url is not None and _is_loopback(host)
        proxy: dict[str, Any] = {}
        if behind_proxy:
            proxy = {
                "trusted_proxy": _TRUSTED,
                "trusted_proxy_headers": {"x-forwarded-for"},
            }
        server = create_server(
            create(page),
            sockets=[listening],
            threads=_THREADS,
            ident=None,
            url_prefix=page.path,
            clear_untrusted_proxy_headers=True,
            **proxy,
        )
        signal.signal(signal.SIGTERM, _stop)
        try:
            ready(page)
            server.run()  # returns when a signal raises SystemExit or KeyboardInterrupt
        finally:
            server.close()
            page.close()
    app.out.note("The review page is closed.")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _listener(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise NoAddress(
            f"Nothing can listen on {host}:{port} ({error.strerror or error}).",
            hint="Is it running already? Another port: --port 0 takes a free one.",
        ) from error


def _tell(app: App, page: Page, host: str) -> None:
    """Where the page is; with the link that signs this user in, where only this machine can use it."""
    from .web.sign_ins import LINK

    document = {"address": f"{page.base}/"}
    app.out.say(f"The review page is at {page.base}/")
    if _is_loopback(host) and app.settings.review.url is None:
        document["link"] = link_of(app, page)
        app.out.say(f"Sign in as {app.user}, once, within {LINK.seconds // 60} minutes:")
        app.out.say(f"  {document['link']}")
    elif not page.https:
        app.out.warn("ordito: the page's address is not https: whoever listens in can sign in as others.")
    app.out.document(document)
    app.out.note("Ctrl-C ends it.")


def link_of(app: App, page: Page) -> str:
    """A link that signs this user in, once."""
    from .web.sign_ins import LINK, Person, Purpose

    token = page.sign_ins.issue(Purpose.LINK, Person(app.user), app.now(), LINK)
    return f"{page.base}/sign-in/link/{token}"


def _invite(app: App, base: str, name: str, hours: int) -> int:
    from .deciding import Reviewer
    from .web.sign_ins import Person, Purpose, SignIns

    reviewer = Reviewer(app.store, name)
    lasts = timedelta(hours=hours)
    token = SignIns(app.store).issue(Purpose.INVITATION, Person(reviewer.name), app.now(), lasts)
    link = f"{base}/sign-in/link/{token}"
    until = app.now() + lasts
    app.out.document({"name": name, "link": link, "until": until.isoformat()})
    app.out.say(f"For {name} alone, until {until:%Y-%m-%d %H:%M} UTC:")
    app.out.say(f"  {link}")
    return 0


def _withdraw(app: App, name: str) -> int:
    from .web.sign_ins import SignIns

    ended = SignIns(app.store).withdraw(name)
    app.out.document({"name": name, "withdrawn": ended})
    app.out.say(f"{ended} personal link{'' if ended == 1 else 's'} of {name} withdrawn.")
    return 0 if ended else 1


def _address(app: App, host: str | None, port: int | None) -> tuple[str, int]:
    """Where to listen. Raises UsageError where others could reach a page without an address of its own."""
    written, _, number = app.settings.review.listen.rpartition(":")
    chosen = host or written.strip("[]")
    if not _is_loopback(chosen) and app.settings.review.url is None:
        raise UsageError(
            f"On {chosen} others can reach the page, and it needs an address for them.",
            hint="Write review: {url: https://review.example.org} into the settings.",
        )
    return chosen, int(number) if port is None else port


def _base(app: App, host: str, port: int) -> str:
    """The page's own address, without a slash at its end."""
    if app.settings.review.url is not None:
        return app.settings.review.url
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
