"""`ordito init`: answers to a few questions → a commented `ordito.yaml` to start from.

A preset is a part of a settings file, written for a site `forum` and a site `wiki`. Its lines that begin
with `#%` are statements of Jinja: they keep what fits the sites that there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import StoreError, UsageError
from .words import suggestion

if TYPE_CHECKING:
    from jinja2 import Environment

PRESETS = Path(__file__).parent / "presets"
FAMILIES = {"discourse": "forum", "mediawiki": "wiki"}
"""What `init` can ask for: the connector, and the name that its first site gets."""

_PLAIN = re.compile(r"[A-Za-z][\w./@-]*|https?://[\w.:/~-]+")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


@dataclass(frozen=True, slots=True)
class Site:
    """Answers about one site. `variable`: name of the environment variable that will hold its secret."""

    name: str
    connector: str
    url: str
    username: str
    variable: str

    @property
    def family(self) -> str:
        return FAMILIES[self.connector]


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything `init` asks. `contact` and `timezone` may be ''."""

    sites: tuple[Site, ...]
    language: str = "en"
    contact: str = ""
    timezone: str = ""
    preset: str = "community-of-practice"


def presets() -> dict[str, str]:
    """Name → one line that says for whom it is."""
    found = {}
    for path in sorted(PRESETS.glob("*.yaml")):
        with path.open(encoding="utf-8") as lines:
            found[path.stem] = next(lines).removeprefix("#").strip()
    return found


def variable_for(name: str, connector: str) -> str:
    """The environment variable proposed for a site's secret: `ORDITO_FORUM_KEY`."""
    kind = "KEY" if connector == "discourse" else "PASSWORD"
    return f"ORDITO_{name.upper().replace('-', '_')}_{kind}"


def tidy_url(connector: str, text: str) -> str:
    """The address as the settings want it, from what people paste. Raises UsageError.

    A wiki's address becomes that of its `api.php`: beside `index.php` where the address shows it, else
    at the root of the site.
    """
    text = text.strip()
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc or " " in url:
        raise UsageError(f"'{text}' is not an address.", hint="Write it as https://forum.example.org.")
    path = parts.path.rstrip("/")
    if connector == "mediawiki" and not path.endswith("/api.php"):
        path = f"{path.partition('/index.php')[0]}/api.php" if "/index.php" in path else "/api.php"
    return f"{parts.scheme}://{parts.netloc}{path}"


def draft(answers: Answers) -> str:
    """The text of the settings. Raises UsageError for answers that cannot be used together."""
    known = presets()
    if answers.preset not in known:
        hint = suggestion(answers.preset, known)
        raise UsageError(f"There is no preset '{answers.preset}'.", hint=hint)
    names = [site.name for site in answers.sites]
    if not names or len(set(names)) < len(names):
        raise UsageError("The settings need one site at least, each with its own name.")
    head = _HEAD + _general(answers) + "\nsites:\n" + "\n".join(map(_site, answers.sites))
    return head + "\n" + _preset(answers)


def write(path: Path, text: str) -> None:
    """Write a new file. Raises UsageError where there is one already, which stays as it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        hint = "Name another file with --config, or edit this one."
        raise UsageError(f"{path} exists already and stays as it is.", hint=hint) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}).", hint="Choose another folder with --config."
        ) from None


_HEAD = """\
# Settings of Ordito. Keys and passwords never stand here, only the names of the environment variables
# that hold them. 'ordito check' says whether everything is right.

# Where the mirror of your sites and all proposals are kept: a file beside this one, or a PostgreSQL URL.
store: sqlite:///ordito.db

"""

_DISCOURSE = """\
  # A Discourse forum. The key is made under Admin → API: bind it to the account named here alone, and
  # give it to Ordito by: export {variable}=…
  {name}:
    connector: discourse
    url: {url}
    username: {username}
    api_key: {{env: {variable}}}     # or {{file: /run/secrets/forum-key}}
    requests_per_minute: 30         # a forum answers about 60 a minute, to all its integrations together
    # since: 2020-01-01             # nothing older is read
    # exclude: {{spaces: [Lounge], labels: [private]}}   # what Ordito shall never see
"""

_MEDIAWIKI = """\
  # A MediaWiki. The account is a bot password, made on the page Special:BotPasswords (“Ordito@cron”);
  # give it to Ordito by: export {variable}=…
  {name}:
    connector: mediawiki
    url: {url}
    username: {username}
    password: {{env: {variable}}}     # or {{file: /run/secrets/wiki-password}}
    namespaces: [0, 1, 2, 3, 4, 5]  # articles, users and the project, each with its talk pages
    edits_per_minute: 6
    # since: 2020-01-01             # nothing older is read
"""


def _general(answers: Answers) -> str:
    lines = ["# Language of messages to people whose own is unknown; en and it are there."]
    lines.append(f"language: {_scalar(answers.language)}")
    lines.append("# The admins of the sites see this in their logs; an address or a page about you.")
    lines.append(f"contact: {_scalar(answers.contact)}" if answers.contact else "# contact: you@example.org")
    return "\n".join(lines) + "\n"


def _site(site: Site) -> str:
    block = _DISCOURSE if site.connector == "discourse" else _MEDIAWIKI
    return block.format(
        name=site.name, url=_scalar(site.url), username=_scalar(site.username), variable=site.variable
    )


def _preset(answers: Answers) -> str:
    """The preset with what does not fit taken out, and with the sites' real names."""
    names = {
        family: [site.name for site in answers.sites if site.family == family]
        for family in FAMILIES.values()
    }
    source = (PRESETS / f"{answers.preset}.yaml").read_text(encoding="utf-8")
    keep = {**{family: bool(there) for family, there in names.items()}, "timezone": answers.timezone}
    text = _environment().from_string(source).render(keep)
    # Jinja takes the empty lines around its own along.
    text = re.sub(r"^(    mode: .*\n)(?=  #)", r"\1\n", text, flags=re.MULTILINE)
    text = re.sub(r"^(\s+on: )\[([a-z, ]+)\]$", _renamed(names), text, flags=re.MULTILINE)
    for family, there in names.items():
        if there:
            text = re.sub(rf"(?<![\w:]){family}(?=:(title|thread):)", there[0], text)
    return text.replace("timezone: Europe/Rome", f"timezone: {answers.timezone or 'Europe/Rome'}")


def _renamed(names: dict[str, list[str]]) -> Callable[[re.Match[str]], str]:
    def rename(match: re.Match[str]) -> str:
        there = [name for family in match[2].split(", ") for name in names[family]]
        return f"{match[1]}[{', '.join(there)}]"

    return rename


def _environment() -> Environment:
    from jinja2 import Environment

    # settings are no HTML
    return Environment(line_statement_prefix="#%", keep_trailing_newline=True, autoescape=False)  # noqa: S701


def _scalar(text: str) -> str:
    """`text` as YAML: plain where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
