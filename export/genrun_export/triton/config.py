"""The file ``config.pbtxt`` of a model in a Triton repository, in the text form of the protocol ``ModelConfig``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from genrun.generating.stepping.session import StateSpec

__all__ = ["MOST_ROWS", "config_text"]

MOST_ROWS = 64  # of a batch
_SEQUENCES = 4096  # that are open at once
_IDLE_MICROSECONDS = 60_000_000  # after which a sequence without requests is given up
_TYPES = {"float32": "TYPE_FP32", "float16": "TYPE_FP16", "int64": "TYPE_INT64", "int32": "TYPE_INT32"}


def config_text(name: str, vocabulary: int, states: Sequence[StateSpec], parameters: Mapping[str, str]) -> str:
    """Return the configuration of the model ``name``: a sequence of requests is a text, its states stay in Triton.

    ``parameters``: what a client may want to know, text by name.

    >>> print(config_text("letters", 30, [], {"k": "40"}).splitlines()[0])
    name: "letters"
    """
    lines = [
        f"name: {json.dumps(name)}",
        'backend: "onnxruntime"',
        'default_model_filename: "model.onnx"',
        f"max_batch_size: {MOST_ROWS}",
        *(_one_number("input", each, kind, scalar=each == "token") for each, kind in _INPUTS.items()),
        *(_one_number("output", each, kind, scalar=True) for each, kind in _OUTPUTS.items()),
        f'output {{ name: "logits" data_type: TYPE_FP32 dims: [ {vocabulary} ] }}',
        "sequence_batching {",
        f"  max_sequence_idle_microseconds: {_IDLE_MICROSECONDS}",
        f"  oldest {{ max_candidate_sequences: {_SEQUENCES} }}",
        *(f"  {_state(state)}" for state in states),
        "}",
        *(
            f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}"
            for key, value in parameters.items()
        ),
    ]
    return "\n".join(lines) + "\n"


_INPUTS = {"token": "TYPE_INT64", "draw": "TYPE_FP64", "temperature": "TYPE_FP64"}
_OUTPUTS = {"chosen": "TYPE_INT64", "chosen_log_probability": "TYPE_FP32"}


def _one_number(side: str, name: str, kind: str, *, scalar: bool) -> str:
    """Return an input or output with one number for each row; a ``scalar`` has no dimension for it in the graph."""
    shape = "dims: [ 1 ] reshape: { shape: [ ] }" if scalar else "dims: [ 1 ]"
    return f'{side} {{ name: "{name}" data_type: {kind} {shape} }}'


def _state(state: StateSpec) -> str:
    """Return a state, which Triton keeps; zeros at the start of a sequence."""
    kind = f"data_type: {_TYPES[state.dtype.name]} dims: [ {', '.join(map(str, state.shape))} ]"
    initial = f'initial_state {{ name: "zeros" {kind} zero_data: true }}'
    return f'state {{ input_name: "{state.name}" output_name: "{state.name}.next" {kind} {initial} }}'
