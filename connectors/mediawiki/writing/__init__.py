"""The verbs on a wiki. `editing.py` reads and saves a page safely; the others say what to save.

An edit always carries the revision that it was made from (`baserevid`) or must create the page
(`createonly`), and is never sent twice: a lost answer is settled by looking for the marker among our own
revisions and log entries.
"""
