"""Between the platforms and the store: the mirror, the outbox, identities."""
