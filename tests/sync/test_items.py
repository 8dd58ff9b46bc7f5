"""An ITEM as people type it."""

from pathlib import Path

import pytest

from ordito.config.errors import UsageError
from ordito.connectors.base import Platform
from ordito.connectors.mediawiki.platform import MediaWikiPlatform
from ordito.connectors.mediawiki.settings import MediaWikiSettings
from ordito.connectors.records import Member, Space, Thread, ThreadKind
from ordito.connectors.sandbox.platform import SandboxPlatform
from ordito.connectors.sandbox.settings import SandboxSettings
from ordito.sync.items import resolve
from ordito.sync.store import rows
from ordito.sync.store.store import Store
from ordito.sync.store.tables import members, spaces, threads


@pytest.fixture
def platforms(tmp_path: Path) -> dict[str, Platform]:
    sandbox = SandboxSettings.model_validate(
        {"connector": "sandbox", "side": "forum", "file": str(tmp_path / "x.db")}
    )
    wiki = MediaWikiSettings.model_validate(
        {"connector": "mediawiki", "url": "https://wiki.example.org/w/api.php", "username": "Ordito@cron",
         "password": {"env": "X"}},
        context=None,
    )  # fmt: skip
    return {"forum": SandboxPlatform("forum", sandbox), "wiki": MediaWikiPlatform("wiki", wiki)}


@pytest.fixture
def mirror(store: Store) -> Store:
    """People and pages; on the wiki there are an Italian name for the user namespace and two like names."""
    forum = [
        Member(site="forum", id="1", username="anna"),
        Member(site="forum", id="2", username="Ångström"),
        Member(site="forum", id="3", username="both"),
    ]
    wiki = [
        Member(site="wiki", id="10", username="Anna B"),
        Member(site="wiki", id="11", username="anna b"),
        Member(site="wiki", id="12", username="Both"),
    ]
    pages = [
        Thread(site="wiki", id="7", kind=ThreadKind.PAGE, space="0", title="Main Page"),
        Thread(site="wiki", id="8", kind=ThreadKind.TALK, space="3", title="User talk:Anna B"),
        Thread(site="wiki", id="9", kind=ThreadKind.PAGE, space="2", title="Utente:Nobody"),
    ]
    with store.write() as conn:
        rows.upsert(conn, members, rows.member_rows("forum", forum, ""))
        rows.upsert(conn, members, rows.member_rows("wiki", wiki, ""))
        rows.upsert(conn, threads, rows.thread_rows("wiki", pages, ""))
        rows.upsert(conn, spaces, rows.space_rows("wiki", [Space(site="wiki", id="2", name="Utente")], ""))
    return store


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("forum:thread:123", "forum:thread:123"),
        ("  forum:topic:123 ", "forum:thread:123"),
        ("forum:post:9", "forum:contribution:9"),
        ("forum:user:1", "forum:member:1"),
        ("forum:user:Anna", "forum:member:1"),
        ("wiki:page:7", "wiki:thread:7"),
        ("wiki:revision:70", "wiki:contribution:70"),
        ("https://forum.sandbox.example/t/5", "forum:thread:5"),
        ("https://forum.sandbox.example/u/Anna/activity", "forum:member:1"),
        ("https://forum.sandbox.example/u/%C3%85ngstr%C3%B6m", "forum:member:2"),
        ("https://wiki.example.org/w/index.php?curid=7", "wiki:thread:7"),
        ("https://wiki.example.org/w/index.php?title=Main_Page", "wiki:thread:7"),
        ("https://wiki.example.org/w/index.php?title=User:Anna_B", "wiki:member:10"),
        ("https://wiki.example.org/w/index.php?title=Not_There", "wiki:title:Not There"),
        ("@anna", "forum:member:1"),
        ("@ANNA", "forum:member:1"),
        ("@ångström", "forum:member:2"),
        ("@A\u030angstro\u0308m", "forum:member:2"),
        ("forum:@both", "forum:member:3"),
        ("wiki:@both", "wiki:member:12"),
        ("User:Anna B", "wiki:member:10"),
        ("user:anna_B", "wiki:member:10"),
        ("Utente:Anna B", "wiki:member:10"),
        ("wiki:User:Anna_B", "wiki:member:10"),
        ("Utente:Nobody", "wiki:thread:9"),
        ("Main Page", "wiki:thread:7"),
        ("main_Page", "wiki:thread:7"),
        ("User talk:Anna B", "wiki:thread:8"),
        ("wiki:title:Main Page", "wiki:thread:7"),
        ("wiki:title:Project:Ordito/Stop", "wiki:title:Project:Ordito/Stop"),
        ("wiki:User talk:Anna B", "wiki:thread:8"),
        ("wiki:Help:None", "wiki:title:Help:None"),
        ("wiki:title:user:Anna B", "wiki:title:User:Anna B"),
    ],
)
def test_an_item_is_understood(
    mirror: Store, platforms: dict[str, Platform], typed: str, expected: str
) -> None:
    with mirror.read() as conn:
        assert str(resolve(typed, platforms, conn)) == expected


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("@nobody", "The mirror knows nothing called '@nobody'.", "Or run 'ordito sync'."),
        ("@both", "'@both' names more than one item.", "Write forum:member:3 or wiki:member:12."),
        ("42", "The mirror knows nothing called '42'.", "forum:topic:1"),
        ("https://example.org/t/5", "is no address of an item on one of the sites (forum, wiki).", "Write"),
        ("https://forum.sandbox.example/u/nobody", "The mirror knows nothing called", "Or run"),
        ("forum:page:5", "'page' is no kind of item on forum; there are: user, category, topic,", "Write"),
        ("forum:topic:", "lacks the topic's id", "Write"),
        ("elsewhere:thread:5", "The mirror knows nothing called 'elsewhere:thread:5'.", "Write"),
    ],
)
def test_what_is_not_understood_is_said_with_what_to_write(
    mirror: Store, platforms: dict[str, Platform], typed: str, message: str, hint: str
) -> None:
    with mirror.read() as conn, pytest.raises(UsageError) as caught:
        resolve(typed, platforms, conn)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2
