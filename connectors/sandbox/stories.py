"""The course of every generated thread: when something is said or saved in it, and in what role."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .areas import AREAS
from .people import DAY, HOUR, People, Sizes, pick
from .schema import FORUM, WIKI

MINUTE = HOUR // 60
GENERAL, INTRODUCTIONS, FEEDBACK, STAFF = 1, 5, 6, 7
"""Ids of the categories that are not areas; those of the areas are 2, 3, 4."""


class Story:
    """A thread: `times[i]` (microseconds) and `roles[i]` of its i-th contribution.

    `title`, `slots` and `body` are chosen when it begins; `id`, `ids`, `authors` and `likes` are filled while
    it is written.
    """

    __slots__ = (
        "accepted", "area", "author", "authors", "body", "id", "ids", "kind", "labels", "language", "likes",
        "opened_for", "pinned", "roles", "side", "slots", "space", "times", "title",
    )  # fmt: skip

    def __init__(self, side: str, kind: str, area: int, language: str, author: int) -> None:
        self.side, self.kind, self.area, self.language, self.author = side, kind, area, language, author
        self.space = GENERAL if side == FORUM else 0
        self.title = ""
        self.labels: list[str] = []
        self.pinned = False
        self.accepted = -1
        """Index of the accepted answer, -1 = none."""
        self.opened_for = 0
        """The member whom a message is for."""
        self.id, self.likes = 0, 0
        self.ids: list[int] = []
        self.authors: list[int] = []
        self.times: list[int] = []
        self.roles: list[str] = []
        self.slots: dict[str, str] = {}
        self.body: list[str] = []
        """Paragraphs or sections of a page, as they stand."""


class Stories:
    """All threads of a community, in the order in which they begin."""

    def __init__(self, sizes: Sizes, people: People, rng: Random) -> None:
        self._sizes, self._people, self._rng = sizes, people, rng

    def __iter__(self) -> Iterator[Story]:
        """In the order of `times[0]`."""
        sizes = self._sizes
        pages = max(12, round(sizes.threads * sizes.wiki))
        newcomers = [] if not self._people.newcomers else self._newcomers()
        topics = max(1, sizes.threads - pages - len(newcomers))
        revisions = max(pages, round(sizes.contributions * sizes.wiki))
        posts = sizes.contributions - revisions - sum(len(s.times) for s in newcomers)
        plain = [
            (at, n, FORUM) for at, n in zip(self._starts(topics), self._counts(topics, posts), strict=True)
        ]
        plain += [
            (at, n, WIKI) for at, n in zip(self._starts(pages), self._counts(pages, revisions), strict=True)
        ]
        plain.sort()
        waiting = sorted(newcomers, key=lambda story: story.times[0], reverse=True)
        for at, n, side in plain:
            while waiting and waiting[-1].times[0] <= at:
                yield waiting.pop()
            yield self._topic(at, n) if side == FORUM else self._page(at, n)
        yield from reversed(waiting)

    def _starts(self, count: int) -> list[int]:
        """Moments over the whole history, more towards its end."""
        begin = self._sizes.begin + 6 * DAY
        span, rng = self._sizes.end - begin, self._rng
        return [begin + int(span * rng.random() ** 0.75) for _ in range(count)]

    def _counts(self, threads: int, total: int) -> list[int]:
        """How many contributions each thread gets: exponentially distributed, `total` together."""
        rng, mean = self._rng, max(total / threads - 1, 0.01)
        counts = [1 + int(rng.expovariate(1 / mean) + 0.5) for _ in range(threads)]
        missing = max(total, threads) - sum(counts)
        while missing:
            i = rng.randrange(threads)
            step = min(missing, 1 + missing // threads) if missing > 0 else -1
            if counts[i] + step >= 1:
                counts[i] += step
                missing -= step
        return counts

    # The forum

    def _topic(self, at: int, count: int) -> Story:
        rng = self._rng
        area, language = rng.randrange(len(AREAS)), self._language()
        author = self._people.askers[area, language].draw_recent(at, rng) or self._anyone(at)
        share = rng.random()
        if share < 0.02:
            return self._message(at, count, area, language, author)
        story = Story(FORUM, "topic", area, language, author)
        story.space = area + 2 if share < 0.88 else pick(rng, (GENERAL, FEEDBACK))
        story.pinned = share > 0.996
        if story.space > GENERAL and rng.random() < 0.88:
            story.labels = rng.sample(AREAS[area].tags, pick(rng, (1, 1, 2, 3)))
        self._course(story, at, count)
        return story

    def _message(self, at: int, count: int, area: int, language: str, author: int) -> Story:
        story = Story(FORUM, "message", area, language, author)
        story.opened_for = self._other(story, at)
        self._course(story, at, count)
        return story

    def _course(self, story: Story, at: int, count: int) -> None:
        """What happens in a topic. Its end decides who is being waited for."""
        rng, end = self._rng, self._sizes.end
        roles = ["question"] + [
            pick(rng, ("answer", "answer", "chat", "follow_up")) for _ in range(count - 1)
        ]
        old = at < end - 365 * DAY
        ending = rng.random()
        sleeps = 0
        if count > 2 and ending < 0.42 and story.kind == "topic":
            roles[1], roles[-1] = "answer", "thanks"
            story.accepted = pick(rng, [i for i, role in enumerate(roles[:-1]) if role == "answer"])
        elif count > 1 and ending < 0.55:
            roles[-1] = "ask_back"
        elif count > 1 and ending < 0.68:
            roles[-1] = "follow_up"
        elif count > 3 and old and ending < 0.78:
            sleeps, roles[-2], roles[-1] = count - 2, "wake", "answer"
        if count > 2 and old and story.kind == "topic" and rng.random() < 0.07:
            roles[-1] = pick(rng, ("close", "close", "archive"))
        story.roles = roles
        story.times = self._times(story, at, sleeps)

    def _times(self, story: Story, at: int, sleeps: int) -> list[int]:
        """Gaps of a few hours, some of days; at `sleeps` one of months; nothing after the end."""
        rng, end, times = self._rng, self._sizes.end, [at]
        for i, role in enumerate(story.roles[1:], 1):
            if i == sleeps or role in ("close", "archive"):
                at += rng.randrange(100 * DAY, 260 * DAY)
            else:
                at += int(min(rng.lognormvariate(1.4, 1.5), 24 * 40) * HOUR) + MINUTE
            times.append(at)
        if at > end:
            late = [i for i, t in enumerate(times) if t > end]
            first = times[late[0] - 1] if late[0] else at
            for i, share in zip(late, sorted(rng.random() for _ in late), strict=True):
                times[i] = first + int((end - first) * share)
        return times

    def _newcomers(self) -> list[Story]:
        """First topics of those who joined in the last days: some were greeted, some were not, and one in
        six has not written yet."""
        stories = []
        for n, id in enumerate(self._people.newcomers):
            if n % 6 == 5:
                continue
            person, rng = self._people.forum[id - 1], self._rng
            story = Story(FORUM, "topic", person.area, person.language, id)
            at = min(person.joined + rng.randrange(MINUTE, 30 * HOUR), self._sizes.end - 20 * MINUTE)
            story.roles = ["hello" if n % 2 else "question"]
            story.space = INTRODUCTIONS if n % 2 else person.area + 2
            story.labels = [] if n % 2 else [AREAS[person.area].tags[n % 6]]
            story.times = [at]
            greeted = at + rng.randrange(HOUR, 9 * HOUR)
            if n % 3 == 0 and greeted < self._sizes.end:
                story.roles.append("welcome")
                story.times.append(greeted)
            stories.append(story)
        return stories

    # The wiki

    def _page(self, at: int, count: int) -> Story:
        rng = self._rng
        area, language = rng.randrange(len(AREAS)), self._language()
        author = self._people.editors.draw(at, rng) or 1
        share = rng.random()
        story = Story(WIKI, "page", area, language, author)
        if share < 0.55:
            story.space, story.labels = 0, [AREAS[area].name]
            if rng.random() < 0.2:
                story.labels.append(AREAS[(area + 1) % len(AREAS)].name)
        elif share < 0.72:
            story.space, story.kind = 1, "talk"
        elif share < 0.86:
            story.space, story.kind = 3, "talk"
        else:
            story.space = 2 if share < 0.94 else 4
        role = {1: "section", 3: "welcome"}.get(story.space, "paragraph")
        story.roles = [role] * count
        gaps = [int(min(rng.lognormvariate(4.5, 1.8), 24 * 200) * HOUR) + MINUTE for _ in range(count - 1)]
        story.times = self._fit(at, gaps)
        return story

    def _fit(self, at: int, gaps: list[int]) -> list[int]:
        """The moments after these gaps, drawn together where they would go past the end."""
        room = self._sizes.end - at
        shrink = min(1.0, room / (sum(gaps) + 1))
        times = [at]
        for gap in gaps:
            times.append(times[-1] + int(gap * shrink))
        return times

    def _language(self) -> str:
        languages = self._sizes.languages
        return languages[0] if self._rng.random() < 0.6 else pick(self._rng, languages)

    def _anyone(self, at: int) -> int:
        return self._people.staff.draw(at, self._rng) or self._people.ids(FORUM, "admin")[0]

    def _other(self, story: Story, at: int) -> int:
        for _ in range(3):
            id = self._people.answerers[story.area, story.language].draw(at, self._rng)
            if id is not None and id != story.author:
                return id
        return self._anyone(at)
