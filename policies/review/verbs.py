"""What an action does, in words for people, and how far it could be undone (DESIGN §4, column "undo")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from ...connectors import actions as a
from ...connectors.actions import Action
from ...connectors.base import Family, Platform
from ...connectors.records import Kind, Ref
from .names import Names

Undo = Literal["yes", "withdraw", "no"]

UNDO_WORDS: dict[Undo, str] = {
    "yes": "can be undone, unless somebody changes it meanwhile",
    "withdraw": "the text can be withdrawn; notifications and mails will have gone out",
    "no": "cannot be undone",
}


def undo_of(action: Action, platform: Platform | None) -> Undo:
    """`yes`: the state before comes back; `withdraw`: the text goes, but notifications have gone out.

    A page that a wiki was given can be taken away only with a right that most accounts lack: `no`.
    """
    match action:
        case a.SendMessage() | a.Reply() | a.NotifyModerators():
            return "withdraw"
        case a.OpenThread():
            return "no" if family_of(platform) == "wiki" else "withdraw"
        case _:
            return "yes"


def family_of(platform: Platform | None) -> Family:
    """That of a site that is no longer in the settings cannot be known; a forum is taken."""
    return platform.family if platform is not None else "forum"


def concerned(action: Action) -> Iterator[Ref]:
    """The items whose names `sentence` and `recipients` need."""
    yield action.item
    match action:
        case a.SendMessage(site=site, to=to):
            yield from (Ref(site, Kind.MEMBER, member) for member in to)
        case a.OpenThread(site=site, space=str(space)):
            yield Ref(site, Kind.SPACE, space)
        case a.MoveThread(site=site, space=space) if space:
            yield Ref(site, Kind.SPACE, space)


def sentence(action: Action, names: Names, platform: Platform | None) -> str:
    """One line: `Send Anna a private message (with Luca)`, `Close the topic “…”`."""
    family = family_of(platform)
    match action:
        case a.SendMessage(site=site, to=to):
            first, *others = (names.member(site, member) for member in to)
            forum = family == "forum"
            done = f"Send {first} a private message" if forum else f"Write on {first}'s talk page"
            return f"{done} (with {listed(others)})" if others else done
        case a.NotifyModerators(group=group, page=page):
            return f"Write to the moderators on the page “{page}”" if page else f"Send a message to {group}"
        case a.OpenThread(site=site, title=title, space=space):
            if family == "wiki":
                return f"Make the page “{title}”"
            where = f" in “{names.of(site, Kind.SPACE, space)}”" if space else ""
            return f"Open the topic “{title}”{where}"
    return _about_member(action, names) or _about_thread(action, names, family)


def _about_member(action: Action, names: Names) -> str:
    match action:
        case a.AddToGroup(site=site, member=member, group=group):
            return f"Add {names.member(site, member)} to the group “{group}”"
        case a.RemoveFromGroup(site=site, member=member, group=group):
            return f"Take {names.member(site, member)} out of the group “{group}”"
        case a.GrantBadge(site=site, member=member, badge=badge):
            return f"Give {names.member(site, member)} the badge “{badge}”"
        case a.RevokeBadge(site=site, member=member, badge=badge):
            return f"Take the badge “{badge}” from {names.member(site, member)}"
        case a.SetTitle(site=site, member=member, title=title):
            who = names.member(site, member)
            return f"Give {who} the title “{title}”" if title else f"Take the title from {who}"
    return ""


def _about_thread(action: Action, names: Names, family: Family) -> str:
    what = "topic" if family == "forum" else "page"
    item = action.item
    title = item.id if item.kind == "title" else names.of(item.site, Kind(item.kind), item.id)
    thread = f"the {what} “{title}”"
    match action:
        case a.Reply():
            return f"Reply in {thread}" if family == "forum" else f"Write on the talk page of {thread}"
        case a.EditText(contribution=post, expected=before):
            if post is not None:
                return f"Edit {title}"
            return f"Make {thread}" if before is None and item.kind == "title" else f"Edit {thread}"
        case a.SetLabels(add=add, remove=remove):
            return _labels(add, remove, "tag" if family == "forum" else "category", thread)
        case a.MoveThread(site=site, space=space, title=new):
            where = f"“{new}”" if new else f"“{names.of(site, Kind.SPACE, space)}”"
            return f"Move {thread} to {where}"
        case a.CloseThread():
            return f"Close {thread}"
        case a.ReopenThread():
            return f"Open {thread} again"
        case a.ArchiveThread(to=to, sections=sections) if to:
            many = "a section" if len(sections) == 1 else f"{len(sections)} sections"
            return f"Move {many} of {thread} to “{to}”"
        case a.ArchiveThread(template=template, labels=labels) if template:
            also = f" and into {listed([f'“{label}”' for label in labels])}" if labels else ""
            return f"Put {template} on {thread}{also}"
        case a.ArchiveThread():
            return f"Archive {thread}"
        case a.UnarchiveThread():
            return f"Take {thread} out of the archive"
        case a.UnlistThread():
            return f"Take {thread} out of the lists"
        case a.ListThread():
            return f"Put {thread} back into the lists"
    raise AssertionError(action)


def _labels(add: Sequence[str], remove: Sequence[str], word: str, thread: str) -> str:
    if add and remove:
        changes = ", ".join([*(f"+{label}" for label in add), *(f"-{label}" for label in remove)])
        return f"Change the {_plural(word)} of {thread}: {changes}"
    labels = listed([f"“{label}”" for label in add or remove])
    what = f"the {word if len(add or remove) == 1 else _plural(word)} {labels}"
    return f"Add {what} to {thread}" if add else f"Take {what} off {thread}"


def _plural(word: str) -> str:
    return "categories" if word == "category" else f"{word}s"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
