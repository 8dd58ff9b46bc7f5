"""`ordito.yaml` → Settings, or every fault in it at once, each with its line and column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from .base import Context, Model
from .errors import Fault, SettingsError
from .fields import check_name
from .model import PolicySettings, SiteSettings
from .placed import PlacedError
from .settings import General, Settings
from .tree import Path as Keys
from .tree import Tree, parse, place_in
from .wording import wrongs
from .words import suggestion

_SECTIONS = ("sites", "policies")
_M = TypeVar("_M", bound=Model)


def load(
    path: str | Path,
    environ: Mapping[str, str],
    kinds: Mapping[str, type[PolicySettings]],
    connectors: Mapping[str, type[SiteSettings]],
) -> Settings:
    """Read and check the file.

    `kinds` and `connectors` are the models that `use:` and `connector:` choose from. Secrets are read
    from `environ` and from files; a missing one is not a fault here (see `Secret.fault`). Raises
    SettingsError with all faults, in the order of the file.
    """
    file = Path(path)
    return read(_text(file), str(path), file.absolute().parent, environ, kinds, connectors)


def read(
    text: str,
    name: str,
    folder: Path,
    environ: Mapping[str, str],
    kinds: Mapping[str, type[PolicySettings]],
    connectors: Mapping[str, type[SiteSettings]],
) -> Settings:
    """`load` for text that is already at hand; `name` stands for the file in messages."""
    tree = parse(text, name)
    if tree.data is None:
        hint = "Run 'ordito init' to write settings with comments, or write 'sites:' yourself."
        raise SettingsError([Fault(name, 1, 1, "", "the file holds no settings.", hint)])
    settings = _Check(tree, folder, environ).settings(kinds, connectors)
    if tree.faults or settings is None:
        raise SettingsError(sorted(tree.faults, key=lambda fault: (fault.line, fault.column)))
    return settings


def _text(file: Path) -> str:
    init = "Run 'ordito init' to write them, or name the file with --config or $ORDITO_CONFIG."
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise SettingsError([Fault(str(file), 0, 0, "", "there are no settings here.", init)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        message = f"the settings cannot be read ({reason})."
        raise SettingsError([Fault(str(file), 0, 0, "", message, init)]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = raw[: error.start].decode("utf-8-sig")
        fault = Fault(str(file), *place_in(start, len(start)), "", "not UTF-8.", "Save the file as UTF-8.")
        raise SettingsError([fault]) from None


class _Check:
    """One pass over a parsed file; faults go into the tree."""

    def __init__(self, tree: Tree, folder: Path, environ: Mapping[str, str]) -> None:
        self._tree = tree
        self._folder = folder
        self._environ = environ
        self._context = Context(environ, folder)

    def settings(
        self, kinds: Mapping[str, type[PolicySettings]], connectors: Mapping[str, type[SiteSettings]]
    ) -> Settings | None:
        data = self._tree.data
        if not isinstance(data, dict):
            self._fault((), "the settings should be a mapping.", "Begin with 'sites:'.")
            return None
        raw_sites, raw_policies = (self._section(data, name) for name in _SECTIONS)
        if not raw_sites and "sites" not in {fault.path for fault in self._tree.faults}:
            self._fault(("sites",), "there are no sites.", "'ordito init' asks for them.")
        self._context = Context(self._environ, self._folder, frozenset(raw_sites))
        general = self._model(General, self._head(data), ())
        sites = self._chosen(raw_sites, "sites", "connector", connectors)
        policies = self._chosen(raw_policies, "policies", "use", kinds)
        if self._tree.faults or general is None:
            return None
        return Settings(self._tree.file, self._folder, general, sites, policies, self._tree.places())

    def _head(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """All but sites and policies; a section whose lines are all commented out is one left out."""
        head = {key: value for key, value in data.items() if key not in _SECTIONS}
        known = [field.alias or name for name, field in General.model_fields.items()]
        for key in [key for key in head if key not in known]:
            del head[key]
            hint = suggestion(key, [*known, *_SECTIONS])
            self._fault((key,), f"unknown key '{key}'.", hint, at_key=True)
        return {key: value for key, value in head.items() if value is not None}

    def _section(self, data: Mapping[str, Any], section: str) -> dict[str, Any]:
        found = data.get(section)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self._fault((section,), "should be a mapping.", "Write one name per line, indented.")
            return {}
        for name in found:
            try:
                check_name(name)
            except PlacedError as error:
                self._fault((section, name), error.message, error.hint, at_key=True)
        return found

    def _chosen(
        self, raw: Mapping[str, Any], section: str, chooser: str, models: Mapping[str, type[_M]]
    ) -> dict[str, _M]:
        """Each entry of a section by the model that its key `chooser` names."""
        found: dict[str, _M] = {}
        for name, entry in raw.items():
            path: Keys = (section, name)
            if not isinstance(entry, dict):
                self._fault(path, "should be a mapping.", f"Begin with '{chooser}:'.")
                continue
            word = entry.get(chooser)
            if word is None:
                self._fault(path, f"'{chooser}' is missing here.", suggestion("", models))
            elif not isinstance(word, str) or word not in models:
                self._fault((*path, chooser), f"there is no '{word}'.", suggestion(str(word), models))
            elif (model := self._model(models[word], entry, path)) is not None:
                found[name] = model
        return found

    def _model(self, model: type[_M], data: Mapping[str, Any], path: Keys) -> _M | None:
        try:
            return model.model_validate_json(json.dumps(data), context=self._context)
        except ValidationError as error:
            for wrong in wrongs(error, model, data):
                self._fault(path + wrong.path, wrong.message, wrong.hint, at_key=wrong.at_key)
            return None

    def _fault(self, path: Keys, message: str, hint: str = "", *, at_key: bool = False) -> None:
        self._tree.faults.append(self._tree.fault(path, message, hint, at_key=at_key))
