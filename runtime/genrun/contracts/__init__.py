"""What a plugin must look like: the protocols of readers, of decoders, and of the stages of a chain.

All are frozen dataclasses whose fields are their options (see :mod:`genrun.options`). They are found through the
entry-point groups ``genrun.readers`` and ``genrun.decoders`` (see :mod:`genrun.registry`).
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
from genrun.contracts.reading import Document, Reader, ReadReport

__all__ = [
    "Chooser",
    "Decoder",
    "Document",
    "Fold",
    "ForModel",
    "ParametricDecoder",
    "Preset",
    "ReadReport",
    "Reader",
    "Stage",
    "Vocabulary",
]
