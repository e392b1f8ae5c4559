"""Stages that know words: how long a text is at least, which words it must not have, which ones it should."""
