"""The words of the generated contributions."""

from __future__ import annotations

from random import Random

from .areas import AREAS
from .manners import MANNERS
from .people import People, pick
from .schema import moment
from .stories import Story
from .wiki import NAMESPACES


class Texts:
    """Titles and texts by role; a thread keeps to the things that it is about."""

    def __init__(self, people: People, rng: Random) -> None:
        self._people, self._rng = people, rng
        self._titles: set[str] = set()
        names = [person.username for person in people.wiki if person.role != "bot"]
        self._owners = {space: rng.sample(names, len(names)) for space in (2, 3)}
        """Who has no user page or talk page yet; never our own account, which words there would halt."""

    def begin(self, story: Story) -> None:
        """Choose what the thread is about, and its title."""
        rng = self._rng
        talk = AREAS[story.area].talk[story.language]
        story.slots = {name: pick(rng, values) for name, values in talk.slots.items()}
        if story.side == "wiki":
            story.title = self._page_title(story)
        elif story.roles[0] == "hello":
            story.title = pick(rng, MANNERS[story.language].hello)
            story.body = [pick(rng, MANNERS[story.language].about).format(area=AREAS[story.area].name)]
        else:
            title, text = pick(rng, talk.questions)
            story.title, story.body = title.format(**story.slots), [text.format(**story.slots)]

    def _page_title(self, story: Story) -> str:
        rng, talk = self._rng, AREAS[story.area].talk[story.language]
        base = pick(rng, talk.articles).format(**story.slots)
        if story.space in (2, 3):
            base = self._owner(story.space)
        base = base[:1].upper() + base[1:]
        prefix = f"{NAMESPACES[story.space]}:" if story.space else ""
        title, n = f"{prefix}{base}", 1
        while title in self._titles:
            n = n * 2 + rng.randrange(n + 1)
            title = f"{prefix}{base}/{n}"
        self._titles.add(title)
        return title

    def _owner(self, space: int) -> str:
        """Whose page it is: everybody's turn comes once, then subpages of the last one follow."""
        owners = self._owners[space]
        return owners.pop() if len(owners) > 1 else owners[0]

    def post(self, story: Story, role: str) -> str:
        """The raw text of a forum post."""
        rng, manners = self._rng, MANNERS[story.language]
        if role in ("question", "hello"):
            return story.body[0]
        if role == "answer":
            talk = AREAS[story.area].talk[story.language]
            return pick(rng, talk.answers).format(**story.slots)
        if role in ("close", "archive"):
            return ""
        said: tuple[str, ...] = getattr(manners, role)
        return pick(rng, said)

    def page(self, story: Story, role: str, author: str, at: int) -> str:
        """The wikitext of the page after one more revision; long pages lose their oldest part again."""
        rng, talk = self._rng, AREAS[story.area].talk[story.language]
        if role == "paragraph":
            part = pick(rng, talk.paragraphs).format(**story.slots)
        else:
            when = f"{moment(at):%H:%M, %-d %B %Y}"
            signature = f"[[User:{author}|{author}]] ([[User talk:{author}|talk]]) {when} (UTC)"
            part = f"== {self._heading(story, role)} ==\n\n{self._said(story, role)} {signature}"
        story.body = [*story.body[-4:], part]
        labels = "".join(f"\n[[Category:{label}]]" for label in story.labels)
        return "\n\n".join(story.body) + labels

    def _heading(self, story: Story, role: str) -> str:
        if role == "welcome":
            return "Benvenuto" if story.language == "it" else "Welcome"
        title, _ = pick(self._rng, AREAS[story.area].talk[story.language].questions)
        return title.format(**story.slots)

    def _said(self, story: Story, role: str) -> str:
        manners = MANNERS[story.language]
        return pick(self._rng, manners.welcome if role == "welcome" else manners.chat)
