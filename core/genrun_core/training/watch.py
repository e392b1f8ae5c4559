"""What a user wants to see of a training besides its progress; it changes nothing that is learnt."""

from __future__ import annotations

from dataclasses import dataclass

from genrun.errors import OptionError

__all__ = ["Watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """``sample_every``: a sample text after this many epochs each, 0 for none; ``tensorboard``: write event files."""

    sample_every: int = 0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.sample_every < 0:
            raise OptionError(f"sample_every must be 0 (off) or more, not {self.sample_every}")
