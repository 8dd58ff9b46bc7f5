"""What a rule can do: the words of `do:`, and how each becomes an action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...config.placed import PlacedError
from ...config.words import suggestion
from ...connectors.actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    GrantBadge,
    MoveThread,
    NotifyModerators,
    RemoveFromGroup,
    Reply,
    SendMessage,
    SetLabels,
    SetTitle,
    UnlistThread,
)
from ...connectors.base import Platform
from ...connectors.records import Kind, Ref
from .. import phrases
from ..comparisons import contains

if TYPE_CHECKING:
    from ..kind import Tools

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Ids of what a verb acts upon: the thread, its or the contribution's author, the contribution."""

    thread: str | None
    member: str | None
    contribution: str | None


@dataclass(frozen=True, slots=True)
class _Verb:
    """A verb of the settings. `needs`, `may`: its parameters and their types; `on`: thread or member."""

    action: type[Action]
    on: str
    needs: Mapping[str, type]
    may: Mapping[str, type]
    contacts: bool = False
    recognises: bool = False


_VERBS: dict[str, _Verb] = {
    "set_labels": _Verb(SetLabels, "thread", {}, {"add": list, "remove": list}),
    "close_thread": _Verb(CloseThread, "thread", {}, {}),
    "archive_thread": _Verb(ArchiveThread, "thread", {}, {"template": str}),
    "unlist_thread": _Verb(UnlistThread, "thread", {}, {}),
    "move_thread": _Verb(MoveThread, "thread", {}, {"space": str, "title": str}),
    "reply": _Verb(Reply, "thread", {"message": str}, {"note": str}, contacts=True),
    "notify_moderators": _Verb(NotifyModerators, "thread", {"message": str},
                               {"note": str, "group": str, "page": str}),
    "send_message": _Verb(SendMessage, "member", {"message": str}, {"note": str}, contacts=True),
    "add_to_group": _Verb(AddToGroup, "member", {"group": str}, {}, contacts=True, recognises=True),
    "remove_from_group": _Verb(RemoveFromGroup, "member", {"group": str}, {}, contacts=True),
    "grant_badge": _Verb(GrantBadge, "member", {"badge": str}, {}, contacts=True, recognises=True),
    "set_title": _Verb(SetTitle, "member", {"title": str}, {}, recognises=True),
}  # fmt: skip

_TOLD_BY = {
    "set_labels": "labels", "close_thread": "closed", "archive_thread": "archived",
    "unlist_thread": "visible", "add_to_group": "groups", "remove_from_group": "groups",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doing:
    """One entry of `do:`."""

    verb: str
    given: Mapping[str, Any]

    @property
    def _of(self) -> _Verb:
        return _VERBS[self.verb]

    @property
    def kind(self) -> type[Action]:
        return self._of.action

    @property
    def to_member(self) -> bool:
        return self._of.on == "member"

    @property
    def contacts(self) -> bool:
        """Whether it notifies the member."""
        return self._of.contacts

    @property
    def recognises(self) -> bool:
        """Whether it singles a member out, which an opt-out ends as well."""
        return self._of.recognises

    @property
    def message(self) -> str | None:
        """The template that it needs."""
        return self.given.get("message")

    def missing(self, target: Target) -> str:
        """Why it cannot be done to this item; '' = it can."""
        if self._of.on == "thread":
            return "" if target.thread else "there is no thread"
        return "" if target.member else "its author is not known"

    @property
    def told_by(self) -> str:
        """The fact of the thread or the member that `already` asks for; '' = none."""
        return _TOLD_BY.get(self.verb, "")

    def already(self, values: Mapping[str, Any]) -> bool:
        """Whether what it would bring about is so already."""
        match self.verb:
            case "set_labels":
                labels = _of_thread(values, "labels") or frozenset()
                add, remove = set(self.given.get("add", ())), set(self.given.get("remove", ()))
                return add <= set(labels) and not remove & set(labels)
            case "close_thread":
                return bool(_of_thread(values, "closed"))
            case "archive_thread":
                return bool(_of_thread(values, "archived"))
            case "unlist_thread":
                return _of_thread(values, "visible") is False
            case "add_to_group":
                return self.given["group"] in (_of_member(values, "groups") or ())
            case "remove_from_group":
                groups = _of_member(values, "groups")
                return groups is not None and contains(groups, (self.given["group"],)) is False
            case _:
                return False

    def action(
        self,
        platform: Platform,
        tools: Tools,
        policy: str,
        language: str,
        target: Target,
        values: Mapping[str, Any],
    ) -> Action:
        """The final action; the texts of values are escaped here."""
        make: Callable[..., Action] = self._of.action
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in self.given.items()
            if key not in ("note", "message")
        }
        if (name := self.message) is not None:
            words = self._words(platform, tools, policy, language, target, values)
            rendered = tools.messages.render(name, language, platform.markup, words)
            given |= {"subject": rendered.subject, "text": rendered.text}
        match self.verb:
            case "send_message":
                given |= {"to": (target.member,), "type": policy}
            case "reply":
                given |= {"thread": target.thread, "reply_to": target.contribution}
                if platform.family == "forum":
                    del given["subject"]
            case "notify_moderators":
                given |= {"about": target.thread}
            case _ if self._of.on == "thread":
                given |= {"thread": target.thread}
            case _:
                given |= {"member": target.member}
        return make(site=platform.site, **given)

    def _words(
        self,
        platform: Platform,
        tools: Tools,
        policy: str,
        language: str,
        target: Target,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        username = str(_of_member(values, "username") or "")
        title = str(_of_thread(values, "title") or "") if target.thread else ""
        url = platform.url(Ref(platform.site, Kind.THREAD, target.thread)) if target.thread else ""
        return {
            "member": {"name": platform.escape(username), "mention": platform.mention(username)},
            "thread": {"title": platform.escape(title), "url": url},
            "facts": {key: _told(platform, value) for key, value in values.items()},
            "note": self.given.get("note", ""),
            "why": phrases.why("rule", language, policy=platform.escape(policy)),
            "stop": phrases.stop(platform.family, language, phrase=tools.phrase),
        }


def read_doing(document: Mapping[str, Any], subject: str, path: Path) -> Doing:
    """Read one entry of `do:`. Raises PlacedError with the nearest word."""
    if len(document) != 1:
        raise PlacedError("takes one verb each.", path=path, hint="For example {close_thread: {}}.")
    verb, given = next(iter(document.items()))
    here = (*path, verb)
    known = _VERBS.get(verb)
    if known is None:
        hint = suggestion(verb, _VERBS)
        raise PlacedError(f"there is no verb '{verb}'.", path=here, hint=hint, at_key=True)
    if subject == "member" and known.on == "thread":
        hint = "Write 'for: thread' or 'for: contribution'."
        raise PlacedError(f"'{verb}' acts on a thread, and this rule is about members.", path=here, hint=hint)
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise PlacedError("must be a mapping of its parameters.", path=here, hint=f"Write {{{verb}: {{}}}}.")
    _check_parameters(verb, known, given, here)
    return Doing(verb, dict(given))


def _check_parameters(verb: str, known: _Verb, given: Mapping[str, Any], path: Path) -> None:
    types = {**known.needs, **known.may}
    for key, value in given.items():
        if key not in types:
            hint = suggestion(str(key), types, empty=f"'{verb}' takes no parameters.")
            raise PlacedError(f"'{verb}' has no '{key}'.", path=(*path, key), hint=hint, at_key=True)
        if not isinstance(value, types[key]) or (
            isinstance(value, list) and not all(isinstance(each, str) for each in value)
        ):
            wanted = "a list of words" if types[key] is list else "a text"
            raise PlacedError(f"must be {wanted}.", path=(*path, key))
    for key in known.needs:
        if key not in given:
            raise PlacedError(f"'{verb}' needs '{key}'.", path=path)
    if verb in ("set_labels", "move_thread") and not given:
        raise PlacedError(f"'{verb}' needs {' or '.join(known.may)}.", path=path)


def _of_thread(values: Mapping[str, Any], name: str) -> Any:
    """A fact of the thread that a verb acts upon, if it was asked for."""
    return values.get(f"thread.{name}", values.get(name))


def _of_member(values: Mapping[str, Any], name: str) -> Any:
    """A fact of the member that a verb acts upon, if it was asked for."""
    return values.get(f"author.{name}", values.get(name))


def _told(platform: Platform, value: Any) -> Any:
    """A value as a template may use it: texts escaped, sets as a list in words, the rest as it is."""
    if isinstance(value, str):
        return platform.escape(value)
    if isinstance(value, frozenset):
        return ", ".join(platform.escape(each) for each in sorted(value))
    return "" if value is None else value
