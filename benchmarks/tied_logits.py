"""A copy of a model file whose logits are tied in large groups, to see which of equal tokens a device takes.

Trained logits are hardly ever equal, and which of equal ones comes first is what implementations disagree on. The
copy is the same graph with other numbers: all weights are 0, and what has one number for each token is 0, 1, 2, 0, ….
"""

from __future__ import annotations

import numpy as np

from genrun.loading.external_data import _fields

__all__ = ["with_tied_logits"]

_GROUPS = 3
_GRAPH, _TENSOR = 7, 5  # of a model, of a graph: field numbers of onnx.proto
_DIMS, _TYPE, _FLOATS, _RAW = 1, 2, 4, 9  # of a tensor
_FLOAT = 1


def with_tied_logits(content: bytes, vocabulary: int) -> bytes:
    """Return the bytes of the copy; ``vocabulary`` is the number of tokens."""
    changed = bytearray(content)
    ties = (np.arange(vocabulary) % _GROUPS).astype("<f4").tobytes()
    for graph, graph_size in _found(content, 0, len(content), _GRAPH):
        for tensor, size in _found(content, graph, graph + graph_size, _TENSOR):
            fields = list(_fields(content, tensor, tensor + size))
            if (_TYPE, _FLOAT, None) not in fields:
                continue
            for number, at, length in fields:
                if number in (_FLOATS, _RAW) and length is not None:
                    of_tokens = length == len(ties) and sum(field[0] == _DIMS for field in fields) == 1
                    changed[at : at + length] = ties if of_tokens else bytes(length)
    return bytes(changed)


def _found(content: bytes, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """Return where the fields of a number begin in a message, and their sizes."""
    fields = _fields(content, start, end)
    return [(at, size) for number, at, size in fields if number == wanted and size is not None]
