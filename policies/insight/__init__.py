"""Measures over the mirrored community."""
