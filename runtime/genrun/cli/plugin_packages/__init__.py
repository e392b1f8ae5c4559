"""Packages of plugins: installs and removes them, and writes the project of a new one."""
