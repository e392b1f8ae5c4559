"""The recipes that ship with genrun, one TOML file each."""
