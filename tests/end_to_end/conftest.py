"""The wheel, and a clean environment with nothing but it and onnxruntime: what people have who only generate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class RuntimeEnvironment:
    """A virtual environment; ``plugins`` are folders on its PYTHONPATH."""

    python: Path
    plugins: tuple[Path, ...] = ()

    def run(self, *arguments: object, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command genrun with ``arguments`` and return its status, stdout and stderr; warnings are errors."""
        return self.run_python("-m", "genrun", *arguments, input=input)

    def run_python(self, *arguments: object, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the environment's interpreter."""
        settings = {
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
            "PYTHONPATH": os.pathsep.join(map(str, self.plugins)),
        }
        return subprocess.run(
            [self.python, *map(str, arguments)],
            env=_outside() | settings,
            input=input,
            capture_output=True,
            encoding="utf-8",
        )

    def pip(self, *arguments: object) -> None:
        """Run the tests' own pip on this environment, which has none: that saves its installation."""
        pip("--python", self.python, *arguments)

    def with_plugins(self, *folders: Path) -> RuntimeEnvironment:
        """Return the same environment with ``folders`` on its path."""
        return replace(self, plugins=(*self.plugins, *folders))

    @property
    def site_packages(self) -> Path:
        """Where pip installs."""
        return Path(self.run_python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())

    @classmethod
    def create(cls, folder: Path) -> RuntimeEnvironment:
        """Make an empty environment."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        return cls(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))

    def clone(self, folder: Path) -> RuntimeEnvironment:
        """Return a new environment that sees what this one has; what is installed there does not touch this one."""
        fresh = RuntimeEnvironment.create(folder)
        (fresh.site_packages / "original.pth").write_text(f"{self.site_packages}\n", encoding="utf-8")
        return fresh


def _outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def pip(*arguments: object) -> None:
    """Run pip; what it says is shown only where it fails. What PYTHONPATH names must not count as installed."""
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    done = subprocess.run(command, env=_outside(), capture_output=True, encoding="utf-8")
    if done.returncode:
        pytest.fail(f"pip {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}", pytrace=False)


def build_wheel(project: Path, folder: Path, *parts: str) -> Path:
    """Build the wheel of ``project`` (or only its ``parts``) from a copy, so that nothing is written beside it."""
    copy, ignored = folder / "project", shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "node_modules")
    for part in parts or [path.name for path in project.iterdir()]:
        if (project / part).is_dir():
            shutil.copytree(project / part, copy / part, ignore=ignored)
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(project / part, copy / part)
    pip("wheel", "--no-deps", "--wheel-dir", folder / "wheels", copy)
    (built,) = (folder / "wheels").iterdir()
    return built


def build_own_wheel(repository: Path, folder: Path) -> Path:
    """Build the wheel of genrun from the folders that it is made of."""
    sources = ("runtime", "plugins", "core", "export", "web")
    return build_wheel(repository, folder, "setup.cfg", "pyproject.toml", "docs", "LICENSE", *sources)


@pytest.fixture(scope="session")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of genrun."""
    return build_own_wheel(repository, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def runtime_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> RuntimeEnvironment:
    """An environment with ``genrun[cpu]`` from the wheel. Shared by all tests: clone it to install something."""
    environment = RuntimeEnvironment.create(tmp_path_factory.mktemp("environment") / "runtime")
    environment.pip("install", "--no-compile", f"{wheel}[cpu]")
    return environment


@pytest.fixture(scope="session")
def example_wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the example plugin."""
    return build_wheel(repository / "examples" / "genrun-plugin-example", tmp_path_factory.mktemp("example"))
