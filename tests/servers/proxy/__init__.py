"""A proxy on a real socket that does to requests what networks and servers in between do to them.

It stands before any HTTP server on loopback; faults strike the requests that match them, first come first
served, and everything else passes as it is. `shapes` holds what the platforms and the servers in front of
them say when something is wrong.
"""

from .faults import Fault
from .server import Passed, Proxy

__all__ = ["Fault", "Passed", "Proxy"]
