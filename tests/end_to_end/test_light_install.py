"""What people have who only generate: the wheel and onnxruntime, and nothing of the training half."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genrun_core.evaluation.evaluation import evaluate

if TYPE_CHECKING:
    from end_to_end.conftest import RuntimeEnvironment

ALLOWED = {"cython_runtime", "genrun", "genrun_plugins", "numpy", "click", "onnxruntime"}

LOADED = """
import json, runpy, sys
before = set(sys.modules)
{body}
top = {{name.partition(".")[0] for name in set(sys.modules) - before}}
outside = {{name for name in top if name not in sys.stdlib_module_names and not name.startswith("_")}}
print(json.dumps(sorted(outside)))
"""


@pytest.fixture(scope="module")
def bare_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> RuntimeEnvironment:
    """The wheel with neither the cpu nor the gpu extra."""
    from end_to_end.conftest import RuntimeEnvironment

    environment = RuntimeEnvironment.create(tmp_path_factory.mktemp("environment") / "bare")
    environment.pip("install", "--no-compile", wheel)
    return environment


def loaded(environment: RuntimeEnvironment, body: str) -> set[str]:
    """Return the installed packages that ``body`` imports."""
    done = environment.run_python("-c", LOADED.format(body=body))
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*arguments: object) -> str:
    return f"""
sys.argv = ["genrun", *{[str(argument) for argument in arguments]!r}]
try:
    runpy.run_module("genrun", run_name="__main__")
except SystemExit as stop:
    assert not stop.code, stop.code
"""


def test_generating_works_without_tensorflow(runtime_environment: RuntimeEnvironment, racetrack_model: Path) -> None:
    done = runtime_environment.run("generate", racetrack_model, "경마장에", "--max-new-tokens", 4)
    assert (done.returncode, done.stdout) == (0, "경마장에 있는 말이 뛰고 있다\n"), done.stderr
    assert runtime_environment.run("verify", racetrack_model).returncode == 0
    assert runtime_environment.run("info", racetrack_model).returncode == 0


def test_a_model_file_is_evaluated_without_tensorflow(
    runtime_environment: RuntimeEnvironment, racetrack_model: Path, racetrack_run: Path, samples: Path
) -> None:
    """The same figures as those of the run, which needs Keras."""
    corpus = str(samples / "racetrack.txt")
    for how in ("--documents", "--running"):
        result = runtime_environment.run("evaluate", racetrack_model, corpus, "--json", how)
        assert result.returncode == 0, result.stderr
        found = json.loads(result.stdout)
        expected = evaluate(racetrack_run, [corpus], running_text=how == "--running")
        assert found["tokens"] == expected.tokens
        assert found["perplexity"] == pytest.approx(expected.perplexity, rel=1e-3)


def test_importing_genrun_loads_nothing_else(runtime_environment: RuntimeEnvironment) -> None:
    assert loaded(runtime_environment, "import genrun") == {"genrun"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["plugins"], ["doctor"], ["generate", "--help"], ["train", "--help"]],
    ids=" ".join,
)
def test_commands_that_open_no_model_load_no_onnxruntime(
    runtime_environment: RuntimeEnvironment, arguments: list[str]
) -> None:
    allowed = {"genrun", "click"} | ({"genrun_core"} if "train" in arguments else set())
    if arguments[0] in ("plugins", "doctor"):  # they import every plugin, to see whether it works
        allowed = {"genrun", "genrun_plugins", "genrun_core", "genrun_export", "click", "numpy"}
    assert loaded(runtime_environment, command(*arguments)) <= allowed


@pytest.mark.parametrize("decoder", ["greedy", "temperature", "top-k"])
def test_each_built_in_decoder_loads_only_what_is_allowed(
    runtime_environment: RuntimeEnvironment, songs_model: Path, decoder: str
) -> None:
    seen = loaded(runtime_environment, command("generate", songs_model, "i love", "--decoder", decoder))
    assert {"onnxruntime", "numpy", "genrun_plugins"} <= seen <= ALLOWED


def test_the_library_generates_too(runtime_environment: RuntimeEnvironment, songs_model: Path) -> None:
    body = f"import genrun; print(genrun.load({str(songs_model)!r}).generate('i love', seed=1))"
    assert loaded(runtime_environment, body) <= ALLOWED


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "corpus.txt", "-o", "run"], "train"),
        (["export", "run", "-o", "model.onnx"], "train"),
    ],
    ids=["train", "export"],
)
def test_what_the_environment_lacks_is_one_line_with_the_pip_command(
    runtime_environment: RuntimeEnvironment, wheel: Path, racetrack_run: Path, arguments: list[str], extra: str
) -> None:
    arguments = [str(racetrack_run) if argument == "run" else argument for argument in arguments]
    done = runtime_environment.run(*arguments)
    assert done.returncode == 1
    assert done.stderr.endswith(f"pip install '{wheel}[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_without_onnxruntime_there_is_one_line_with_the_pip_command(
    bare_environment: RuntimeEnvironment, wheel: Path, racetrack_model: Path
) -> None:
    assert bare_environment.run("--help").returncode == 0
    done = bare_environment.run("generate", racetrack_model, "경마장에")
    assert done.returncode == 1
    expected = f"pip install '{wheel}[cpu]' (or '{wheel}[gpu]')"
    assert done.stderr == f"error: running a model needs onnxruntime: {expected}\n"


def test_the_doctor_finds_what_the_environment_lacks(
    bare_environment: RuntimeEnvironment, runtime_environment: RuntimeEnvironment
) -> None:
    done = bare_environment.run("doctor")
    assert done.returncode == 1, done.stderr
    assert "not installed, so no model can be run" in done.stdout
    assert done.stdout.endswith("\n1 problem\n")
    done = runtime_environment.run("doctor")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nnothing is wrong\n")


def test_a_csv_corpus_without_pandas_is_one_line(
    bare_environment: RuntimeEnvironment, wheel: Path, samples: Path
) -> None:
    body = (
        "from genrun import ReadReport, registry\n"
        f"next(registry.make_reader('nyt-csv').read([{str(samples / 'headlines')!r}], ReadReport()))"
    )
    done = bare_environment.run_python("-c", body)
    assert f"MissingExtraError: reading CSV files needs pandas: pip install '{wheel}[train]'" in done.stderr


def test_the_page_of_the_package_has_no_link_into_the_repository(runtime_environment: RuntimeEnvironment) -> None:
    [metadata] = runtime_environment.site_packages.glob("genrun-*.dist-info/METADATA")
    about, page = metadata.read_text("utf-8").split("\n\n", 1)
    assert "\nAuthor: " in about
    assert "\nClassifier: Operating System :: POSIX :: Linux\n" in about
    assert "genrun generate" in page
    assert re.findall(r"\]\((?!https://)[^)]*\)", page) == []


def test_the_wheel_holds_every_file_of_its_packages(
    runtime_environment: RuntimeEnvironment, repository: Path
) -> None:
    roots = {"runtime": "genrun", "plugins": "genrun_plugins", "core": "genrun_core", "export": "genrun_export"}
    written = {
        str(file.relative_to(repository / root))
        for root, package in roots.items()
        for file in (repository / root / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    installed = runtime_environment.site_packages
    for part in ("src", "playground"):
        page = repository / "web" / part
        written |= {f"genrun_web/{file.relative_to(page.parent)}" for file in page.rglob("*") if file.is_file()}
    missing = {name for name in written if not (installed / name).exists()}
    assert {"genrun/testing/tiny_model.onnx", "genrun/cli/plugin_packages/templates/stage.template"} <= written
    assert not missing
