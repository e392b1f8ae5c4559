"""The JavaScript runtime and the page around it, as files: nothing here is for Python."""
