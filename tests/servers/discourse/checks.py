"""Validation of titles, texts and tags, in Discourse's words."""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import Unprocessable
from .forum import Forum
from .guard import Guard
from .records import PostType, Topic, User
from .text import clean_tag, squeeze


def _length(name: str, text: str, low: int, high: int) -> list[str]:
    size = len(text.strip())
    if size < low:
        return [f"{name} is too short (minimum is {low} character{'' if low == 1 else 's'})"]
    if size > high:
        return [f"{name} is too long (maximum is {high} characters)"]
    return []


def _entropy(text: str) -> int:
    return len(set(text.strip()))


def title_errors(
    forum: Forum, title: str, owner: User | None, *, private: bool, topic: Topic | None
) -> list[str]:
    """What is wrong with a title; `owner` starts or started the topic, `topic` is None for a new one."""
    settings = forum.settings
    low = settings.min_personal_message_title_length if private else settings.min_topic_title_length
    low = 1 if owner is not None and owner.admin else low
    found = ["Title can't be blank"] if not title.strip() else []
    found += _length("Title", title, low, settings.max_topic_title_length)
    if not private:
        if _entropy(title) < settings.title_min_entropy:
            found.append("Title seems unclear, most of the words contain the same letters over and over?")
        elif any(len(word) > 30 for word in title.split()):
            found.append("Title seems unclear, one or more words is very long?")
        elif title.upper() == title and title.lower() != title:
            found.append("Title seems unclear, is it a complete sentence?")
        if not found and not settings.allow_duplicate_topic_titles and _title_taken(forum, title, topic):
            found.append("Title has already been used")
    return found


def _title_taken(forum: Forum, title: str, topic: Topic | None) -> bool:
    wanted = title.strip().lower()
    return any(
        other is not topic
        and not other.private
        and other.deleted_at is None
        and other.title.lower() == wanted
        for other in forum.topics.values()
    )


def raw_errors(forum: Forum, raw: str, *, private: bool, first: bool) -> list[str]:
    settings = forum.settings
    if private:
        low = settings.min_personal_message_post_length
    else:
        low = settings.min_first_post_length if first else settings.min_post_length
    found = _length("Body", raw, low, settings.max_post_length)
    if _entropy(raw) < settings.body_min_entropy:
        found.append("Body seems unclear, is it a complete sentence?")
    return found


def blocked(forum: Forum, by: User, text: str) -> list[str]:
    """Watched words (PostValidator#watched_words)."""
    if by.staff:
        return []
    found = sorted(w for w in forum.settings.blocked_words if re.search(rf"(?i)\b{re.escape(w)}\b", text))
    if len(found) > 1:
        return [f"Your post contains multiple words that aren't allowed: {', '.join(found)}"]
    return [f"Your post contains a word that's not allowed: {word}" for word in found]


def repeated(forum: Forum, by: User, raw: str) -> list[str]:
    """Staff may repeat themselves, others not within some minutes, whatever the topic."""
    if by.staff or not forum.settings.unique_posts_mins:
        return []
    said = forum.recent_raw.get((by.id, squeeze(raw)))
    window = timedelta(minutes=forum.settings.unique_posts_mins)
    if said is not None and forum.clock() - said < window:
        return ["Body is too similar to what you recently posted"]
    return []


def allowed_tags(forum: Forum, guard: Guard, wanted: list[str], topic: Topic | None) -> list[str]:
    """The tags that will be set. What may not be set is dropped silently or refused, as the dialect has it.

    Raises Unprocessable.
    """
    settings = forum.settings
    names = list(dict.fromkeys(name for name in map(clean_tag, wanted) if name))
    may_create = guard.staff or (
        guard.user is not None and guard.user.trust_level >= settings.min_trust_to_create_tag
    )
    held = set(topic.tags) if topic else set()
    kept: list[str] = []
    refused: list[str] = []
    for name in names:
        bad = name in settings.refused_tags and name not in held
        bad = bad or (name in settings.staff_tags and not guard.staff and name not in held)
        bad = bad or (name not in forum.tags and not may_create)
        (refused if bad else kept).append(name)
    if not guard.staff:  # what only staff may set, others may not take away
        kept += [name for name in held & settings.staff_tags if name not in kept]
    if refused and forum.dialect.tags_refused == "422":
        raise Unprocessable("You are not permitted to apply the tag " + ", ".join(f'"{n}"' for n in refused))
    return kept[: settings.max_tags_per_topic]


def remember_raw(forum: Forum, by: User, raw: str, post_type: int) -> None:
    if post_type != PostType.SMALL:
        forum.recent_raw[(by.id, squeeze(raw))] = forum.clock()
