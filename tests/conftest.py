"""Fixtures that every test may use; each is documented where it is defined."""

pytest_plugins = [
    "tests.servers.mediawiki.fixtures",
    "tests.servers.postgres",
]
