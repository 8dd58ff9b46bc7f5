"""Ordito: community management for the forums and wikis an organisation already has."""

__version__ = "0.1.0"
