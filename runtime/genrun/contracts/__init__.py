"""What a plugin must look like: the protocols of readers, decoders, the stages of a chain, and parts of a constraint.

All are frozen dataclasses whose fields are their options (see :mod:`genrun.contracts.options`). They are found through
the entry-point groups ``genrun.readers``, ``genrun.decoders`` and ``genrun.constraints`` (see :mod:`genrun.registry`).
"""

from genrun.contracts.choosing import (
    Chooser,
    Decoder,
    Fold,
    ForModel,
    ParametricDecoder,
    Preset,
    Stage,
    Vocabulary,
)
from genrun.contracts.constraining import ConstraintPart, PromptedPart
from genrun.contracts.reading import Document, Reader, ReadReport

__all__ = [
    "Chooser",
    "ConstraintPart",
    "Decoder",
    "Document",
    "Fold",
    "ForModel",
    "ParametricDecoder",
    "Preset",
    "PromptedPart",
    "ReadReport",
    "Reader",
    "Stage",
    "Vocabulary",
]
