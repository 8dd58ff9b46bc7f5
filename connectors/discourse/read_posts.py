"""Posts of the whole forum, fifty at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from ..records import Kind, Ref
from .client import Json
from .dialect import ABOVE, ABOVE_ALL, IDS, Descent, PostList
from .read_topics import note_new
from .reading import Reading

OLD_PAGES = 2
"""So many pages in a row that are wholly from before `since` end the reading."""


def public(r: Reading) -> PostList:
    return PostList(r.client)


def private(r: Reading) -> PostList:
    """Private messages. Where there are none, or none for long, public posts tell how the forum pages."""
    return PostList(
        r.client,
        "/private-posts.json",
        "private_posts",
        window="posts" if _paged(r) == "posts" else None,
        highest=max(r.state.post, r.state.private),
    )


def _paged(r: Reading) -> str:
    """What fifty of make a page; '' while no public post is to be seen. Asked once, if no page shows it."""
    if not r.state.paged and r.state.post:
        r.state.paged = "posts" if public(r).shows_posts() else "ids"
    return r.state.paged


def _note_paging(r: Reading, posts: PostList) -> None:
    """A page with posts has shown it; the forum may have been upgraded since the last one did."""
    r.state.paged = posts.window or ""
    r.state.unlisted_apart = posts.window == "posts"


def all_posts(r: Reading) -> Iterator[Batch]:
    """All posts, from the newest down to the first. They are read after the topic rows: what happens to a
    post between the two shows in the next comparison of rows."""
    descent = Descent(public(r), r.state.at)
    if not r.state.at:
        r.state.unlisted_apart = True  # until a post shows how this forum lists them
    for rows in _in_scope(r, descent):
        if rows:
            _note_paging(r, descent.posts)
        r.state.by_topic = descent.posts.window == "ids" and _is_sparse(r)
        if r.state.by_topic:
            return
        yield r.batch(r.page(rows, news_above=0), "posts", *_progress(r, descent, len(rows), r.state.posts))


def _is_sparse(r: Reading) -> bool:
    """Whether most ids are missing, as after an import: pages of ids are then nearly all empty."""
    return r.state.post / IDS > 2 * r.state.topics + 10 and r.client.me().admin


def all_private(r: Reading) -> Iterator[Batch]:
    """All private messages, if the settings ask for them."""
    if not r.scope.messages:
        return
    fresh = not r.state.at
    descent = Descent(private(r), r.state.at)
    for rows in _in_scope(r, descent):
        if fresh:
            r.state.private = _highest(rows, r.state.private, r.state.post)
            fresh = False
        yield r.batch(r.page(rows, private=True, news_above=0), "messages", *_progress(r, descent, len(rows)))


def _highest(rows: list[Json], *ids: int) -> int:
    return max([*ids, *(int(row["id"]) for row in rows)])


def _in_scope(r: Reading, descent: Descent) -> Iterator[list[Json]]:
    """The pages of a descent, its place put into the state; it ends where `since` does."""
    old = 0
    for rows in descent:
        r.state.at = {**descent.posts.place(descent.below), "done": r.state.at.get("done", 0)}
        yield rows
        old = old + 1 if r.scope.all_too_old(rows) else 0 if rows else old
        if old >= OLD_PAGES:
            return


def _progress(r: Reading, descent: Descent, count: int, of: int = 0) -> tuple[int, int | None]:
    """How many posts are done, and `of` about how many (0: unknown); in ids where pages are made of ids."""
    if descent.posts.window == "ids":
        return max(0, r.state.post - descent.below + 1), r.state.post
    r.state.at["done"] = int(r.state.at.get("done", 0)) + count
    return r.state.at["done"], of or None


def new_posts(r: Reading) -> Iterator[Batch]:
    """Posts since the last run, and, as far as they share a page with them, edits of those before."""
    known, top = r.state.post, int(r.state.down.get("top", 0))
    posts = public(r)
    for rows, below in _pages(posts, r.state.down, known):
        top = _highest(rows, top, known)
        for row in rows:
            if int(row["id"]) > known and r.scope.post(row):
                note_new(r.state, row)
        done = below <= known
        if done:
            r.state.post, r.state.down = max(top, known), {}
        else:
            r.state.down = {"top": top, **posts.place(below)}
        yield r.batch(r.page(rows, news_above=known), "posts", len(rows))
        if done:
            return
    r.state.post, r.state.down = max(top, known), {}
    yield r.batch(part="posts")


def new_private(r: Reading) -> Iterator[Batch]:
    """Private messages since the last run, if the settings ask for them."""
    if not r.scope.messages:
        return
    posts = private(r)
    if posts.window == "posts":
        yield from _newest_private(r, posts)
    else:
        yield from _next_private(r, posts)


def _newest_private(r: Reading, posts: PostList) -> Iterator[Batch]:
    """From the newest down: a page shows fifty messages."""
    known = top = r.state.private
    for rows, _ in _pages(posts, {}, known):
        top = _highest(rows, top)
        yield r.batch(r.page(rows, private=True, news_above=known), "posts", len(rows))
    r.state.private = top
    yield r.batch(part="posts")


def _next_private(r: Reading, posts: PostList) -> Iterator[Batch]:
    """From what is known up: a page shows what of fifty ids is a message, and few ids are. As messages and
    public posts share their ids, the newest of these tells how far to go at least; what lies beyond fifty ids
    or more that we cannot see (a deleted topic) comes with the next public post, or the sweep. True also for
    a forum that pages otherwise since it was upgraded."""
    while True:
        known = r.state.private
        rows = posts.above(known)
        reached = _highest(rows, known, r.state.post)
        r.state.private = min(reached, known + ABOVE)
        yield r.batch(r.page(rows, private=True, news_above=known), "posts", len(rows))
        if reached < known + ABOVE:
            return


def _pages(posts: PostList, down: Json, known: int) -> Iterator[tuple[list[Json], int]]:
    """The newest page, and only if it does not reach down to what is known, those below it."""
    if down:
        posts.learn(down)
        yield from posts.descend(int(down["below"]), known)
        return
    rows = posts.newest()
    if not rows:
        if posts.window is None:
            yield from posts.descend(None, known)
        return
    below = int(rows[-1]["id"])
    yield rows, below
    if below > known:
        if posts.window is None:
            posts.probe(rows)
        yield from posts.descend(below, known)


def rolling(r: Reading) -> Iterator[Batch]:
    """A slice of all posts read again, so that a round over all of them takes `ROUND`; what the mirror holds
    there and the list no longer shows is asked for one by one."""
    posts = public(r)
    for rows, below in _slice(r, posts):
        if rows:
            _note_paging(r, posts)
        above = r.state.rolled or ABOVE_ALL
        missing = r.known.listed(below, above - 1) - {str(row["id"]) for row in rows}
        for number in sorted(missing, key=int):
            yield _asked_for(r, number)
        r.state.rolled = below
        r.state.at = {"done": int(r.state.at.get("done", 0)) + 1}
        ended = below <= 1 or r.scope.all_too_old(rows)
        if ended:
            r.state.round_before, r.state.round, r.state.rolled = r.state.round, r.state.swept, 0
            r.state.behind = False
        yield r.batch(r.page(rows), "posts again", r.state.at["done"])
        if ended:
            return


def _slice(r: Reading, posts: PostList) -> Iterator[tuple[list[Json], int]]:
    """Pages with the id down to which each shows everything: as many as the time since the last sweep is of
    a round, less those that this sweep has read before it was interrupted."""
    done = int(r.state.at.get("done", 0))
    if done and not r.state.rolled:
        return  # the round had ended
    pages = posts.descend(r.state.rolled or None)
    first = next(pages, None)
    if first is None:
        yield [], 1
        return
    yield first
    total = r.state.post if posts.window == "ids" else _post_count(r)
    for _ in range(math.ceil(total / IDS * r.share_of_round) - 1 - done):
        following = next(pages, None)
        if following is None:
            yield [], 1
            return
        yield following


def _asked_for(r: Reading, number: str) -> Batch:
    """A post that the list leaves out: deleted, by its author too, hidden, or moved out of sight."""
    gone = [Ref(r.site, Kind.CONTRIBUTION, number)]
    try:
        post = r.client.post_by_id(number)
    except (Forbidden, NotFound):
        return r.batch(part="posts again", gone=gone)
    if not r.known.stamps([str(post["topic_id"])]) or not r.scope.post(post):
        return r.batch(part="posts again", gone=gone)
    return r.batch(r.contributions([post]), "posts again")


def _post_count(r: Reading) -> int:
    stats = (r.client.about().get("about") or {}).get("stats") or {}
    return int(stats.get("post_count") or stats.get("posts_count") or r.state.post)
