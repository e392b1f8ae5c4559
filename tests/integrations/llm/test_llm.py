"""The real ``llm`` runs genrun model files, on its command line and in programs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from llm.cli import cli
from llm_genrun import AsyncGenrun, Genrun

import genrun
from support.constraints import line_model
from support.serving import served

Llm = Callable[..., Result]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> genrun.Model:
    """A model of words, commas and line breaks, which draws at random."""
    return line_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which llm keeps its files."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "user"))
    return tmp_path / "user"


@pytest.fixture
def run(user: Path) -> Llm:
    """What runs the command llm."""
    return lambda *arguments: CliRunner().invoke(cli, [str(each) for each in arguments], input="")


@pytest.fixture
def added(run: Llm, model: genrun.Model) -> Llm:
    """The same, with the model file added as genrun-lines."""
    done = run("genrun", "add", model.path)
    assert (done.exit_code, done.stdout) == (0, "genrun-lines\n"), done.stderr
    return run


def output(done: Result) -> str:
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def error(done: Result) -> str:
    assert done.exit_code != 0
    (line,) = done.stderr.splitlines()
    return line


def test_the_command_prints_the_continuation_that_genrun_generates(added: Llm, model: genrun.Model) -> None:
    expected = model.generate("the old", seed=7)
    continuation = expected.removeprefix("the old")
    for how in ((), ("--no-stream",), ("--async",)):
        assert output(added("-m", "genrun-lines", "the old", "-o", "seed", 7, *how)) == f"{continuation}\n"
    assert output(added("-m", "genrun-lines", "the old", "-o", "seed", 7, "-o", "whole", 1)) == f"{expected}\n"
    (logged,) = json.loads(output(added("logs", "-n", 1, "--json")))
    [result] = model.generate_many(["the old"], seed=7)
    assert (logged["input_tokens"], logged["output_tokens"]) == (3, len(result.ids))
    assert logged["response_json"].items() >= {"seed": 7, "finish_reason": result.finish_reason}.items()


def test_a_seed_that_was_drawn_is_logged(added: Llm, model: genrun.Model) -> None:
    text = output(added("-m", "genrun-lines", "the old", "-o", "whole", 1))
    (logged,) = json.loads(output(added("logs", "-n", 1, "--json")))
    assert model.generate("the old", seed=logged["response_json"]["seed"]) + "\n" == text


@pytest.mark.parametrize("how", ["--no-stream", "--async"])
def test_options_are_those_of_genrun(added: Llm, model: genrun.Model, how: str) -> None:
    given = {"decoder": "top-k:4", "constraint": "words:4", "max_tokens": 12, "seed": 3, "casing": "title"}
    arguments = [each for name, value in given.items() for each in ("-o", name, value)]
    text = output(added("-m", "genrun-lines", "the old", "-o", "whole", 1, how, *arguments)).removesuffix("\n")
    choices = {name.replace("max_tokens", "max_new_tokens"): value for name, value in given.items()}
    assert text == model.generate("the old", **choices)  # type: ignore[arg-type]
    assert len(text.replace(",", "").split()) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "decoder", "gredy"), "Error: unknown decoder 'gredy'; did you mean 'greedy'?"),
        (("-o", "temperature", "0"), "Error: decoder 'temperature': temperature must be a number above 0, not 0.0"),
        (("-o", "max_tokens", "0"), "Error: max_new_tokens must be a whole number from 1 to 1,000,000, not 0"),
        (("-o", "constraint", "words:99"), "Error: the constraint cannot be met: part 1, character 1"),
        (("-s", "Be kind"), "Error: genrun-lines continues texts; it has no system prompt"),
        (("-c",), "Error: Genrun: genrun-lines does not support conversations"),
    ],
)
def test_what_is_wrong_is_one_line(added: Llm, arguments: tuple[str, ...], message: str) -> None:
    output(added("-m", "genrun-lines", "the old", "-o", "seed", "1"))
    assert error(added("-m", "genrun-lines", "the old", *arguments)).startswith(message)


def test_files_are_added_listed_and_removed(added: Llm, model: genrun.Model, user: Path, tmp_path: Path) -> None:
    assert "there is a model genrun-lines already" in error(added("genrun", "add", model.path))
    assert added("genrun", "add", model.path, "--replace").exit_code == 0
    assert added("genrun", "add", model.path, "--link", "--name", "linked").exit_code == 0
    assert "'a b' is no name" in error(added("genrun", "add", model.path, "--name", "a b"))
    (tmp_path / "no.onnx").write_bytes(b"no model")
    assert "no.onnx is not a readable ONNX model" in error(added("genrun", "add", tmp_path / "no.onnx"))
    assert "cannot open the model file" in error(added("genrun", "add", tmp_path / "nothere.onnx"))
    listed = output(added("genrun", "list")).splitlines()
    assert [line.split()[0] for line in listed] == ["genrun-lines", "genrun-linked"]
    assert listed[1].endswith(f"-> {model.path.resolve()}")
    names = output(added("models", "list", "-q", "genrun"))
    assert "Genrun: genrun-lines" in names
    assert "Genrun: genrun-linked" in names
    output(added("genrun", "remove", "genrun-linked"))
    assert error(added("genrun", "remove", "linked")) == ("Error: there is no model genrun-linked; there are: lines")
    assert {path.name for path in Path(output(added("genrun", "folder")).strip()).iterdir()} == {"lines.onnx"}
    assert model.path.exists()


def test_a_file_that_is_gone_disturbs_no_other_command(added: Llm, user: Path) -> None:
    (user / "genrun" / "gone.onnx").symlink_to(user / "nowhere.onnx")
    assert "genrun-gone  missing" in output(added("genrun", "list"))
    output(added("-m", "genrun-lines", "the old"))
    assert "cannot open the model file" in error(added("-m", "genrun-gone", "the old"))


def test_programs_get_pieces(added: Llm, model: genrun.Model) -> None:
    asked = Genrun("lines", model.path)
    response = asked.prompt("the old", seed=7)
    pieces = list(response)
    assert pieces == list(model.stream("the old", seed=7))
    assert len(pieces) > 1
    assert response.text() == "".join(pieces)


def test_async_programs_get_pieces_and_may_leave(model: genrun.Model) -> None:
    asked = AsyncGenrun("lines", model.path)

    async def pieces(seed: int) -> list[str]:
        return [piece async for piece in asked.prompt("the old", seed=seed)]

    async def together() -> list[list[str]]:
        return await asyncio.gather(*map(pieces, range(5)))

    assert asyncio.run(together()) == [list(model.stream("the old", seed=seed)) for seed in range(5)]
    left = iter(Genrun("lines", model.path).prompt("the old", seed=7))
    assert next(left) == next(iter(model.stream("the old", seed=7)))
    del left


def test_the_command_works_in_a_process_of_its_own(added: Llm, model: genrun.Model) -> None:
    command = [sys.executable, "-m", "llm", "-m", "genrun-lines", "the old", "-o", "seed", "7", "-o", "whole", "1"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr) == (model.generate("the old", seed=7) + "\n", "")


def test_other_commands_do_not_import_genrun(added: Llm) -> None:
    code = (
        "import sys, llm.cli; llm.get_models(); "
        "print([name for name in ('genrun', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout == "[]\n"


def test_the_command_completes_with_a_model_behind_a_server(run: Llm, model: genrun.Model, user: Path) -> None:
    user.mkdir()
    with served(f"lines={model.path}", "--log", "none") as server:
        known = f"- {{model_id: far, model_name: lines, api_base: '{server.address}/v1', completion: true}}\n"
        (user / "extra-openai-models.yaml").write_text(known)
        continuation = model.generate("the old", seed=7).removeprefix("the old")
        for how in ((), ("--no-stream",)):
            assert output(run("-m", "far", "the old", "-o", "seed", 7, *how)) == f"{continuation}\n"
