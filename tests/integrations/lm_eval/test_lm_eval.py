"""The real lm-eval scores genrun model files, to the figures of genrun."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import lm_eval
import numpy as np
import pytest
from lm_eval.api.instance import Instance
from lm_eval.tasks import TaskManager
from lm_eval_genrun import TASKS, GenrunLM
from lm_eval_genrun.command import arguments

import genrun
from genrun_core.evaluation.evaluation import evaluate
from support.alphabet import babble_table, random_drift, words, write_model
from support.constraints import LINE_WORDS, line_model

NAMES = ("ant", "bee", "cat", "bat")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> genrun.Model:
    """A model with start and end, and without an unknown token."""
    return line_model(tmp_path_factory.mktemp("lines"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file without start and end, but with an unknown token."""
    tokenizer = words(*NAMES, specials=("pad", "unk"))
    table, drift = babble_table(len(tokenizer)), random_drift(len(tokenizer))
    return write_model(tmp_path_factory.mktemp("plain") / "plain.onnx", tokenizer, table=table, drift=drift)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = random.Random(1)
    texts = [" ".join(chance.choices([*LINE_WORDS, "zebra"], k=chance.randint(1, 9))) for _ in range(40)]
    path = tmp_path_factory.mktemp("held-out") / "held-out.txt"
    path.write_text("\n".join(["", *texts]), encoding="utf-8")
    return path


def asked(kind: str, *arguments: tuple[Any, ...]) -> list[Instance]:
    return [Instance(kind, {}, each, 0) for each in arguments]


def test_perplexity_is_that_of_genrun_evaluate(lines: genrun.Model, plain: Path, held_out: Path) -> None:
    for path in (lines.path, plain):
        manager = TaskManager(include_path=str(TASKS), metadata={"corpus": str(held_out)})
        results = lm_eval.simple_evaluate(
            model="genrun",
            model_args={"path": str(path)},
            tasks=["genrun_documents"],
            task_manager=manager,
            batch_size=7,
            bootstrap_iters=0,
        )
        found, expected = results["results"]["genrun_documents"], evaluate(path, [str(held_out)])
        assert found["perplexity,none"] == pytest.approx(expected.perplexity, rel=1e-6)
        assert found["bits_per_byte,none"] == pytest.approx(expected.bits_per_character, rel=1e-6)  # all ASCII
        assert results["config"]["model_digest"] == genrun.load(path).digest


def test_the_command_prints_the_same(lines: genrun.Model, held_out: Path, tmp_path: Path) -> None:
    given = ["--model_args", f"path={lines.path}", "--tasks", "genrun_documents", "--output_path", str(tmp_path)]
    command = [sys.executable, "-c", "from lm_eval_genrun.command import main; main()", *given]
    metadata = ["--metadata", json.dumps({"corpus": str(held_out)})]
    done = subprocess.run([*command, *metadata], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    perplexity = evaluate(lines.path, [str(held_out)]).perplexity
    assert f"{perplexity:.4f}" in done.stdout
    assert "40 documents of 41 rows (dropped: 1 empty)" in done.stderr
    (written,) = tmp_path.rglob("results_*.json")
    assert json.loads(written.read_text())["results"]["genrun_documents"]["perplexity,none"] == pytest.approx(
        perplexity, rel=1e-6
    )
    wrong = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert wrong.returncode == 1
    assert wrong.stderr.splitlines()[-1].startswith("error: name the held-out text: --metadata")


def test_the_command_adds_what_is_missing() -> None:
    own = ["run", "--model", "dummy", "--include_path", "tasks"]
    assert arguments(own) == own
    assert arguments(["ls", "tasks"]) == ["ls", "tasks", "--include_path", str(TASKS)]
    assert arguments(["--help"]) == ["run", "--help"]


def test_continuations_have_the_probabilities_of_the_model(plain: Path) -> None:
    model = GenrunLM(str(plain), batch_size=3)
    choices = asked("loglikelihood", *(("ant bee", f" {name}") for name in (*NAMES, "zebra")))
    answers = model.loglikelihood(choices)
    session = model.model._session
    states = session.initial_states(1)
    for token in model.model.tokenizer.encode("ant bee").ids:
        logits, states = session.step(np.array([token]), states)
    exact = logits[0].astype(float) - np.log(np.exp(logits[0].astype(float)).sum())
    ids = [model.model.tokenizer.encode(name).ids[0] for name in (*NAMES, "zebra")]
    assert [likelihood for likelihood, _ in answers] == pytest.approx(exact[ids].tolist(), rel=1e-5)
    [written] = model.model.generate_many(["ant bee"], decoder="greedy", max_new_tokens=1)
    assert [greedy for _, greedy in answers] == [token == written.ids[0] for token in ids]


def test_the_parts_of_a_text_add_up_to_it(lines: genrun.Model) -> None:
    model = GenrunLM(str(lines.path))
    text = "the old ferry , a red sky"
    [whole] = model.loglikelihood(asked("loglikelihood", ("", text)))
    assert math.isfinite(whole[0])
    for cut in (3, 7, 8, 13, 17):
        [first, rest] = model.loglikelihood(asked("loglikelihood", ("", text[:cut]), (text[:cut], text[cut:])))
        assert first[0] + rest[0] == pytest.approx(whole[0])
    [rolling] = model.loglikelihood_rolling(asked("loglikelihood_rolling", (text,)))
    score = lines.score(text)
    assert rolling == pytest.approx(score.log_probability)
    assert whole[0] == pytest.approx(sum(score.token_log_probabilities[:-1]))


def test_what_greedy_decoding_writes_is_known_as_that(lines: genrun.Model) -> None:
    model = GenrunLM(str(lines.path))
    [written] = lines.generate_many(["the old"], decoder="greedy", max_new_tokens=5)
    words = written.continuation.split(" ")
    texts = [" ".join(words[:count]) for count in range(2, len(words) + 1)]
    answers = model.loglikelihood(asked("loglikelihood", *(("the old", text) for text in texts)))
    assert texts
    assert all(greedy for _, greedy in answers)
    other = next(word for word in LINE_WORDS if not texts[0].startswith(f" {word}"))
    [(_, greedy)] = model.loglikelihood(asked("loglikelihood", ("the old", f" {other}")))
    assert not greedy


def test_a_word_that_the_model_cannot_write_has_no_probability(lines: genrun.Model) -> None:
    [(likelihood, greedy)] = GenrunLM(str(lines.path)).loglikelihood(asked("loglikelihood", ("the old", " zebra")))
    assert (likelihood, greedy) == (-math.inf, False)


def test_texts_are_generated_until_a_stop_text(lines: genrun.Model) -> None:
    model = GenrunLM(str(lines.path), seed=3)
    greedy = lines.generate_many(["the old"], decoder="greedy", max_new_tokens=6)[0].continuation
    stop = greedy.split()[-1]
    drawn = {"until": ["\n"], "max_gen_toks": 6, "do_sample": True, "temperature": 0.9, "top_k": 8}
    requests = asked(
        "generate_until",
        ("the old", {"until": [], "max_gen_toks": 6}),
        ("the old", drawn),
        ("the old", {"until": [stop], "max_gen_toks": 6}),
        ("the old", drawn),
        ("sea", drawn),
    )
    texts = model.generate_until(requests)
    assert texts[0] == greedy
    assert texts[2] == greedy[: greedy.index(stop)]
    samples = lines.generate_many(
        ["the old", "sea"], n=2, decoder="temperature:0.9,top-k:8", stop="\n", seed=3, max_new_tokens=6
    )
    assert [texts[1], texts[3], texts[4]] == [result.continuation for result in samples[:3]]


def test_answers_are_cached(lines: genrun.Model, tmp_path: Path, held_out: Path) -> None:
    manager = TaskManager(include_path=str(TASKS), metadata={"corpus": str(held_out)})
    figures = [
        lm_eval.simple_evaluate(
            model="genrun",
            model_args=f"path={lines.path}",
            tasks=["genrun_documents"],
            task_manager=manager,
            use_cache=str(tmp_path / "cache"),
            bootstrap_iters=0,
        )["results"]["genrun_documents"]
        for _ in range(2)
    ]
    assert figures[0] == figures[1]
