"""Readers: each turns sources (files, folders, globs) into documents; one file per reader."""
