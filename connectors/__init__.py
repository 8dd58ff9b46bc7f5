"""One adapter per platform; they know records and actions, and nothing of policies."""
