"""Stages against repetition: they know which tokens came before."""
