"""The workflow of the example of GitHub Pages: its commands, options and steps exist and fit together.

``make test-integration-pages`` runs its commands.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from genrun.cli.group import cli
from support.alphabet import write_model
from support.workflow import commands_of, read_workflow


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return read_workflow()


def test_every_option_of_a_genrun_command_exists(workflow: dict[str, Any]) -> None:
    lines = re.findall(r"^ *(genrun .*)", "\n".join(commands_of(workflow).values()), re.MULTILINE)
    lines.append(f"genrun train {workflow['env']['TRAINING']}")
    assert len(lines) == 4
    for line in lines:
        _, name, *words = shlex.split(line)
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


def test_every_variable_is_declared(workflow: dict[str, Any]) -> None:
    commands = "\n".join(commands_of(workflow).values())
    assert set(re.findall(r"\$(\w+)", commands)) == set(workflow["env"])


def test_the_commands_are_a_shell_program(workflow: dict[str, Any]) -> None:
    commands = "\n".join(commands_of(workflow).values())
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)


def test_the_page_that_is_written_is_the_one_that_is_published(workflow: dict[str, Any]) -> None:
    build, deploy = workflow["jobs"]["build"], workflow["jobs"]["deploy"]
    (folder,) = [step["with"]["path"] for step in build["steps"] if "upload-pages-artifact" in step.get("uses", "")]
    assert commands_of(workflow)["Write the page"].endswith(f"--web {folder}")
    assert deploy["needs"] == "build"
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["on"].keys() == {"push", "workflow_dispatch"}
    assert re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+", deploy["steps"][0]["uses"])


def test_with_a_model_file_the_page_needs_no_tensorflow(tmp_path: Path) -> None:
    """``GENRUN: genrun[cpu]`` is enough then."""
    (tmp_path / "packages").mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (tmp_path / "packages" / name).write_text(name)
    write_model(tmp_path / "model.onnx")
    without = "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'onnx', 'tf2onnx', 'pandas']))"
    command = [sys.executable, "-c", f"{without}; from genrun.cli import main; main()", "export", "model.onnx"]
    subprocess.run([*command, "--web", "site", "--onnxruntime-web", "packages"], cwd=tmp_path, check=True)
    assert (tmp_path / "site" / "model.onnx").is_file()


def test_onnxruntime_web_is_the_one_that_the_runtime_asks_for(workflow: dict[str, Any], repository: Path) -> None:
    needed = json.loads((repository / "web" / "package.json").read_text("utf-8"))["dependencies"]
    assert shlex.split(commands_of(workflow)["Install onnxruntime-web"])[-1] == (
        f"onnxruntime-web@{needed['onnxruntime-web']}"
    )
