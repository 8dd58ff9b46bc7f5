"""Settings: their model, the loader with its line numbers, presets and message templates.

`loader.load` reads the settings; this module itself imports nothing, for `ordito --help`.
"""
