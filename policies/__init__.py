"""Deciding: facts, conditions, policies and the review of what they propose."""
