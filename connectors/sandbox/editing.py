"""The part of a text that an EditText names: compared with what was seen, and replaced."""

from __future__ import annotations

from ...config.errors import Conflict, NotFound
from ..actions import EditText
from ..mediawiki.wikitext import Part, between, section


def edited(text: str | None, action: EditText) -> str:
    """The text after the edit; `text` None = there is no page yet.

    Raises Conflict if the part is not what the action expects, NotFound for a missing section. Blank lines
    around a part do not count. Missing markers are appended with the new part between them.
    """
    new = action.text.strip("\n")
    part = None if text is None else _part(text, action)
    seen = None if text is None or part is None else text[part.start : part.end].strip("\n")
    expected = None if action.expected is None else action.expected.strip("\n")
    if seen != expected and not (seen is None and action.markers and not expected):
        raise Conflict("The text is not what it was when this was planned.", hint="Plan anew.")
    if text is not None and part is not None:
        return _replaced(text, part, new, action)
    if action.markers is not None:
        lead = f"{(text or '').rstrip()}\n\n" if (text or "").strip() else ""
        return f"{lead}{action.markers[0]}\n{new}\n{action.markers[1]}"
    if action.section is not None:
        raise NotFound(
            f"There is no section '{action.section}'.", hint="It may have been renamed; plan anew."
        )
    return new


def holds(text: str, action: EditText) -> bool:
    """Whether the part says what the action wants it to say."""
    part = _part(text, action)
    return part is not None and text[part.start : part.end].strip("\n") == action.text.strip("\n")


def _part(text: str, action: EditText) -> Part | None:
    if action.markers is not None:
        return between(text, action.markers)
    if action.section is not None:
        return section(text, action.section)
    return Part(0, len(text))


def _replaced(text: str, part: Part, new: str, action: EditText) -> str:
    if action.markers is not None:
        return f"{text[: part.start]}\n{new}\n{text[part.end :]}"
    if action.section is not None and part.end < len(text):
        return f"{text[: part.start]}{new}\n\n{text[part.end :]}"
    return f"{text[: part.start]}{new}"
