"""Plugins from other distributions: installed with pip, listed, used, removed; and none that harms the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.alphabet import words, write_model

if TYPE_CHECKING:
    from end_to_end.conftest import RuntimeEnvironment

    Offer = Callable[..., Path]

LAST_TOKEN = """
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

@dataclass(frozen=True)
class Last:
    def choose(self, logits, tokens, draws):
        return np.full(len(logits), logits.shape[1] - 1)
"""
ONE_DECODER = "[genrun.decoders]\n{name} = {module}:Last\n"
HELLO = """
import click

@click.command()
@click.argument("name")
def hello(name):
    '''Greet someone.'''
    click.echo(f"hello, {name}")
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stays at a word if it may; else goes from "c" to "a", and back and forth between "a" and "b"."""
    table = [[0, 0, 0, 0], [0, 90, 60, 30], [0, 60, 90, 30], [0, 60, 30, 90]]
    path = tmp_path_factory.mktemp("model") / "stay.onnx"
    return write_model(path, words("a", "b", "c", specials=["pad"]), table=table, suppress=["pad"])


@pytest.fixture(scope="module")
def with_example(
    runtime_environment: RuntimeEnvironment, example_wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> RuntimeEnvironment:
    """An environment with the example plugin; --no-index, since genrun already brings all that it needs."""
    environment = runtime_environment.clone(tmp_path_factory.mktemp("environment") / "with-example")
    environment.pip("install", "--no-index", example_wheel)
    return environment


@pytest.fixture
def offer(tmp_path: Path) -> Offer:
    """Return a function that lays out an installed distribution and returns the folder to put on the path."""

    def lay_out(
        distribution: str, source: str, entry_points: str, *, metadata: bool = True, name: str = "last"
    ) -> Path:
        module = distribution.replace("-", "_")
        folder = tmp_path / distribution
        information = folder / f"{module}-1.0.dist-info"
        information.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        (information / "entry_points.txt").write_text(entry_points.format(name=name, module=module))
        if metadata:
            (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        return folder

    return lay_out


def listing(environment: RuntimeEnvironment) -> list[dict[str, Any]]:
    done = environment.run("plugins", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def listed(environment: RuntimeEnvironment, distribution: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in listing(environment) if entry["distribution"] == distribution}


def generate(environment: RuntimeEnvironment, model: Path, *arguments: str) -> str:
    done = environment.run("generate", model, "a", "--quiet", "--seed", "1", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def error(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Return the one line of an error of the data, or with status 2 of an option."""
    assert (done.returncode, done.stdout) == (status, "")
    (line,) = done.stderr.splitlines()
    return line.removeprefix("error: ")


class TestExample:
    def test_is_listed_with_its_owner_and_its_options(self, with_example: RuntimeEnvironment) -> None:
        found = listed(with_example, "genrun-plugin-example")
        assert {(entry["kind"], name) for name, entry in found.items()} == {
            ("reader", "subtitles"),
            ("decoder", "no-repeat"),
        }
        assert (
            found["subtitles"]["options"].items() >= {"sounds": False, "encoding": "utf-8", "skip_bad": False}.items()
        )
        assert found["no-repeat"]["options"] == {"window": 4, "temperature": 1.0}
        for entry, file in ((found["subtitles"], "subtitles.py"), (found["no-repeat"], "no_repeat.py")):
            assert (entry["version"], entry["state"], entry["reason"]) == ("1.0", "available", None)
            assert Path(entry["file"]) == with_example.site_packages / "genrun_plugin_example" / file

    @pytest.mark.parametrize(("window", "text"), [(1, "a b a b a b"), (2, "a b c a b c")])
    def test_decodes(self, with_example: RuntimeEnvironment, model: Path, window: int, text: str) -> None:
        assert generate(with_example, model) == "a a a a a a\n"
        assert generate(with_example, model, "--decoder", "no-repeat", "--set", f"window={window}") == f"{text}\n"

    @pytest.mark.parametrize(
        ("assignment", "problem"),
        [
            ("window=0", "decoder 'no-repeat': window must be 1 or more, not 0"),
            ("window=two", "decoder 'no-repeat': window must be a whole number, not 'two'"),
            ("windw=2", "decoder 'no-repeat' has no option 'windw'; did you mean 'window'?"),
        ],
    )
    def test_refuses_options_like_a_built_in(
        self, with_example: RuntimeEnvironment, model: Path, assignment: str, problem: str
    ) -> None:
        done = with_example.run("generate", model, "a", "-q", "--decoder", "no-repeat", "--set", assignment)
        assert error(done, 2) == problem

    def test_can_be_the_default_of_a_model_that_others_open_too(
        self, with_example: RuntimeEnvironment, runtime_environment: RuntimeEnvironment, tmp_path: Path
    ) -> None:
        model = write_model(
            tmp_path / "m.onnx", words("a", "b", "c", specials=["pad"]), decoder="no-repeat", options={"window": 2}
        )
        assert len(set(generate(with_example, model, "--max-new-tokens", "2").split())) == 3
        assert error(runtime_environment.run("generate", model, "a", "-q"), 2) == (
            "the model's own decoder is not installed; name another: unknown decoder 'no-repeat'; "
            "did you mean 'no-repeat-ngram'?"
        )
        assert generate(runtime_environment, model, "--decoder", "greedy") == "a b c a b c\n"
        assert runtime_environment.run("info", model).returncode == 0

    def test_is_gone_after_pip_uninstall(
        self, runtime_environment: RuntimeEnvironment, example_wheel: Path, model: Path, tmp_path: Path
    ) -> None:
        environment = runtime_environment.clone(tmp_path / "environment")
        before = listing(environment)
        environment.pip("install", "--no-index", example_wheel)
        assert len(listing(environment)) == len(before) + 2
        environment.pip("uninstall", "--yes", "genrun-plugin-example")
        assert listing(environment) == before
        asked = environment.run("generate", model, "a", "-q", "--decoder", "no-repeat")
        assert error(asked, 2) == "unknown decoder 'no-repeat'; did you mean 'no-repeat-ngram'?"

    def test_passes_its_own_tests(self, installed_here: Path, repository: Path, tmp_path: Path) -> None:
        tests = shutil.copytree(repository / "examples" / "genrun-plugin-example" / "tests", tmp_path / "tests")
        done = python_here(installed_here, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", tests)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_trains(
        self,
        installed_here: Path,
        with_example: RuntimeEnvironment,
        samples: Path,
        tmp_path: Path,
    ) -> None:
        sentences = (samples / "racetrack.txt").read_text(encoding="utf-8").splitlines()
        captions = [*sentences, "", "[a horse]"]
        corpus, run, model = tmp_path / "x.srt", tmp_path / "run", tmp_path / "model.onnx"
        text = "\n\n".join(f"1\n00:00:01,000 --> 00:00:02,000\n{caption}" for caption in captions)
        corpus.write_text(text, encoding="utf-8")
        chosen = ("--reader", "subtitles", "--recipe", "racetrack", "--set", "architecture=ngram", "--set")

        wrong = python_here(installed_here, "-m", "genrun", "train", corpus, *chosen, "minimum_length=99", "-o", run)
        assert "dropped: 3 too short, 1 empty, 1 sound); looked for captions below lines such as" in error(wrong)
        assert not run.exists()

        trained = python_here(installed_here, "-m", "genrun", "train", corpus, *chosen, "sounds=false", "-o", run)
        assert (trained.returncode, trained.stdout) == (0, f"{run}\n"), trained.stderr
        assert "5 rows in 1 file: 3 captions (dropped: 1 empty, 1 sound)" in trained.stderr
        exported = python_here(installed_here, "-m", "genrun", "export", run, "-o", model)
        assert exported.returncode == 0, exported.stderr

        prompt = sentences[0].split()[0]
        options = ("--decoder", "no-repeat", "--set", "window=2", "--max-new-tokens", "9", "--json")
        generated = with_example.run("generate", model, prompt, "-q", *options)
        ids = json.loads(generated.stdout)["ids"]
        assert len(ids) == 9
        assert all(token not in ids[max(0, at - 2) : at] for at, token in enumerate(ids))


@pytest.fixture(scope="module")
def installed_here(example_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example, to be put on the path of the environment that runs the tests (it has TensorFlow)."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(example_wheel)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def python_here(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1"}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, encoding="utf-8")


class TestNames:
    def test_a_built_in_name_is_reserved(
        self, runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
    ) -> None:
        environment = runtime_environment.with_plugins(offer("usurper", LAST_TOKEN, ONE_DECODER, name="greedy"))
        entry = listed(environment, "usurper")["greedy"]
        assert entry["state"] == "hidden"
        assert entry["reason"] == "'greedy' is a built-in name; ask for 'usurper:greedy'"
        assert generate(environment, model, "--decoder", "greedy") == "a a a a a a\n"
        assert generate(environment, model, "--decoder", "usurper:greedy") == "a c c c c c\n"

    def test_a_name_offered_twice_is_an_error_on_use(
        self, runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
    ) -> None:
        environment = runtime_environment.with_plugins(
            offer("first-one", LAST_TOKEN, ONE_DECODER), offer("second_one", LAST_TOKEN, ONE_DECODER)
        )
        asked = environment.run("generate", model, "a", "-q", "--decoder", "last")
        problem = "decoder 'last' is offered by more than one distribution; "
        assert error(asked) == problem + "ask for 'first-one:last' or 'second-one:last'"
        assert generate(environment, model, "--decoder", "greedy") == "a a a a a a\n"
        for distribution in ("first-one", "second-one"):
            assert generate(environment, model, "--decoder", f"{distribution}:last") == "a c c c c c\n"
            assert listed(environment, distribution)["last"]["state"] == "hidden"


class TestCommands:
    def test_a_command_is_shown_and_runs(self, runtime_environment: RuntimeEnvironment, offer: Offer) -> None:
        folder = offer("greeter", HELLO, "[genrun.commands]\n{name} = {module}:hello\n", name="hello")
        environment = runtime_environment.with_plugins(folder)
        assert re.search(r"^  hello +\(from greeter 1\.0\)$", environment.run("--help").stdout, re.MULTILINE)
        assert environment.run("hello", "you").stdout == "hello, you\n"
        assert "Greet someone." in environment.run("hello", "--help").stdout
        assert environment.run("hello").returncode == 2
        assert listed(environment, "greeter")["hello"]["file"] == str(folder / "greeter.py")

    def test_a_built_in_command_is_not_replaced(
        self, runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
    ) -> None:
        folder = offer("greeter", HELLO, "[genrun.commands]\n{name} = {module}:hello\n", name="generate")
        environment = runtime_environment.with_plugins(folder)
        assert generate(environment, model) == "a a a a a a\n"
        assert listed(environment, "greeter")["generate"]["state"] == "hidden"

    def test_a_broken_command_is_one_line(self, runtime_environment: RuntimeEnvironment, offer: Offer) -> None:
        folder = offer("broken", "import nowhere", "[genrun.commands]\n{name} = {module}:hello\n", name="hello")
        asked = runtime_environment.with_plugins(folder).run("hello")
        problem = "failed to import: ModuleNotFoundError: No module named 'nowhere'"
        assert error(asked) == f"command 'hello' of broken 1.0 {problem}"


class TestBroken:
    SOURCE = "raise RuntimeError('no\\nway')"
    PROBLEM = "decoder 'last' of broken-one 1.0 failed to import: RuntimeError: no way"

    def test_is_listed_with_the_cause(self, runtime_environment: RuntimeEnvironment, offer: Offer) -> None:
        environment = runtime_environment.with_plugins(offer("broken-one", self.SOURCE, ONE_DECODER))
        entry = listed(environment, "broken-one")["last"]
        assert (entry["state"], entry["reason"]) == ("broken", self.PROBLEM)
        assert entry["raised_at"] == f"{entry['file']}:1"
        assert f"broken: {self.PROBLEM}" in environment.run("plugins").stdout

    def test_is_one_line_when_asked_for(
        self, runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
    ) -> None:
        environment = runtime_environment.with_plugins(offer("broken-one", self.SOURCE, ONE_DECODER))
        assert error(environment.run("generate", model, "a", "-q", "--decoder", "last")) == self.PROBLEM

    @pytest.mark.parametrize("arguments", [["--help"], ["generate", "MODEL", "a", "-q"], ["info", "MODEL"]])
    def test_disturbs_nothing_else(
        self, runtime_environment: RuntimeEnvironment, offer: Offer, model: Path, arguments: Iterable[str]
    ) -> None:
        environment = runtime_environment.with_plugins(offer("broken-one", self.SOURCE, ONE_DECODER))
        given = [str(model) if argument == "MODEL" else argument for argument in arguments]
        done, expected = environment.run(*given), runtime_environment.run(*given)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected.stdout, "")


def options_of(field: str) -> str:
    return LAST_TOKEN.replace("class Last:", f"class Last:\n    a: {field}")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("Last = 3", id="not a class"),
        pytest.param(LAST_TOKEN.replace("@dataclass(frozen=True)", ""), id="not a dataclass"),
        pytest.param("raise SystemExit(3)", id="exits at import"),
        pytest.param(options_of("tuple[str, ...] = field(default_factory=tuple)"), id="made default"),
        pytest.param(options_of("Path = Path()"), id="default that JSON lacks"),
    ],
)
def test_the_list_survives_strange_plugins(
    runtime_environment: RuntimeEnvironment, offer: Offer, source: str
) -> None:
    environment = runtime_environment.with_plugins(offer("strange", source, ONE_DECODER))
    assert listed(environment, "strange").keys() == {"last"}
    assert listed(environment, "genrun") == listed(runtime_environment, "genrun")
    assert environment.run("plugins").returncode == 0


def test_the_remains_of_a_distribution_disturb_nothing(
    runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
) -> None:
    """A folder .dist-info without METADATA: what an interrupted pip uninstall leaves."""
    environment = runtime_environment.with_plugins(offer("remains", LAST_TOKEN, ONE_DECODER, metadata=False))
    assert generate(environment, model, "--decoder", "greedy") == "a a a a a a\n"
    assert listed(environment, "genrun") == listed(runtime_environment, "genrun")


def test_a_decoder_that_fails_at_work_is_one_line(
    runtime_environment: RuntimeEnvironment, offer: Offer, model: Path
) -> None:
    source = LAST_TOKEN.replace("return np.full", "raise ZeroDivisionError('no way')\n        return np.full")
    environment = runtime_environment.with_plugins(offer("failing", source, ONE_DECODER))
    line = error(environment.run("generate", model, "a", "-q", "--decoder", "last"))
    assert line == "decoder Last ('last' of failing 1.0) failed: ZeroDivisionError: no way"
