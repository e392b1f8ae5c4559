"""The real lm-eval scores a model behind ``genrun serve`` as any server with the OpenAI API."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from genrun_core.evaluation.evaluation import evaluate
from support.alphabet import babble_table, random_drift, words, write_model
from support.serving import served

NAMES = ("ant", "bee", "cat", "bat")
TASK = """\
task: held_out
dataset_path: json
dataset_kwargs: {data_files: {test: FILE}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{text}}<end>"
metric_list:
  - metric: word_perplexity
"""


def test_word_perplexity_over_http_is_that_of_genrun_evaluate(tmp_path: Path) -> None:
    chance = random.Random(1)
    texts = [" ".join(chance.choices([*NAMES, "zebra"], k=chance.randint(1, 9))) for _ in range(12)]
    (tmp_path / "held-out.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "held-out.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    (tmp_path / "task.yaml").write_text(TASK.replace("FILE", str(tmp_path / "held-out.jsonl")))
    tokenizer = words(*NAMES)
    table, drift = babble_table(len(tokenizer)), random_drift(len(tokenizer))
    file = write_model(tmp_path / "names.onnx", tokenizer, table=table, drift=drift)
    with served(file, "--log", "none") as server:
        arguments = f"model=names,base_url={server.address}/v1/completions,tokenizer_backend=remote"
        command = [sys.executable, "-m", "lm_eval", "--model", "local-completions", "--model_args", arguments]
        options = ["--tasks", "held_out", "--include_path", tmp_path, "--output_path", tmp_path / "results"]
        done = subprocess.run([*map(str, [*command, *options])], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    (written,) = (tmp_path / "results").rglob("results_*.json")
    found = json.loads(written.read_text())["results"]["held_out"]["word_perplexity,none"]
    whole = evaluate(file, [str(tmp_path / "held-out.txt")]).log_probability
    assert found == pytest.approx(math.exp(-whole / sum(len(text.split()) for text in texts)), rel=1e-6)
