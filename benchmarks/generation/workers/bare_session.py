"""The model alone: ``session.run`` of the step, states and logits as NumPy arrays, nothing chosen."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from generation.turns import serve


def prepare() -> tuple[Callable[[], int], str]:
    import numpy as np
    import onnxruntime

    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("batch", type=int)
    parser.add_argument("tokens", type=int)
    parser.add_argument("threads", type=int)
    arguments = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = arguments.threads, 1
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(arguments.file, settings, providers=["CPUExecutionProvider"])
    states = {value.name: value.shape[1:] for value in session.get_inputs() if value.name.startswith("state.")}
    outputs = ["logits", *(f"{name}.next" for name in states)]
    token = np.ones(arguments.batch, np.int64)

    def produce() -> int:
        carried = [np.zeros((arguments.batch, *shape), np.float32) for shape in states.values()]
        made = 0
        for _ in range(arguments.tokens):
            logits, *carried = session.run(outputs, {"token": token, **dict(zip(states, carried, strict=True))})
            made += len(logits)
        return made

    return produce, f"onnxruntime {onnxruntime.__version__}"


if __name__ == "__main__":
    serve(prepare, "onnxruntime")
