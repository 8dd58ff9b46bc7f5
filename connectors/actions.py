"""The verbs: what a policy may ask of a platform, as plain data.

An action names its item by stable ids and carries the final text, already in the platform's own markup
(Markdown for Discourse, wikitext for MediaWiki). `verb` is the name in JSON documents and the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from .records import Kind, Ref

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """A private message (forum) or a section on the talk page of the first recipient (wiki)."""

    site: str
    to: tuple[str, ...]
    """Member ids; the first is the person addressed, the others are added to the conversation (forum)."""
    subject: str
    text: str
    type: str = ""
    """The message's type, for opt-outs of one type: `{{bots|optout=TYPE}}`."""
    verb: Literal["send_message"] = "send_message"
    contact: ClassVar[bool] = True

    @property
    def item(self) -> Ref:
        return Ref(self.site, Kind.MEMBER, self.to[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A post in a topic, without bumping it (forum), or a section on the page's talk page (wiki)."""

    site: str
    thread: str
    text: str
    reply_to: str | None = None
    """Id of the contribution answered, where it is one (forum)."""
    subject: str = ""
    """Heading of the section (wiki)."""
    verb: Literal["reply"] = "reply"
    contact: ClassVar[bool] = True

    @property
    def item(self) -> Ref:
        return Ref(self.site, Kind.THREAD, self.thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenThread:
    """A new topic in a category, or a new page that must not exist yet."""

    site: str
    title: str
    text: str
    space: str | None = None
    labels: tuple[str, ...] = ()
    verb: Literal["open_thread"] = "open_thread"
    contact: ClassVar[bool] = False

    @property
    def item(self) -> Ref:
        return Ref(self.site, "title", self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditText:
    """Replace the text of a post or a page: all of it, one section, or what stands between two markers.

    `contribution` names a post; `thread` (page id) or `title` a page. `expected` is the raw text (of the
    part named) that the author of this action saw: a different one is a Conflict, never overwritten.
    None = a page that must not exist yet. Between markers, a page without them gets the block appended.
    """

    site: str
    text: str
    contribution: str | None = None
    thread: str | None = None
    title: str | None = None
    section: str | None = None
    markers: tuple[str, str] | None = None
    expected: str | None = None
    summary: str = ""
    minor: bool = False
    verb: Literal["edit_text"] = "edit_text"
    contact: ClassVar[bool] = False

    @property
    def item(self) -> Ref:
        if self.contribution is not None:
            return Ref(self.site, Kind.CONTRIBUTION, self.contribution)
        if self.thread is not None:
            return Ref(self.site, Kind.THREAD, self.thread)
        return Ref(self.site, "title", self.title or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLabels:
    """Add and remove tags (forum) or categories in the text (wiki); labels not named stay."""

    site: str
    thread: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    verb: Literal["set_labels"] = "set_labels"
    contact: ClassVar[bool] = False

    @property
    def item(self) -> Ref:
        return Ref(self.site, Kind.THREAD, self.thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThreadState:
    site: str
    thread: str
    contact: ClassVar[bool] = False

    @property
    def item(self) -> Ref:
        return Ref(self.site, Kind.THREAD, self.thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseThread(_ThreadState):
    """No more replies (forum)."""

    verb: Literal["close_thread"] = "close_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenThread(_ThreadState):
    """Undo of a closing (forum)."""

    verb: Literal["reopen_thread"] = "reopen_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveThread(_ThreadState):
    """Frozen as it is: no replies, edits or likes (forum); template and categories, or, with `to`, some
    sections of a talk page moved to another page (wiki)."""

    template: str = ""
    """Wikitext put at the top of the page; with `to`, what a new archive begins with (wiki)."""
    labels: tuple[str, ...] = ()
    """Categories that the page gets with the template (wiki)."""
    sections: tuple[str, ...] = ()
    """The sections' wikitext, each exactly as it stands on the page; a different one is a Conflict."""
    to: str = ""
    """The full title of the page that they are moved to."""
    verb: Literal["archive_thread"] = "archive_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnarchiveThread(_ThreadState):
    """Undo of an archiving."""

    template: str = ""
    """Wikitext to take from the top of the page (wiki)."""
    verb: Literal["unarchive_thread"] = "unarchive_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlistThread(_ThreadState):
    """Out of the lists, still readable by its address (forum)."""

    verb: Literal["unlist_thread"] = "unlist_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListThread(_ThreadState):
    """Undo of an unlisting (forum)."""

    verb: Literal["list_thread"] = "list_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveThread(_ThreadState):
    """Into another category (forum: its id) or to another title (wiki: the full title)."""

    space: str = ""
    title: str = ""
    verb: Literal["move_thread"] = "move_thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberAction:
    site: str
    member: str
    contact: ClassVar[bool] = True

    @property
    def item(self) -> Ref:
        return Ref(self.site, Kind.MEMBER, self.member)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToGroup(_MemberAction):
    """`group` is the group's name."""

    group: str
    verb: Literal["add_to_group"] = "add_to_group"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFromGroup(_MemberAction):
    group: str
    verb: Literal["remove_from_group"] = "remove_from_group"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBadge(_MemberAction):
    """`badge` is the badge's name (forum)."""

    badge: str
    verb: Literal["grant_badge"] = "grant_badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeBadge(_MemberAction):
    badge: str
    verb: Literal["revoke_badge"] = "revoke_badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTitle(_MemberAction):
    """The words beside the name (forum); '' takes them away."""

    title: str
    verb: Literal["set_title"] = "set_title"
    contact: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyModerators:
    """A message to a group (forum) or a section on a project page (wiki: `page` is its title)."""

    site: str
    subject: str
    text: str
    group: str = "moderators"
    page: str = ""
    about: str | None = None
    """The thread that it is about."""
    verb: Literal["notify_moderators"] = "notify_moderators"
    contact: ClassVar[bool] = False

    @property
    def item(self) -> Ref:
        if self.about:
            return Ref(self.site, Kind.THREAD, self.about)
        return Ref(self.site, Kind.GROUP, self.group)


Action = (
    SendMessage | Reply | OpenThread | EditText | SetLabels | CloseThread | ReopenThread | ArchiveThread
    | UnarchiveThread | UnlistThread | ListThread | MoveThread | AddToGroup | RemoveFromGroup | GrantBadge
    | RevokeBadge | SetTitle | NotifyModerators
)  # fmt: skip


@cache
def _adapter() -> TypeAdapter[Action]:
    from pydantic import Field, TypeAdapter

    return TypeAdapter(Annotated[Action, Field(discriminator="verb")])


def to_json(action: Action) -> dict[str, Any]:
    """The action as a JSON object; `from_json` reads it back as an equal action."""
    document: dict[str, Any] = _adapter().dump_python(action, mode="json", exclude_defaults=True)
    return {"verb": action.verb, **document}


def from_json(document: dict[str, Any]) -> Action:
    """Raises pydantic.ValidationError for what `to_json` did not write."""
    return _adapter().validate_python(document)
