"""An audit of a real wiki finds nothing where nothing is missing, and what was spoilt."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import delete, update

from ordito.connectors.base import World
from ordito.sync.audit import audit_site
from ordito.sync.mirror import Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, states, texts
from tests.connectors.mediawiki.site import connect, settings
from tests.servers.mediawiki.wiki import Wiki


def test_a_wiki_that_was_just_read_has_no_gaps_and_damage_is_found(content: Wiki, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    world = World(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    store = Store.open(f"sqlite:///{tmp_path}/ordito.db", now=now)
    source = Source(site="wiki", family="wiki", settings=settings(content), connect=lambda: connect(content))
    (synced,) = sync_sites(store, {"wiki": source}, world, Silence())
    assert synced.complete

    def audited(seed: int) -> set[str]:
        result = audit_site(store, source, now, Random(seed))
        assert (result.error, result.checked > 10) == (None, True)
        assert {"edits", "deletions", "moves", "suppressions"} <= {fresh.aspect for fresh in result.fresh}
        assert {count.kind for count in result.counts} == {"members", "threads", "contributions"}
        return {f"{gap.kind}: {gap.what}" for gap in result.gaps}

    assert [audited(seed) for seed in range(2)] == [set(), set()]
    with store.write() as connection:
        connection.execute(update(texts).values(text="Spoilt"))
        connection.execute(update(states).where(states.c.field == "label").values(value=states.c.value + "?"))
        connection.execute(delete(contributions).where(contributions.c.parent.is_(None)))
    assert {"edits", "labels", "contributions"} <= {found.partition(":")[0] for found in audited(3)}
    store.close()
