"""A community in a file: a forum and a wiki that need no server, for demonstrations, rehearsals and tests."""
