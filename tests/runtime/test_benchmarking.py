"""Measuring a model: what is counted and how the shares add up; never how long anything took."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import genrun
from genrun.cli.bench import command
from genrun.cli.group import cli
from genrun.diagnosing.speed.measuring import Measurement, benchmark
from genrun.diagnosing.speed.setup import describe_setup
from genrun.diagnosing.speed.workload import Work
from genrun.errors import OptionError, PluginError
from genrun.generating.choosing import policy
from genrun.model import Model
from support.alphabet import SPECIALS, alphabet_table, letters, write_model
from support.distributions import DECODER, Site

SHARES = ("model_share", "choosing_share", "python_share")


@dataclass(frozen=True)
class Repeating:
    """Someone's decoder, which looks at what has been said."""

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        return np.array([row[-1] if row[-1] >= len(SPECIALS) else logits[0].argmax() for row in tokens])


@dataclass(frozen=True)
class Failing:
    def choose(self, logits: NDArray[np.float32], tokens: Any, draws: Any) -> NDArray[np.int64]:
        raise RuntimeError("no\nidea")


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory, choosing: bool) -> Path:
    """A model that says nothing but the end, whatever comes before."""
    tokenizer = letters()
    table = np.zeros((len(tokenizer), len(tokenizer)))
    table[:, tokenizer.special("end")] = 50.0
    return write_model(tmp_path_factory.mktemp("ending") / "m.onnx", tokenizer, table=table, choosing=choosing)


def measured(model: Model, batch_sizes: Sequence[int] = (1, 3), **choices: Any) -> list[Measurement]:
    settings = model.settings(**{"seed": 1, "max_new_tokens": 4, **choices})
    return list(benchmark(model, settings, batch_sizes=batch_sizes, tokens=1))


def check(measurements: Sequence[Measurement], lengths: int = 4) -> None:
    """Look for what must hold of every measurement."""
    for measurement in measurements:
        shares = [getattr(measurement, name) for name in SHARES]
        assert sum(shares) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in shares)
        assert measurement.new_tokens == lengths
        assert measurement.tokens == measurement.rounds * measurement.batch_size * lengths
        assert 0 < measurement.p50_milliseconds <= measurement.p95_milliseconds <= measurement.p99_milliseconds
        assert measurement.tokens_per_second > 0
        assert measurement.steps_per_second > 0


@pytest.mark.parametrize("decoder", ["greedy", "temperature", "top-k"])
def test_shares_and_counts_of_every_built_in_decoder(babble: Model, choosing: bool, decoder: str) -> None:
    measurements = measured(babble, decoder=decoder)
    check(measurements)
    assert [measurement.batch_size for measurement in measurements] == [1, 3]
    assert {measurement.chosen_in for measurement in measurements} == {"graph" if choosing else "numpy"}


def test_it_is_said_where_the_words_of_several_texts_are_chosen(talker_file: Path) -> None:
    model = genrun.load(talker_file, device="cpu", threads=2)
    for decoder, *expected in (
        ("top-k", "graph", "numpy"),
        ("greedy", "graph", "numpy"),
        ("temperature", "graph", "numpy"),
    ):
        settings = model.settings(decoder=decoder, max_new_tokens=2)
        found = benchmark(model, settings, batch_sizes=[1, 32], tokens=1)
        assert [measurement.chosen_in for measurement in found] == expected


def test_numpy_chooses_for_a_large_batch_of_a_small_vocabulary_as_shipped(
    talker_file: Path, shipped_threshold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_LOGITS_FOR_NUMPY", shipped_threshold)
    model = genrun.load(talker_file, device="cpu", threads=1)  # 404 logits a text
    assert [model._session.vocabulary * rows >= shipped_threshold for rows in (16, 64)] == [False, True]
    found = benchmark(model, model.settings(decoder="top-k", max_new_tokens=2), batch_sizes=[16, 64], tokens=1)
    assert [measurement.chosen_in for measurement in found] == ["graph", "numpy"]


def test_a_model_that_ends_at_once_is_measured_to_the_length_that_was_asked_for(ending: Path) -> None:
    model = genrun.load(ending, device="cpu")
    assert len(model.generate_many(["a"], max_new_tokens=4)[0].ids) == 1
    check(measured(model))


def test_each_round_notes_the_time_before_every_token(babble: Model) -> None:
    work = Work(babble, babble.settings(seed=1, max_new_tokens=6), 3)
    found = work.round()
    assert found.tokens == 18
    batches = len(babble._threads.divided(3))
    assert len(found.waits) // batches == 5
    assert (found.waits > 0).all()


def test_an_unlikely_budget_of_time_makes_texts_shorter_and_comes_to_an_end(babble: Model) -> None:
    settings = babble.settings(seed=1, max_new_tokens=1_000_000)
    [measurement] = benchmark(babble, settings, batch_sizes=[2], seconds=1e-6)
    check([measurement], lengths=2)
    assert measurement.rounds == 5


def test_tokens_are_the_fewest_that_are_generated(babble: Model) -> None:
    settings = babble.settings(seed=1, max_new_tokens=4)
    [measurement] = benchmark(babble, settings, batch_sizes=[2], tokens=57)
    assert measurement.tokens == 64


def test_a_third_partys_decoder_chooses_from_the_logits(babble: Model) -> None:
    check(measured(babble, decoder=Repeating()))
    setup = describe_setup(babble, babble.settings(decoder=Repeating()))
    assert setup.decoder == "Repeating()"


def test_a_decoder_that_is_no_dataclass_is_called_by_its_kind(babble: Model) -> None:
    class Plain:
        choose = Repeating().choose

    assert describe_setup(babble, babble.settings(decoder=Plain())).decoder == "Plain"


def test_a_decoder_that_fails_is_told_as_in_generating(babble: Model) -> None:
    with pytest.raises(PluginError, match="decoder Failing failed: RuntimeError: no idea"):
        measured(babble, decoder=Failing())


def test_a_model_without_a_beginning_of_its_own_goes_on_from_a_word(letter_words: Model) -> None:
    check(measured(letter_words))


def test_the_models_own_choices_are_measured_unless_told_otherwise(babble: Model) -> None:
    [measurement] = benchmark(babble, batch_sizes=[1], tokens=1)
    assert measurement.new_tokens == 12
    assert describe_setup(babble).decoder == "temperature:temperature=1.5"


def test_the_setup_says_what_runs_where(tmp_path: Path) -> None:
    shape = {"architecture": "lstm", "layers": 2, "hidden_size": 8, "embedding_size": 4}
    file = write_model(tmp_path / "m.onnx", card={"architecture": shape}, max_new_tokens=3)
    setup = describe_setup(genrun.load(file, device="cpu", threads=2))
    assert (setup.architecture, setup.vocabulary) == ("2 × lstm 8, embedding 4", 30)
    assert (setup.device, setup.device_reason, setup.threads) == ("cpu", "asked for", 2)
    assert (setup.model, setup.bytes) == (str(file), file.stat().st_size)
    assert setup.cpu
    assert setup.onnxruntime.count(".") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_sizes": [0]}, "batch must be a whole number from 1 to 65,536, not 0"),
        ({"batch_sizes": [4, 10**9]}, "batch must be a whole number from 1 to 65,536, not 1000000000"),
        ({"seconds": 0.0}, "seconds must be a number above 0, not 0.0"),
        ({"seconds": float("nan")}, "seconds must be a number above 0, not nan"),
        ({"tokens": 0}, "tokens must be a whole number from 1 to 1,000,000,000, not 0"),
    ],
)
def test_what_is_not_accepted_is_told_before_anything_is_measured(
    babble: Model, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        benchmark(babble, **arguments)
    assert str(caught.value) == message
    with pytest.raises(OptionError, match="max_new_tokens must be 2 or more, not 1"):
        benchmark(babble, babble.settings(max_new_tokens=1))


def run(*arguments: object) -> tuple[str, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_the_command_prints_a_line_for_each_batch_size_and_says_what_it_measured(babble_file: Path) -> None:
    out, said = run(babble_file, "--batch", 2, "--batch", 1, "--tokens", 9, "--max-new-tokens", 3, "--device", "cpu")
    header, *lines = out.splitlines()
    assert header.split()[:2] == ["batch", "tokens/s"]
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert {len(line) for line in lines} == {len(header)}
    for part in ("vocabulary 14", "temperature:temperature=1.5\n", "cpu (asked for), ", "onnxruntime "):
        assert part in said


def test_json_is_one_object_a_line_with_setup_and_figures(babble_file: Path) -> None:
    out, said = run(babble_file, "--batch", 1, "--batch", 3, "--tokens", 1, "--json", "--decoder", "greedy")
    found = [json.loads(line) for line in out.splitlines()]
    assert said == ""
    assert [line["batch_size"] for line in found] == [1, 3]
    setup = {field.name for field in dataclasses.fields(type(describe_setup(genrun.load(babble_file))))}
    figures = {field.name for field in dataclasses.fields(Measurement)}
    assert setup.isdisjoint(figures)
    assert {*found[0]} == setup | figures
    assert found[0]["decoder"] == "greedy"


def test_an_installed_decoder_is_measured_by_its_name(tmp_path: Path, installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d=DECODER)
    table = -alphabet_table(letters()) - 1
    table[:, : len(SPECIALS)] = 5.0
    file = write_model(tmp_path / "m.onnx", table=table, choosing=True, suppress=())
    out, _ = run(file, "--decoder", "lowest", "--set", "offset=0", "--tokens", 1, "--batch", 2, "--json")
    found = json.loads(out)
    assert (found["decoder"], found["chosen_in"]) == ("acme:lowest:offset=0", "numpy")


def test_the_command_refuses_two_budgets(babble_file: Path) -> None:
    result = CliRunner().invoke(command, [str(babble_file), "--seconds", "1", "--tokens", "1"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give --seconds or --tokens, not both" in result.stderr


def test_help_lists_the_command_with_a_summary() -> None:
    [line] = [line for line in CliRunner().invoke(cli, ["--help"]).stdout.splitlines() if "bench" in line]
    assert len(line.split()) > 3
