"""One person, several accounts: linked by admins and files, suggested by name."""

from datetime import datetime
from pathlib import Path

import pytest

from ordito.config.errors import UsageError
from ordito.connectors.base import Batch
from ordito.connectors.records import Kind, Member, Ref
from ordito.sync.identities import accounts_of, link, people, read_file, suggest, take_file, unlink
from ordito.sync.store.store import Store
from tests.sync.fakes import FakeSite, sync_one
from tests.sync.records import day

NOW: datetime = day(30)


def account(site: str, id: str) -> Ref:
    return Ref(site, Kind.MEMBER, id)


A, B, C = account("forum", "1"), account("wiki", "7"), account("club", "3")


def holding(store: Store, **members: list[str]) -> None:
    """Sites with members of these names, numbered from 1."""
    for site, names in members.items():
        records = [
            Member(site=site, id=str(number), username=name, bot=name.startswith("bot"))
            for number, name in enumerate(names, 1)
        ]
        sync_one(store, FakeSite([Batch(records=tuple(records))], site=site), NOW)


def together(store: Store, who: Ref) -> set[Ref]:
    with store.read() as connection:
        return set(accounts_of(connection, who))


def suggestions(store: Store) -> list[set[Ref]]:
    with store.write() as connection:
        suggest(connection, NOW)
        return [set(person.accounts) for person in people(connection) if person.state == "suggested"]


def test_links_join_people_and_are_taken_back(store: Store) -> None:
    with store.write() as connection:
        link(connection, [A, B], NOW)
        link(connection, [B, C], NOW)
    assert together(store, A) == {A, B, C}
    with store.write() as connection:
        assert unlink(connection, B, NOW)
        assert not unlink(connection, B, NOW)
    assert (together(store, A), together(store, B)) == ({A, C}, {B})
    with store.write() as connection:
        assert unlink(connection, A, NOW)
    assert together(store, C) == {C}
    with store.write() as connection:
        link(connection, [A, B], NOW)
    assert together(store, B) == {A, B}


def test_two_accounts_on_one_site_are_not_one_person(store: Store) -> None:
    with store.write() as connection:
        link(connection, [A, B], NOW)
    with pytest.raises(UsageError, match="both on forum"), store.write() as connection:
        link(connection, [account("forum", "2"), B], NOW)
    assert together(store, B) == {A, B}


def test_equal_names_are_suggested_and_never_assumed(store: Store) -> None:
    holding(store, forum=["Anna_B", "eve", "José", "botty"], wiki=["anna b", "Adam", "Jose\u0301", "botty"])
    pairs = [{account("forum", n), account("wiki", n)} for n in "13"]
    assert sorted(suggestions(store), key=str) == sorted(pairs, key=str)
    assert together(store, account("forum", "1")) == {account("forum", "1")}


def test_a_name_that_two_members_of_a_site_have_is_not_suggested(store: Store) -> None:
    holding(store, forum=["anna b", "Anna_B"], wiki=["Anna b"])
    assert suggestions(store) == []


def test_what_an_admin_judged_is_not_suggested_again(store: Store) -> None:
    holding(store, forum=["anna", "bea"], wiki=["Anna", "Bea"])
    assert len(suggestions(store)) == 2
    with store.write() as connection:
        assert unlink(connection, account("forum", "1"), NOW)
        link(connection, [account("forum", "2"), account("wiki", "2")], NOW)
    assert suggestions(store) == []
    with store.read() as connection:
        (person,) = people(connection)
    assert (person.state, person.source) == ("linked", "admin")


def resolve(site: str, name: str) -> Ref | None:
    return None if name == "nobody" else account(site, name)


def test_the_file_makes_links_and_takes_them_back_and_leaves_those_of_admins(store: Store) -> None:
    with store.write() as connection:
        link(connection, [account("forum", "9"), account("wiki", "9")], NOW)
        unknown = take_file(
            connection, [{"forum": "1", "wiki": "7"}, {"forum": "2", "wiki": "nobody"}], resolve, NOW
        )
        before = people(connection)
        take_file(connection, [{"forum": "1", "wiki": "7"}], resolve, NOW)
        assert people(connection) == before
    assert unknown == ["wiki: nobody"]
    assert together(store, A) == {A, B}
    with pytest.raises(UsageError, match="stands in the file"), store.write() as connection:
        unlink(connection, A, NOW)
    with store.write() as connection:
        take_file(connection, [], resolve, NOW)
    assert together(store, A) == {A}
    assert len(together(store, account("wiki", "9"))) == 2


def test_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("- {forum: anna, wiki: Anna B}\n- forum: 1\n  wiki: member:7\n")
    found = read_file(tmp_path / "people.yaml", ["forum", "wiki"])
    assert found == [{"forum": "anna", "wiki": "Anna B"}, {"forum": "1", "wiki": "member:7"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {forum: anna", "people.yaml:2:1: This is not YAML"),
        ("forum: anna", "This is not a list of people"),
        ("- {forum: anna}", "Person 1 has not two accounts"),
        ("- {forum: anna, wiki: a}\n- {forum: b, wikki: b}", "Person 2 has an account on 'wikki'"),
    ],
)
def test_faults_in_the_file_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "people.yaml").write_text(text + "\n")
    with pytest.raises(UsageError) as caught:
        read_file(tmp_path / "people.yaml", ["forum", "wiki"])
    assert said in str(caught.value)
    assert caught.value.hint


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"people\.yaml cannot be read: No such file"):
        read_file(tmp_path / "people.yaml", ["forum"])
