"""Discourse, by its JSON API."""
