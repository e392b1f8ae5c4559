"""An architecture for genrun, found through the entry point in pyproject.toml: nothing needs to be imported here."""
