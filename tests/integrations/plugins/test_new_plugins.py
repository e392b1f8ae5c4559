"""A new plugin of each kind in a clean environment: written, installed, tested, type-checked, used, and removed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from end_to_end.conftest import build_own_wheel
from genrun.cli.plugin_packages.new_project import KINDS
from genrun.contracts.version import CONTRACT, OLDEST
from genrun.testing import tiny_model


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with genrun[cpu] from its wheel, and pip."""

    folder: Path

    def run(self, *command: object, cwd: Path) -> str:
        """Run a program of the environment and return what it prints on stdout; a failure fails the test."""
        program, *arguments = map(str, command)
        scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GENRUN"))}
        environment = {**outside, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
        done = subprocess.run(
            [scripts / program, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def environment(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    wheel = build_own_wheel(repository, tmp_path_factory.mktemp("wheel"))
    made = Environment(tmp_path_factory.mktemp("environment") / "clean")
    subprocess.run([sys.executable, "-m", "venv", made.folder], check=True)
    made.run("python", "-m", "pip", "install", "--quiet", f"{wheel}[cpu]", cwd=made.folder)
    return made


def use(environment: Environment, kind: str, name: str, folder: Path) -> str:
    """Use the plugin as its README says; training, which would need TensorFlow, is left out."""
    generate = ("genrun", "generate", tiny_model(), "the sea", "--seed", 7, "-q")
    if kind == "stage":
        return environment.run(*generate, "--decoder", f"{name}:1.5,top-k:20", cwd=folder)
    if kind == "chooser":
        return environment.run(*generate, "--decoder", f"top-k:20,{name}:0.8", cwd=folder)
    if kind == "constraint":
        return environment.run(*generate, "--constraint", f"{name}:6", cwd=folder)
    if kind == "command":
        return environment.run("genrun", name, tiny_model(), "-n", 2, cwd=folder)
    (folder / "texts.txt").write_text("# no\none line\n", encoding="utf-8")
    code = (
        f"from genrun import plugins; print(*plugins.make_reader({name!r}).read(['texts.txt'], plugins.ReadReport()))"
    )
    return environment.run("python", "-c", code, cwd=folder)


@pytest.mark.parametrize("contract", sorted({OLDEST, CONTRACT}))
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_works_from_beginning_to_end(
    environment: Environment, kind: str, contract: int, tmp_path: Path
) -> None:
    name = f"{kind}-for-{contract}"
    written = environment.run(
        "genrun", "plugins", "new", name, "--kind", kind, "--contract", contract, cwd=tmp_path
    ).strip()
    assert written == f"genrun-plugin-{name}"
    project = tmp_path / written
    added = environment.run("genrun", "install", "--quiet", "--editable", ".[test]", cwd=project)
    assert added.split()[1:5] == [name, f"genrun-plugin-{name}", "0.1.0", "contract"]
    assert added.split()[5] == str(contract)
    assert added.rstrip().endswith("available")
    environment.run("pytest", "-q", "-W", "error", cwd=project)
    environment.run("mypy", cwd=project)
    environment.run("ruff", "check", ".", cwd=project)
    if kind != "command":
        environment.run("genrun", "plugins", "check", name, cwd=tmp_path)
    assert use(environment, kind, name, tmp_path).strip()
    environment.run("genrun", "uninstall", written, cwd=tmp_path)
    environment.run("genrun", "install", f"./{written}", "--quiet", cwd=tmp_path)  # a wheel of it
    assert use(environment, kind, name, tmp_path).strip()
    environment.run("genrun", "uninstall", written, cwd=tmp_path)
    assert name not in environment.run("genrun", "plugins", cwd=tmp_path).split()
