"""What the tests of reading have happen on a forum."""

from __future__ import annotations

from ordito.connectors.base import Connector
from tests.connectors.adapter import MemoryMirror
from tests.servers.discourse import DiscourseServer, Person
from tests.servers.discourse.records import Topic

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"


def anna(server: DiscourseServer) -> Person:
    user = server.forum.user("anna") or server.forum.new_user("anna", trust_level=2)
    return server.as_user(user)


def topics(server: DiscourseServer, count: int, replies: int = 0) -> list[Topic]:
    made = []
    for n in range(count):
        server.clock.advance(60)
        made.append(anna(server).topic(f"A topic with the number {n} of many", TEXT))
        for m in range(replies):
            server.clock.advance(1)
            anna(server).reply(made[-1], f"{TEXT} Answer {n}/{m}.")
    return made


def asked(server: DiscourseServer, mirror: MemoryMirror) -> list[str]:
    """The requests of one sync, as `path?query`."""
    before = len(server.requests)
    mirror.sync()
    return [f"{e.path}?{e.query}".rstrip("?") for e in server.requests[before:]]


class Listening(MemoryMirror):
    """A mirror that waits for answers in one conversation."""

    def __init__(self, connector: Connector, talk: str) -> None:
        super().__init__(connector)
        self.talk = talk

    def conversations(self) -> list[str]:
        return [self.talk]
