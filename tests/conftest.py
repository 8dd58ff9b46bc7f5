"""Fixtures that every test may use; each is documented where it is defined."""

import signal

# A shell has what it starts in the background ignore this, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = [
    "tests.servers.mediawiki.fixtures",
    "tests.servers.postgres",
]
