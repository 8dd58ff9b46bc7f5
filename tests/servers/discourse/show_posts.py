"""Posts as Discourse's serializers give them."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape
from typing import TYPE_CHECKING, Any

from .guard import Guard
from .people import LIKE
from .records import Post, Revision, Topic, User
from .show_people import avatar, basic_user, flair
from .text import iso, words

if TYPE_CHECKING:
    from .forum import Forum

JSON = dict[str, Any]
_NO_FLAIR = {
    "primary_group_name": None,
    "primary_group_flair_url": None,
    "primary_group_flair_bg_color": None,
    "primary_group_flair_color": None,
}
NOTICE_TRUST, NOTICE_DAYS = 2, 14
_LINK = re.compile(r'<a href="(https?://[^"]+)"')


def post_body(forum: Forum, post: Post, guard: Guard, *, raw: bool = True) -> JSON:
    """One post as the caller sees it."""
    topic = forum.topics[post.topic_id]
    author = forum.users.get(post.user_id) or forum.system
    viewer = guard.user
    mine = viewer is not None and viewer.id == author.id
    edits = guard.can_edit_post(post)
    body: JSON = {
        "id": post.id,
        "name": author.name,
        "username": author.username,
        "avatar_template": avatar(author),
        "created_at": iso(post.created_at),
        "cooked": forum.cooked(post),
        "post_number": post.post_number,
        "post_type": int(post.post_type),
        "updated_at": iso(post.updated_at),
        "reply_count": post.reply_count,
        "reply_to_post_number": post.reply_to,
        "quote_count": post.quote_count,
        "incoming_link_count": 0,
        "reads": post.reads,
        "readers_count": max(0, post.reads - 1),
        "score": post.score,
        "yours": mine,
        "topic_id": topic.id,
        "topic_slug": topic.slug,
        "display_username": author.name,
        **(flair(forum, author) if author.primary_group_id else _NO_FLAIR),
        "version": post.version,
        "can_edit": edits,
        "can_delete": guard.can_delete_post(post),
        "can_recover": guard.can_recover_post(post),
        "can_wiki": guard.staff or (edits and viewer is not None and viewer.trust_level >= 3),
        "user_title": author.title,
        "bookmarked": False,
        "actions_summary": actions_summary(post, guard),
        "moderator": author.moderator,
        "admin": author.admin,
        "staff": author.staff,
        "user_id": author.id,
        "hidden": post.hidden,
        "trust_level": author.trust_level,
        "deleted_at": iso(post.deleted_at),
        "user_deleted": post.user_deleted,
        "edit_reason": post.edit_reason,
        "can_view_edit_history": True,
        "wiki": post.wiki,
    }
    if author.title is not None:
        body["title_is_group"] = any(g.title == author.title for g in forum.groups_of(author))
    if raw:
        body["raw"] = post.raw
    if post.reply_to is not None and (target := replied_to(forum, topic, post)) is not None:
        body["reply_to_user"] = {"username": target.username, "avatar_template": avatar(target)}
    if post.action_code is not None:
        body["action_code"] = post.action_code
    if post.action_code_who is not None:
        body["action_code_who"] = post.action_code_who
    if post.first_of_author and _noticed(forum, post, guard):
        body["notice"] = {"type": "new_user"}
    if post.locked:
        body["locked"] = True
    if post.deleted_at is not None and guard.staff:
        body["deleted_by"] = basic_user(forum.users.get(post.deleted_by or -1, forum.system))
    if guard.staff:
        body |= {"reviewable_id": None, "reviewable_score_count": 0, "reviewable_score_pending_count": 0}
    if forum.settings.solved_enabled:
        body |= solved_part(topic, post, guard)
    return body


def _noticed(forum: Forum, post: Post, guard: Guard) -> bool:
    """Who may be told that somebody is new, and for how long."""
    may = guard.user is not None and guard.user.trust_level >= NOTICE_TRUST
    return may and post.created_at > forum.since(NOTICE_DAYS)


def solved_part(topic: Topic, post: Post, guard: Guard) -> JSON:
    viewer = guard.user
    may = viewer is not None and (viewer.staff or viewer.id == topic.user_id) and not topic.private
    accepted = topic.solved_by == post.id
    return {
        "can_accept_answer": may and post.post_number > 1 and not accepted,
        "can_unaccept_answer": may and accepted,
        "accepted_answer": accepted,
        "topic_accepted_answer": topic.solved_by is not None,
    }


def replied_to(forum: Forum, topic: Topic, post: Post) -> User | None:
    for other in forum.posts_of(topic):
        if other.post_number == post.reply_to:
            return forum.users.get(other.user_id)
    return None


def actions_summary(post: Post, guard: Guard) -> list[JSON]:
    """Likes and flags; what is zero or false is left out, and so are entries of which nothing remains."""
    viewer = guard.user
    found = []
    for kind in (LIKE, 3, 4, 8, 6, 7):
        row: JSON = {"id": kind}
        if kind == LIKE:
            if post.like_count:
                row["count"] = post.like_count
            if viewer is not None and viewer.id in post.likes:
                row |= {"acted": True, "can_undo": True}
            elif guard.can_like(post):
                row["can_act"] = True
        elif viewer is not None:
            if (viewer.id, kind) in post.flags:
                row |= {"acted": True, "count": 1}
                if kind not in (6, 7):
                    row["can_undo"] = True
            elif not (kind == 6 and post.user_id in (viewer.id, -1, -2)) and not _flagged(post, viewer):
                row["can_act"] = True
        if len(row) > 1:
            found.append(row)
    return found


def _flagged(post: Post, viewer: User) -> bool:
    """Whether the caller flagged it for moderators; messages about it do not count."""
    return any(user == viewer.id and kind in (3, 4, 8) for user, kind in post.flags)


def topic_post(forum: Forum, post: Post, guard: Guard, *, raw: bool = False) -> JSON:
    """A post inside a topic view; without raw unless asked for."""
    body = post_body(forum, post, guard, raw=raw)
    body["read"] = body["yours"] or guard.user is None
    if links := link_counts(forum, post):
        body["link_counts"] = links
    if guard.staff:
        body["reviewable_id"] = 0
    return body


def link_counts(forum: Forum, post: Post) -> list[JSON]:
    return [
        {"url": url, "internal": False, "reflection": False, "clicks": 0}
        for url in _LINK.findall(forum.cooked(post))
    ]


def site_post(forum: Forum, post: Post, guard: Guard) -> JSON:
    """A post in /posts.json: with raw and the topic's title."""
    topic = forum.topics[post.topic_id]
    return post_body(forum, post, guard) | {
        "topic_title": topic.title,
        "topic_html_title": escape(topic.title, quote=False),
        "category_id": topic.category_id,
    }


def created_post(forum: Forum, post: Post, guard: Guard) -> JSON:
    """A post as its author gets it back after writing."""
    body = post_body(forum, post, guard) | {"draft_sequence": 0}
    if post.version == 1:
        body.pop("notice", None)  # a job adds it later
    return body


def hook_post(forum: Forum, post: Post) -> JSON:
    """What a post event carries: the post as system sees it, with its topic's counts."""
    topic = forum.topics[post.topic_id]
    category = forum.categories.get(topic.category_id or 0)
    body = site_post(forum, post, Guard(forum, forum.system))
    drop = words("can_ yours actions_summary bookmarked read draft deleted_by display_username_")
    body = {k: v for k, v in body.items() if k in ("reads", "readers_count") or not k.startswith(drop)}
    return body | {
        "topic_posts_count": topic.posts_count,
        "topic_filtered_posts_count": topic.posts_count,
        "topic_archetype": topic.archetype,
        "category_slug": category.slug if category else None,
    }


# --- history


def revision_body(forum: Forum, post: Post, revision: Revision, guard: Guard) -> JSON:
    numbers = [r.number for r in post.revisions]
    place = numbers.index(revision.number)
    editor = forum.users.get(revision.user_id) or forum.system
    body: JSON = {
        "created_at": iso(revision.created_at),
        "post_id": post.id,
        "previous_hidden": False,
        "current_hidden": revision.hidden,
        "first_revision": numbers[0],
        "previous_revision": numbers[place - 1] if place else None,
        "current_revision": revision.number,
        "next_revision": numbers[place + 1] if place + 1 < len(numbers) else None,
        "last_revision": numbers[-1],
        "current_version": revision.number,
        "version_count": post.version,
        "username": editor.username,
        "display_username": editor.username,
        "avatar_template": avatar(editor),
        "edit_reason": revision.edit_reason,
        "body_changes": body_changes(forum, post, revision),
        "title_changes": None,
        "user_changes": None,
        "wiki": post.wiki,
        "can_edit": guard.can_edit_post(post),
    }
    if "title" in revision.after:
        old, new = (escape(str(side["title"])) for side in (revision.before, revision.after))
        body["title_changes"] = {
            "inline": f'<div class="inline-diff"><div><del>{old}</del><ins>{new}</ins></div></div>',
            "side_by_side": f'<div class="revision-content"><div><del>{old}</del></div></div>'
            f'<div class="revision-content"><div><ins>{new}</ins></div></div>',
        }
    for key in ("category_id", "tags"):
        if key in revision.after:
            body[f"{key}_changes"] = {"previous": revision.before[key], "current": revision.after[key]}
    return body


def body_changes(forum: Forum, post: Post, revision: Revision) -> JSON:
    """HTML differences word by word, as good as a reader of them needs."""
    old = str(revision.before.get("raw", _raw_at(post, revision)))
    new = str(revision.after.get("raw", old))
    left, right, both = [], [], []
    a, b = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        gone, came = escape("".join(a[i1:i2]), quote=False), escape("".join(b[j1:j2]), quote=False)
        if tag == "equal":
            left.append(gone)
            right.append(came)
            both.append(came)
            continue
        left.append(f"<del>{gone}</del>" if gone else "")
        right.append(f"<ins>{came}</ins>" if came else "")
        both.append((f"<ins>{came}</ins>" if came else "") + (f"<del>{gone}</del>" if gone else ""))
    before, after = "".join(left), "".join(right)
    return {
        "inline": f'<div class="inline-diff"><p>{"".join(both)}</p></div>',
        "side_by_side": f'<div class="revision-content"><p>{before}</p></div>'
        f'<div class="revision-content"><p>{after}</p></div>',
        "side_by_side_markdown": f'<table class="markdown"><tr><td class="diff-del">{before}</td>'
        f'<td class="diff-ins">{after}</td></tr></table>',
    }


def _raw_at(post: Post, revision: Revision) -> object:
    """The text that a revision did not change."""
    for later in post.revisions:
        if later.number > revision.number and "raw" in later.before:
            return later.before["raw"]
    return post.raw
