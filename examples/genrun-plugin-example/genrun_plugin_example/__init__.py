"""Two genrun plugins, found through the entry points in pyproject.toml: nothing needs to be imported here."""
