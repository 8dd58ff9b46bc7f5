"""Messages: templates by name, language and markup, rendered in a sandbox.

A template begins with `Subject: …`, an empty line, and the text. What is put in has been escaped for the
platform before (`Markup…` below), so that a name or a title can neither mention, transclude, link nor
format. Every template says why it came and how to stop it: without {{ why }} and {{ stop }} it is refused.
An admin's own templates lie in `messages/<language>/` beside the settings and come first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.errors import Fault, SettingsError
from ..config.words import suggestion

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

REQUIRED = ("why", "stop")
"""Variables without which nobody would know why a message came, and how to end it."""

_NO_MESSAGE = frozenset({"directory"})
"""Templates that are part of a page, not a message to somebody."""

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])|\u2060")
"""What Markdown's escaping puts in: a backslash before punctuation (CommonMark 2.4), or a word joiner."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`language` is the one that was found, not always the one asked for."""

    subject: str
    text: str
    language: str


@dataclass(frozen=True)
class Messages:
    """The templates of an installation. `folder`: where the admin's own ones lie, if anywhere."""

    folder: Path | None = None
    default_language: str = "en"
    _sources: dict[tuple[str, str, str], str | None] = field(default_factory=dict)
    _compiled: dict[str, Template] = field(default_factory=dict)

    def render(self, name: str, language: str, markup: str, values: Mapping[str, Any]) -> Rendered:
        """Raises SettingsError for a template that is missing or broken."""
        import jinja2

        found, source = self.find(name, language, markup)
        place = self._place(name, found, markup)
        try:
            if source not in self._compiled:
                self._compiled[source] = self._environment.from_string(source)
            whole = self._compiled[source].render(values)
        except jinja2.TemplateError as error:
            line = getattr(error, "lineno", None) or 0
            raise SettingsError([Fault(place, line, 1, "", f"{error}.")]) from error
        head, _, text = whole.partition("\n\n")
        subject = " ".join(head.removeprefix("Subject:").split())
        if markup == "markdown":  # a forum shows titles as they are, backslashes too
            subject = _ESCAPE.sub(r"\1", subject)
        return Rendered(subject, text.strip() + "\n", found)

    def find(self, name: str, language: str, markup: str) -> tuple[str, str]:
        """The language found (asked for, its base, the default, English) and the template's source."""
        tried = dict.fromkeys([language, language.partition("-")[0], self.default_language, "en"])
        for candidate in tried:
            source = self._source(name, candidate, markup)
            if source is not None:
                return candidate, source
        hint = suggestion(name, self.names(markup))
        raise SettingsError(
            [Fault(self._place(name, "en", markup), 0, 0, "", f"there is no message '{name}'.", hint)]
        )

    def faults(self, name: str, language: str, markup: str) -> list[str]:
        """What is wrong with a template, in words; [] = nothing. Used by `ordito check`."""
        import jinja2
        from jinja2 import meta

        found, source = self.find(name, language, markup)
        try:
            tree = self._environment.parse(source)
        except jinja2.TemplateError as error:
            return [f"line {getattr(error, 'lineno', 0)}: {error}"]
        if name in _NO_MESSAGE:
            return []
        used = meta.find_undeclared_variables(tree)
        faults = [f"it never says {{{{ {each} }}}}" for each in REQUIRED if each not in used]
        if not source.startswith("Subject:"):
            faults.append("its first line must be 'Subject: …'")
        if re.search(r"(?<!\+)[%#]\}$", source.partition("\n")[0].rstrip("\r")):
            # A block takes the end of its line along (`trim_blocks`), and with it the empty line that parts
            # the subject from the text.
            faults.append("its first line ends with a block, which swallows the line's end: close it by +%}")
        return faults

    def names(self, markup: str) -> list[str]:
        """Every template that there is for a markup."""
        shipped = resources.files(__package__).parent / "config" / "messages" / "en"  # type: ignore[attr-defined]
        found = {path.name for path in shipped.iterdir()}
        if self.folder is not None and self.folder.is_dir():
            found |= {path.name for path in self.folder.glob("*/*")}
        ending = f".{markup}.j2"
        return sorted(name.removesuffix(ending) for name in found if name.endswith(ending))

    def _source(self, name: str, language: str, markup: str) -> str | None:
        key = (name, language, markup)
        if key not in self._sources:
            self._sources[key] = self._read(name, language, markup)
        return self._sources[key]

    def _read(self, name: str, language: str, markup: str) -> str | None:
        file = f"{name}.{markup}.j2"
        if not all(part.replace("-", "").replace("_", "").isalnum() for part in (name, language)):
            return None
        if self.folder is not None:
            own = self.folder / language / file
            if own.is_file():
                return own.read_text(encoding="utf-8")
        root = resources.files(__package__).parent  # type: ignore[attr-defined]
        shipped = root / "config" / "messages" / language / file
        return shipped.read_text(encoding="utf-8") if shipped.is_file() else None

    def _place(self, name: str, language: str, markup: str) -> str:
        return f"messages/{language}/{name}.{markup}.j2"

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        return ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True  # noqa: S701
        )
