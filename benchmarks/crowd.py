"""A community to act upon, large enough for many kills, on the stand-in and on a real wiki.

    python -m benchmarks.crowd PEOPLE

serves the forum in this process, prints its address and key, and ends when its standard input is closed.
"""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime, timedelta

from tests.servers.discourse import DiscourseServer, Forum
from tests.servers.discourse import Person as ForumPerson
from tests.servers.discourse.records import Badge
from tests.servers.mediawiki.history import Edit, History, Person

GROUP = {"forum": "helpers", "wiki": "interface-admin"}
BADGE = "Beekeeper"
LABEL = {"forum": "installation", "wiki": "Installation"}
_TOPICS = {"forum": ("reply", "label", "close", "tell"), "wiki": ("reply", "label", "mark", "tell")}
_AGE = timedelta(minutes=15)

LAW = """\
constitution:
  limits: {per_run: 100000, per_policy: 100000, share: 100%}
  contact: {messages: 50, per: 7 days}
  never: {groups: []}
  undo_window: 0 minutes
policies:
  welcome: {use: welcome, on: [SITE], after: 1 minutes, when: {posts: ">= 1", admin: false}}
  answer: {use: rule, for: thread, on: [SITE], when: {title: {contains: to reply}, kind: [topic, page]},
           do: [{reply: {message: rule-note}}]}
  label: {use: rule, for: thread, on: [SITE], when: {title: {contains: to label}, kind: [topic, page]},
          do: [{set_labels: {add: [LABEL]}}]}
  tell: {use: rule, for: thread, on: [SITE], when: {title: {contains: to tell}, kind: [topic, page]},
         do: [{notify_moderators: {message: rule-note, page: "Project:Notices"}}]}
  join: {use: rule, for: member, on: [SITE], when: {posts: ">= 1", admin: false},
         do: [{add_to_group: {group: GROUP}}]}
"""
_FORUM_ONLY = """\
  shut: {use: rule, for: thread, on: [forum], when: {title: {contains: to close}}, do: [{close_thread: {}}]}
  honour: {use: rule, for: member, on: [forum], when: {posts: ">= 1", admin: false},
           do: [{grant_badge: {badge: Beekeeper}}]}
"""
_WIKI_ONLY = """\
  mark: {use: rule, for: thread, on: [wiki], when: {title: {contains: to mark}, kind: page},
         do: [{archive_thread: {template: "{{Old}}"}}]}
"""


def names(people: int) -> list[str]:
    """Members, by names that are the same on both platforms."""
    return [f"Member{number}" for number in range(1, people + 1)]


def law(site: str) -> str:
    """The constitution and the policies for one of the two sites: every member and topic is acted upon."""
    common = LAW.replace("SITE", site).replace("GROUP", GROUP[site]).replace("LABEL", LABEL[site])
    return common + (_FORUM_ONLY if site == "forum" else _WIKI_ONLY)


def expected(site: str, people: int) -> set[tuple[str, str]]:
    """Everything that is to be done: verb, and the name or title that it is about."""
    verbs = {"reply": "reply", "label": "set_labels", "close": "close_thread", "mark": "archive_thread",
             "tell": "notify_moderators"}  # fmt: skip
    to_members = ["send_message", "add_to_group", *(["grant_badge"] if site == "forum" else [])]
    about = {(verbs[what], title(site, what, name)) for what in _TOPICS[site] for name in names(people)}
    return about | {(verb, name) for verb in to_members for name in names(people)}


def title(site: str, what: str, name: str) -> str:
    """Of a topic or page of which something is to be done."""
    return f"A {'topic' if site == 'forum' else 'page'} to {what} by {name}"


def forum(people: int, now: datetime) -> Forum:
    made = Forum()
    made.settings.max_admin_api_reqs_per_minute = None
    made.settings.memo_seconds = 0  # between two runs a quarter of an hour goes by for whoever remembers
    made.clock.set(now - _AGE)
    made.new_group(GROUP["forum"])
    number = made.ids["badge"]
    made.badges[number] = Badge(number, BADGE)
    for name in names(people):
        made.new_user(name)
        for what in _TOPICS["forum"]:
            ForumPerson(made, name).topic(title("forum", what, name), f"What {name} has to say of it.")
    made.clock.set(now)
    return made


def history(people: int, now: datetime) -> History:
    then = (now - _AGE).replace(microsecond=0)
    return History(
        [Person(name, then) for name in names(people)],
        [
            Edit(0, title("wiki", what, name), then, name, f"What {name} has to say.")
            for name in names(people)
            for what in _TOPICS["wiki"]
        ],
    )


def main(people: int) -> None:
    with DiscourseServer(forum(people, datetime.now(UTC))) as server:
        print(server.url, server.api_key, flush=True)
        pause, over = threading.Event(), threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
        while not over.is_set():
            server.clock.set(max(server.clock(), datetime.now(UTC)))
            pause.wait(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
