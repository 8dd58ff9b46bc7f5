"""What `ordito check` finds: first in the settings alone, then on the sites."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..config.errors import ConnectorError, OrditoError, SettingsError
from ..config.secret import Secret
from ..config.templates import TEMPLATES
from ..config.words import suggestion
from ..connectors.base import Connector, Health, Platform
from .kind import Kind
from .messages import Messages
from .needs import Need, needs

if TYPE_CHECKING:
    from ..config.settings import Settings

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `where`: a place in the settings, a site or a template; `hint`: what to do next."""

    level: Level
    where: str
    message: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Checker:
    """The settings with everything made from them that needs no connection."""

    settings: Settings
    policies: Mapping[str, Kind]
    platforms: Mapping[str, Platform]
    messages: Messages
    today: date
    """In UTC."""

    def offline(self, mirrored: Sequence[Row] = ()) -> list[Row]:
        """Everything that can be said without asking a site, with what the mirror said."""
        found = [
            *self._store(),
            *self._secrets(),
            *self._beginnings(),
            *self._verbs(),
            *self._left_open(),
            *self._facts(),
            *self._templates(),
            *mirrored,
        ]
        if all(row.level == "ok" for row in found):
            sites, policies = len(self.settings.sites), len(self._active())
            text = f"settings, policies and messages are right ({_many(sites, 'site')}, "
            found.append(Row("ok", self.settings.path, f"{text}{_many(policies, 'active policy')})"))
        return found

    def online(self, connect: Callable[[str], Connector]) -> list[Row]:
        """Who we are on every site, what we may do there, and what is missing for which policy.

        Sites whose secrets are missing are left out: `offline` has said so.
        """
        silent = {site for site, _, _ in self._faulty_secrets()}
        sites = [site for site in self.settings.sites if site not in silent]
        return [row for site in sites for row in self._site(site, connect)]

    # --- the settings alone -------------------------------------------------------------------------------

    def _store(self) -> Iterator[Row]:
        where = self.settings.where("store")
        try:
            url = self.settings.store_url
        except OrditoError as error:
            yield Row("error", where, error.message, error.hint)
            return
        if url.startswith("sqlite:///"):
            folder = Path(url.removeprefix("sqlite:///")).parent
            if not folder.is_dir() or not os.access(folder, os.W_OK):
                message = f"the store cannot be written: {folder} is not a folder that we may write to."
                yield Row("error", where, message, "Make the folder, or name another one.")

    def _secrets(self) -> Iterator[Row]:
        for site, name, secret in self._faulty_secrets():
            yield Row("error", self.settings.where("sites", site, name), f"{secret.fault}.", secret.hint)
        people = self.settings.identities.file
        if people is not None and not Path(people).is_file():
            where = self.settings.where("identities", "file")
            yield Row("error", where, f"there is no file {people}.", "Write it, or remove this key.")

    def _beginnings(self) -> Iterator[Row]:
        for site, settings in self.settings.sites.items():
            if settings.since is not None and settings.since > self.today:
                where = self.settings.where("sites", site, "since")
                message = f"'since: {settings.since}' is in the future: nothing of {site} is mirrored."
                yield Row("error", where, message, "Name the day from which on you want its history.")

    def _faulty_secrets(self) -> Iterator[tuple[str, str, Secret]]:
        """(site, key, secret) of those that have no value."""
        for site, settings in self.settings.sites.items():
            for name in type(settings).model_fields:
                value = getattr(settings, name)
                if isinstance(value, Secret) and value.fault:
                    yield site, name, value

    def _verbs(self) -> Iterator[Row]:
        for policy, need in self._needs():
            if need.verb is not None and need.verb not in self.platforms[need.site].verbs:
                connector = self.settings.sites[need.site].connector
                able = sorted(_words(verb) for verb in self.platforms[need.site].verbs)
                message = f"{policy} is to {_words(need.verb)} on {need.site}, which {connector} cannot do."
                yield Row("error", self._place(policy, need), message, f"It can: {', '.join(able)}.")

    def _left_open(self) -> Iterator[Row]:
        for name, kind in self._active().items():
            for site in kind.parameters.on:
                for path, fault, hint in kind.missing(site):
                    where = self.settings.where("policies", name, *path)
                    yield Row("error", where, f"'{path[0]}' {fault}", hint)

    def _facts(self) -> Iterator[Row]:
        """Facts that a site's platform does not have: unknown, so that nothing ever matches."""
        for name, kind in self._active().items():
            for site in kind.parameters.on:
                family = self.platforms[site].family
                when, _ = kind.conditions(family)
                unknown = [atom.use.name for atom in when.atoms() if family not in atom.use.fact.on]
                for fact in dict.fromkeys(unknown):
                    where = self.settings.where("policies", name, "when", fact)
                    message = f"{name} asks for '{fact}', which is unknown on {site}: it never matches there."
                    yield Row("warning", where, message, "Remove the site from 'on', or the fact.")

    def _templates(self) -> Iterator[Row]:
        wanted: dict[tuple[str, str, str], str] = {}
        for policy, need in self._needs():
            if need.message:
                key = (need.message, self.platforms[need.site].markup, self.policies[policy].name)
                wanted.setdefault(key, self._place(policy, need))
        for (name, markup, kind), place in wanted.items():
            if name not in self.messages.names(markup):
                hint = suggestion(name, self.messages.names(markup))
                yield Row("error", place, f"there is no message '{name}' in {markup}.", hint)
                continue
            for language in self._languages(name, markup):
                yield from self._template(name, language, markup, kind)

    def _languages(self, name: str, markup: str) -> list[str]:
        """Languages that are asked for, and those that the admin has own texts in."""
        asked = [self.settings.language, *(site.language for site in self.settings.sites.values())]
        own = self.messages.folder.glob(f"*/{name}.{markup}.j2") if self.messages.folder else ()
        written = sorted(file.parent.name for file in own)
        return list(dict.fromkeys(language for language in (*asked, *written) if language))

    def _template(self, name: str, language: str, markup: str, kind: str) -> Iterator[Row]:
        found, _ = self.messages.find(name, language, markup)
        where = f"messages/{found}/{name}.{markup}.j2"
        if found.partition("-")[0] != language.partition("-")[0]:
            hint = f"Write messages/{language}/{name}.{markup}.j2 beside the settings."
            yield Row("warning", where, f"there is no '{name}' in '{language}'; '{found}' is used.", hint)
        faults = self.messages.faults(name, language, markup)
        for fault in faults:
            yield Row("error", where, f"{fault}.", "The shipped messages show how; see docs/messages.md.")
        if faults:
            return
        text = ""
        for full in (True, False):
            values = _sample(name, kind, full=full)
            try:
                text = self.messages.render(name, language, markup, values).text
            except SettingsError as error:
                yield Row("error", error.where or where, error.message, suggestion("", values))
                return
        if "ordito" not in text.casefold():
            hint = "Say that it comes from Ordito, on behalf of the moderators."
            yield Row("error", where, "it never says from whom it comes.", hint)

    # --- the sites ----------------------------------------------------------------------------------------

    def _site(self, site: str, connect: Callable[[str], Connector]) -> Iterator[Row]:
        try:
            health = connect(site).probe()
        except ConnectorError as error:
            yield Row("error", site, error.message, error.hint)
            return
        counts = ", ".join(_counted(number, what) for what, number in health.counts.items())
        effort = _counted(health.requests, "requests")
        size = f"; {counts}; a first sync takes about {effort}" if counts else ""
        who = f"signed in as {health.account} (version {health.version or 'unknown'}){size}"
        yield Row("ok", site, f"{who}." if health.uncounted else who, health.uncounted)
        if health.read_only:
            yield Row("warning", site, "the site takes no writes at the moment.", "Apply later.")
        for finding in health.findings:
            yield Row(finding.level, site, finding.message, finding.hint)
        yield from self._rights(site, health)
        yield from self._names(site, health)

    def _rights(self, site: str, health: Health) -> Iterator[Row]:
        for policy, need in self._needs(site):
            if need.verb is not None and need.verb in self.platforms[site].verbs - health.can:
                message = f"{policy} is to {_words(need.verb)}, which {health.account} may not do on {site}."
                hint = "Give the account that right, or take the step out of the policy."
                yield Row("error", self._place(policy, need), message, hint)

    def _names(self, site: str, health: Health) -> Iterator[Row]:
        """Groups and badges that are named in the settings and do not exist."""
        for policy, need in self._needs(site):
            named = (("group", need.group, health.groups), ("badge", need.badge, health.badges))
            for what, name, there in named:
                if name and "{" not in name and there is not None and name not in there:
                    hint = suggestion(name, sorted(there)) + f" Else make the {what} first."
                    message = f"{policy} names the {what} '{name}', which does not exist on {site}."
                    level: Level = "warning" if need.optional else "error"
                    yield Row(level, self._place(policy, need), message, hint)
        group = self.settings.constitution.opt_out.group
        family = self.platforms[site].family
        if family == "forum" and group and health.groups is not None and group not in health.groups:
            message = f"the group '{group}', by which members opt out, does not exist on {site}."
            hint = "Make it, open for everybody to join; or write 'group: null'."
            yield Row("warning", self.settings.where("constitution", "opt_out", "group"), message, hint)

    # --- common -------------------------------------------------------------------------------------------

    def _active(self) -> dict[str, Kind]:
        """The policies that are not off."""
        ceiling = self.settings.constitution.mode
        return {
            name: kind
            for name, kind in self.policies.items()
            if kind.parameters.mode.within(ceiling).level != "off"
        }

    def _needs(self, only: str = "") -> Iterator[tuple[str, Need]]:
        """(policy, need) of all active policies, or those on one site."""
        for name, kind in self._active().items():
            for site in kind.parameters.on:
                for need in needs(kind, site):
                    if only in ("", need.site):
                        yield name, need

    def _place(self, policy: str, need: Need) -> str:
        return self.settings.where("policies", policy, *need.path)


def worst(rows: Iterable[Row]) -> Level:
    """The gravest level among them; `ok` for none."""
    levels = {row.level for row in rows}
    return "error" if "error" in levels else "warning" if "warning" in levels else "ok"


def _words(verb: type[Any]) -> str:
    return str(verb.__dataclass_fields__["verb"].default).replace("_", " ")


def _many(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1]}ies" if what.endswith("y") else f"{number} {what}s"


def _sample(name: str, kind: str, *, full: bool) -> dict[str, Any]:
    """Values such as a kind gives to a template. Rules give the same to all templates."""
    if kind != "rule":
        return TEMPLATES[name].values(full=full) if name in TEMPLATES else _everything(full=full)
    rule = TEMPLATES["rule-note"].values(full=full)
    member = TEMPLATES["welcome"].variables["member"].sample
    thread = {**rule["thread"], "url": "https://example.org/t/1"}
    return {**rule, "member": member, "thread": thread, "facts": defaultdict(lambda: "3")}


def _everything(*, full: bool) -> dict[str, Any]:
    """For an admin's own template under a name of their own: what any kind gives."""
    return {key: value for each in TEMPLATES.values() for key, value in each.values(full=full).items()}


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what.removesuffix('s') if number == 1 else what}"
