"""The recurrent layers of ONNX, in one direction, with their default activation functions."""

from __future__ import annotations

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, elements

__all__: list[str] = []

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@allow("RNN", (3, 6), outputs=(1, 2), optional=(3, 4, 5), hidden_size="i", direction="s", layout="b")
@allow("GRU", (3, 6), outputs=(1, 2), optional=(3, 4, 5), hidden_size="i", direction="s", layout="b",
       linear_before_reset="b")  # fmt: skip
@allow("LSTM", (3, 7), outputs=(1, 3), optional=(3, 4, 5, 6), hidden_size="i", direction="s", layout="b",
       input_forget="b")  # fmt: skip
def _recurrent(use: Use) -> list[Value]:
    """Inputs: X [length, batch, in], W [1, gates · hidden, in], R [1, gates · hidden, hidden], B, none, states."""
    gates, hidden = _GATES[use.node.operator], use.attribute("hidden_size", 0)
    shape, dtype = use.exact(0).shape, use[0].dtype
    if len(shape) != 3 or hidden < 1 or use.attribute("direction", "forward") != "forward":
        raise Refused("is not a recurrent layer in one direction")
    if use.attribute("layout", 0) or use.get(4) is not None:
        raise Refused("has another order of dimensions, or sequence lengths")
    length, batch, size = shape
    expected = {1: (1, gates * hidden, size), 2: (1, gates * hidden, hidden), 3: (1, 2 * gates * hidden)}
    expected |= {5: (1, batch, hidden), 6: (1, batch, hidden)}
    for index, wanted in expected.items():
        value = use.get(index)
        if value is not None and value.shape != wanted:
            raise Refused(f"has the input {index} of the shape {list(value.shape)}, not {list(wanted)}")
    use.work += elements((length, batch, gates * hidden, size + hidden))
    state = Value(dtype, (1, batch, hidden))
    return [Value(dtype, (length, 1, batch, hidden)), state, state][: len(use.node.outputs)]
