"""Settings: their model, the loader with its line numbers, presets and message templates."""
