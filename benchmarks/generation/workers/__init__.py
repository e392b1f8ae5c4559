"""The programs that take turns; each is a process of its own and does a round whenever it is told to."""
