"""Texts that meet a constraint: particles that grow within an automaton, drawn from p(text | constraint)."""
