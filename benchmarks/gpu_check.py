"""Hold model files on a GPU against the CPU, and measure them there.

    python benchmarks/gpu_check.py MODEL… [--device cuda] [--batch 1 8 64 512 4096] [--seconds 3]

Needs numpy, onnxruntime-gpu and genrun. Prints one table. Exit status 1 where the device cannot be used, or where
something does not hold; what depends on rounding alone is shown and not judged.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tied_logits import with_tied_logits

import genrun
from genrun import registry
from genrun.diagnosing.speed.measuring import benchmark
from genrun.errors import GenrunError, one_line
from genrun.generating.batch import Batch
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.draws import Draws
from genrun.generating.row import Row
from genrun.loading.device import import_onnxruntime
from genrun.loading.recorded_checks import LOGIT_TOLERANCE
from genrun.model import Model

ROWS, STEPS = 16, 32  # of the logits that are compared
DECODERS = ("greedy", "top-k", "temperature")
SEED = 7
TEXTS = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the table; ``holds`` is None for a figure that is not judged."""

    check: str
    found: str
    holds: bool | None = None


def check_logits(here: Model, cpu: Model) -> Iterator[Finding]:
    """Feed both the same random tokens; compare the logits, and the highest where no rounding could turn it."""
    tokens = np.random.default_rng(SEED).integers(0, len(cpu.tokenizer), (STEPS, ROWS))
    states = [model._session.initial_states(ROWS) for model in (here, cpu)]
    suppressed = list(cpu.defaults.suppressed_ids)
    off, clear, same = 0.0, 0, 0
    for fed in tokens:
        (ours, states[0]), (theirs, states[1]) = (
            model._session.step(fed, state) for model, state in zip((here, cpu), states, strict=True)
        )
        off = max(off, float(np.abs(ours - theirs).max()))
        ours[:, suppressed] = theirs[:, suppressed] = -np.inf
        highest = np.sort(theirs, axis=1)
        is_clear = highest[:, -1] - highest[:, -2] > 2 * LOGIT_TOLERANCE
        clear += int(is_clear.sum())
        same += int((ours.argmax(axis=1) == theirs.argmax(axis=1))[is_clear].sum())
    yield Finding("largest difference of logits from the CPU's", f"{off:.2g}", off <= LOGIT_TOLERANCE)
    yield Finding(
        "the CPU's greedy tokens, of those that are clear", f"{same} of {clear} ({ROWS * STEPS})", same == clear
    )


def check_choices(model: Model, what: str) -> Iterator[Finding]:
    """Choose in the graph and with the decoders in NumPy, on the same device, with the same draws."""
    if not model._session.chooses:
        yield Finding(f"choices in the graph, {what}", "the file's graph cannot choose")
        return
    for name in DECODERS:
        in_graph = _continued(model, name, choose_with="graph")
        in_numpy = _continued(model, name, choose_with="decoder")
        same = sum(first == second for first, second in zip(in_graph, in_numpy, strict=True))
        yield Finding(
            f"texts that {name} chooses alike in the graph and in NumPy, {what}",
            f"{same} of {TEXTS}",
            same == TEXTS,
        )


def _continued(model: Model, decoder: str, *, choose_with: ChooseWith) -> list[list[int]]:
    prompts = [[1 + i % (len(model.tokenizer) - 1)] for i in range(TEXTS)]
    rows = [Row(ids, Draws(SEED, sample, ids), STEPS) for sample, ids in enumerate(prompts)]
    batch = Batch(
        model._session,
        registry.make_decoder(decoder, {}),
        size=TEXTS,
        suppressed_ids=model.defaults.suppressed_ids,
        choose_with=choose_with,
    )
    batch.admit(rows)
    while len(batch):
        batch.advance()
    return [row.new_ids for row in rows]


def check_seeds(here: Model, cpu: Model) -> Iterator[Finding]:
    """Generate with one seed: again, one by one, in small batches, and on the CPU."""
    prompts = list(dict.fromkeys(text.prompt for text in cpu.verification.golden))[:8]
    if not prompts:
        prompts = [cpu.tokenizer.decode([token]) for token in range(len(cpu.tokenizer.specials), len(cpu.tokenizer))]
        prompts = [prompt for prompt in prompts if cpu.tokenizer.encode(prompt).ids][:8]
    count = -(-TEXTS // len(prompts))

    def texts(model: Model, batch_size: int) -> list[str]:
        results = model.generate_many(prompts, n=count, seed=SEED, max_new_tokens=STEPS, batch_size=batch_size)
        return [result.text for result in results]

    together = texts(here, TEXTS)
    for what, others, judged in (
        ("again", texts(here, TEXTS), True),
        ("one by one", texts(here, 1), True),
        ("by sevens", texts(here, 7), True),
        ("on the CPU", texts(cpu, TEXTS), False),
    ):
        same = sum(first == second for first, second in zip(together, others, strict=True))
        holds = same == len(together) if judged else None
        yield Finding(f"texts of one seed that are the same {what}", f"{same} of {len(together)}", holds)


def measure(model: Model, batch_sizes: Sequence[int], seconds: float) -> Iterator[Finding]:
    """Measure generating with the file's own decoder."""
    for found in benchmark(model, model.settings(seed=SEED), batch_sizes=batch_sizes, seconds=seconds):
        shares = (
            f"model {found.model_share:.0%}, choosing {found.choosing_share:.0%}, Python {found.python_share:.0%}"
        )
        waits = f"{found.p50_milliseconds:.3g} ms to the next token (99%: {found.p99_milliseconds:.3g} ms)"
        yield Finding(f"batch {found.batch_size:,}", f"{found.tokens_per_second:,.0f} tokens/s; {waits}; {shares}")


def check(path: Path, device: str, batch_sizes: Sequence[int], seconds: float) -> Iterator[Finding]:
    """Check one file on a device."""
    here, cpu = genrun.load(path, device=device), genrun.load(path, device="cpu")
    yield Finding("device", f"{here.device} ({', '.join(here.providers)})")
    yield from check_logits(here, cpu)
    yield from check_choices(here, "as exported")
    with tempfile.TemporaryDirectory() as folder:
        tied = Path(folder) / path.name
        tied.write_bytes(with_tied_logits(path.read_bytes(), len(cpu.tokenizer)))
        model = genrun.load(tied, device=device)
        yield from check_choices(model, "with tied logits")
    yield from check_seeds(here, cpu)
    yield from measure(here, batch_sizes, seconds)


def describe_machine() -> str:
    """Return the card, its driver, and the versions of what runs on it."""
    ort = import_onnxruntime()
    built = getattr(getattr(ort.capi, "build_and_package_info", None), "cuda_version", "") or "none"
    card = "no NVIDIA driver"
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")[0]
        card = answer.replace(", ", ", driver ") or card
    return f"{card}; onnxruntime {ort.__version__}, built for CUDA {built}; genrun {genrun.__version__}"


def main() -> int:
    """Check the files and print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    parser.add_argument("--device", default="cuda", help="as for genrun generate [%(default)s]")
    parser.add_argument(
        "--batch", nargs="+", type=int, default=[1, 8, 64, 512, 4096], help="to measure [%(default)s]"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="for each batch size [%(default)s]")
    arguments = parser.parse_args()
    failed = False
    try:
        for path in arguments.models:
            genrun.load(path, device=arguments.device)  # whatever cannot be opened is told before anything else
        print(describe_machine())
        print("\n| file | what | found | holds |\n|---|---|---|---|")
        for path in arguments.models:
            for finding in check(path, arguments.device, arguments.batch, arguments.seconds):
                holds = "" if finding.holds is None else "yes" if finding.holds else "NO"
                print(f"| {path.name} | {finding.check} | {finding.found} | {holds} |", flush=True)
                failed = failed or finding.holds is False
    except GenrunError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
