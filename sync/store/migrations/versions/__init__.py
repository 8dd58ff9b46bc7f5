"""The steps of the store's schema, oldest first."""
