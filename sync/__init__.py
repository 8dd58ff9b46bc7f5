"""Ordito."""
