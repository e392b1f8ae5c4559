"""What mixing counts into a network costs: python benchmarks/mixture.py RUN

RUN is a run folder whose training mixed both (recipe ``default``). The step of the network alone and the step of the
mixture are run in turn, with the same tokens, on one thread; the medians of the rounds and their ratio are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from genrun_core.backend import prepare_backend
from genrun_core.counting.counting_file import load_mixed
from genrun_core.runs.run_folder import RunFolder
from genrun_export.counting.mixing import with_counting

ROUNDS, STEPS = 15, 20


def main() -> None:
    """Measure and print a line for each batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    run = RunFolder.open(parser.parse_args().run)
    prepare_backend()
    from genrun_core.network.architecture import fingerprint
    from genrun_core.network.network_file import load_network_of
    from genrun_export.graph.conversion import add_weights, to_graph
    from genrun_export.graph.step import make_step

    tokenizer = run.tokenizer()
    network = load_network_of(run, run.recipe(), tokenizer)
    mixed = load_mixed(run, run.recipe(), tokenizer, fingerprint(network))
    if mixed is None:
        raise SystemExit(f"{run.path} mixes nothing with its network")
    step = make_step(network)
    add_weights(alone := to_graph(step), step.weights)
    both = with_counting(alone, mixed)
    more = both.ByteSize() - alone.ByteSize()
    print(f"{mixed.model.entries:,} n-grams add {more / 1e6:.1f} MB to {alone.ByteSize() / 1e6:.1f} MB")
    documents = run.shards(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        sessions = []
        for name, model in (("alone", alone), ("both", both)):
            (path := Path(folder, f"{name}.onnx")).write_bytes(model.SerializeToString())
            sessions.append(_session(path))
        for batch in (1, 64):
            ids = np.resize(np.asarray(documents.ids[: batch * STEPS]), (STEPS, batch)).astype(np.int64)
            times: list[list[float]] = [[], []]
            for _ in range(ROUNDS):
                for session, measured in zip(sessions, times, strict=True):
                    measured.append(_seconds(session, ids) / STEPS * 1e3)
            first, second = map(statistics.median, times)
            print(
                f"batch {batch}: network {first:.2f} ms a step, mixture {second:.2f} ms, ratio {second / first:.2f}"
            )


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _seconds(session: onnxruntime.InferenceSession, ids: Any) -> float:
    kinds = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
    states = {
        value.name: np.zeros((ids.shape[1], *value.shape[1:]), kinds[value.type])
        for value in session.get_inputs()
        if value.name != "token"
    }
    names = ["logits", *(f"{name}.next" for name in states)]
    started = time.perf_counter()
    for tokens in ids:
        _, *following = session.run(names, {"token": tokens, **states})
        states = dict(zip(states, following, strict=True))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
