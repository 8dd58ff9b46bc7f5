"""The review page: what `ordito serve` shows to moderators."""
