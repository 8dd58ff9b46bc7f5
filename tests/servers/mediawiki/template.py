"""The wiki that copies are made from: installed once, with an administrator and the account Ordito uses."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.mediawiki.history import History
from tests.servers.mediawiki.php import MEDIAWIKI, Php, run
from tests.servers.mediawiki.seed import seed
from tests.servers.once import once

ADMIN, ADMIN_PASSWORD = "Admin", "admin-password-1"
BOT, BOT_PASSWORD = "Ordito", "ordito-password-1"
BOT_APPLICATION, BOT_SECRET = "cron", "0123456789abcdefghijklmnopqrstuv"
BOT_GRANTS = ("basic", "highvolume", "editpage", "createeditmovepage")


@dataclass(frozen=True, slots=True)
class Template:
    """An installed wiki that no server runs on."""

    data: Path
    """The files that each copy gets."""
    shared: Path
    """The folder that all copies share (see `Php.shared`)."""


def make_template(folder: Path) -> Template:
    """Install a wiki below `folder`, once: later calls, from other processes too, find what is there."""
    shared = folder / "shared"

    def install(data: Path) -> None:
        _install(data, folder / "installer")
        php = Php(data, shared)
        create_account(php, BOT, BOT_PASSWORD, groups=("bot",))
        create_bot_password(php, BOT, BOT_APPLICATION, BOT_SECRET, BOT_GRANTS)

    return Template(once(folder / "installed", install), shared)


def with_history(template: Template, folder: Path, read: Callable[[], History]) -> Template:
    """The template with a history in it, made once in `folder`: pages, revisions, accounts, changes, links.

    `read` gives the history and is called only by the process that makes the template.
    """

    def fill(data: Path) -> None:
        history = read()
        shutil.copytree(template.data, data, dirs_exist_ok=True)
        if history.namespaces:
            names = {str(number): name for number, name in history.namespaces.items()}
            (data / "settings.json").write_text(json.dumps({"wgExtraNamespaces": names}))
        seed(data / "wiki.sqlite", history)
        php = Php(data, template.shared)
        php.maintenance("refreshLinks.php")
        php.maintenance("initSiteStats.php", "--update", "--active")

    return Template(once(folder, fill), template.shared)


def create_account(php: Php, name: str, password: str, groups: tuple[str, ...] = ()) -> None:
    """An account, or new groups and a new password for one that exists."""
    options = [f"--custom-groups={','.join(groups)}"] if groups else []
    php.maintenance("createAndPromote.php", "--force", *options, name, password)


def create_bot_password(
    php: Php, name: str, application: str, secret: str, grants: tuple[str, ...] = BOT_GRANTS
) -> None:
    """Let the account sign in as `name@application` with `secret` (32 characters) and only these grants."""
    php.maintenance(
        "createBotPassword.php", f"--appid={application}", f"--grants={','.join(grants)}", name, secret
    )


def _install(data: Path, work: Path) -> None:
    """MediaWiki's own installer; the settings file it writes to `work` is not used."""
    work.mkdir(parents=True, exist_ok=True)
    options = {
        "dbtype": "sqlite",
        "dbname": "wiki",
        "dbpath": data,
        "confpath": work,
        "server": "http://127.0.0.1",
        "scriptpath": "",
        "lang": "en",
        "pass": ADMIN_PASSWORD,
        "skins": "",
        "extensions": "AbuseFilter",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    installer = str(MEDIAWIKI / "maintenance" / "install.php")
    environment = {name: value for name, value in os.environ.items() if name != "MW_CONFIG_FILE"}
    run(["php", installer, *arguments, "TestWiki", ADMIN], environment)
    for cache in data.glob("*_l10n_cache.sqlite"):
        cache.unlink()
