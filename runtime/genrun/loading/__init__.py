"""From a path to an open session: the checks of the file, its metadata, and the device."""
