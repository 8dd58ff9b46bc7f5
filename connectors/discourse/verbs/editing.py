"""EditText: all of a post, or what stands between two markers in it."""

from __future__ import annotations

from datetime import datetime

from ....config.errors import NotFound
from ...actions import EditText
from ...base import Found, Marker, NotDone, Receipt
from ...records import Kind
from .. import mapping
from ..acting import SKEW, Acting, Verb, own_doing, sha1
from ..client import Json


def edit_text(acting: Acting, action: EditText, marker: Marker) -> Receipt:
    """Raises Conflict if the text is not the one that the action's author saw."""
    post = acting.post(_number(acting, action))
    old = str(post.get("raw") or "")
    new = _edited(acting, action, old)
    if new.rstrip() == old.rstrip():
        return _receipt(acting, action, post, old, new, ours=False)
    _save(acting, post, old, new, marker)
    return _receipt(acting, action, post, old, new, ours=True)


def _number(acting: Acting, action: EditText) -> str:
    """The post's id; of a topic its first post is meant."""
    if action.contribution is not None:
        return action.contribution
    if action.thread is None:
        raise acting.refused("a forum has no pages with titles.", "Name a post.")
    view = acting.topic(action.thread)
    return str((view["post_stream"].get("stream") or [view["post_stream"]["posts"][0]["id"]])[0])


def _edited(acting: Acting, action: EditText, old: str) -> str:
    if action.section is not None:
        raise acting.refused("a post has no sections to edit.", "Name markers, or the whole text.")
    seen: str | None = old
    if action.markers is not None:
        seen = _between(old, action.markers)
    if (seen is None) != (action.expected is None) or sha1(seen) != sha1(action.expected):
        raise acting.conflict("the text is no longer the one that was seen.")
    return action.text if action.markers is None else _replaced(old, action.markers, action.text)


def _between(text: str, markers: tuple[str, str]) -> str | None:
    """What stands between the markers, without the line ends beside them; None where they are missing."""
    _, begin, rest = text.partition(markers[0])
    inner, end, _ = rest.partition(markers[1])
    return inner.strip("\n") if begin and end else None


def _replaced(text: str, markers: tuple[str, str], inner: str) -> str:
    begin, end = markers
    block = f"{begin}\n{inner}\n{end}"
    if _between(text, markers) is None:
        return f"{text.rstrip()}\n\n{block}"
    head, _, rest = text.partition(begin)
    return f"{head}{block}{rest.partition(end)[2]}"


def _save(acting: Acting, post: Json, old: str, new: str, marker: Marker) -> None:
    """`raw_old` is the forum's only guard against overwriting what somebody has saved a moment ago."""
    reason = f"{marker.note} [{marker.token}]".strip()
    acting.client.update_post(post["id"], new, edit_reason=reason, **{"post[raw_old]": old})


def _receipt(
    acting: Acting, action: EditText, post: Json, old: str | None, new: str, *, ours: bool
) -> Receipt:
    return acting.receipt(
        action.verb,
        made=(acting.ref(Kind.CONTRIBUTION, post["id"]),),
        url=acting.topic_url(post["topic_id"], post["post_number"]),
        before=None if old is None else {"raw": old},
        after={"post": str(post["id"]), "sha1": sha1(new)},
        attribution="ours" if ours else "unknown",
    )


def find_edit(acting: Acting, action: EditText, marker: Marker, since: datetime) -> Found:
    """The text wanted is there; ours, if the last revision says that we wrote it for this proposal."""
    try:
        post = acting.post(_number(acting, action))
    except NotFound:
        return NotDone()
    raw = str(post.get("raw") or "")
    seen = raw if action.markers is None else _between(raw, action.markers)
    if sha1(seen) != sha1(action.text) or seen is None:
        return NotDone()
    old = None
    if action.expected is not None:
        old = action.expected if action.markers is None else _replaced(raw, action.markers, action.expected)
    return _receipt(acting, action, post, old, raw, ours=_wrote(acting, post, marker, since))


def _wrote(acting: Acting, post: Json, marker: Marker, since: datetime) -> bool:
    try:
        revision = acting.client.get(f"/posts/{post['id']}/revisions/latest.json")
    except NotFound:
        return False
    at = mapping.moment(revision.get("created_at"))
    return (
        revision.get("username") == acting.client.me().username
        and f"[{marker.token}]" in str(revision.get("edit_reason") or "")
        and at is not None
        and at >= since - SKEW
    )


def restore(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    """The text before, if nobody has edited it since."""
    after, before = own_doing(receipt), receipt.before or {}
    post = acting.post(after["post"])
    raw = str(post.get("raw") or "")
    if sha1(raw) != after["sha1"]:
        raise acting.conflict("the text was edited since.")
    _save(acting, post, raw, before["raw"], marker)
    return acting.receipt(
        receipt.verb,
        made=receipt.made,
        url=receipt.url,
        before={"raw": raw},
        after={"post": after["post"], "sha1": sha1(before["raw"])},
    )


VERBS = (Verb(EditText, edit_text, find_edit, restore),)
