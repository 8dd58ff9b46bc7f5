"""The rig on both databases."""

import pytest

from ordito.sync.store.store import Store
from tests.sync.outbox.fakes import Rig


@pytest.fixture
def rig(store: Store) -> Rig:
    return Rig(store)
