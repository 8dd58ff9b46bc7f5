"""MediaWiki: pages are threads, revisions contributions, namespaces spaces, categories labels.

`connector.py` is the door. Reading: `scan.py` (everything, once), `recent.py` (what changed), `fetch.py`
(one item, fresh). Writing: `writing/`. Both stand on `client.py`, the API over one polite session.
"""
