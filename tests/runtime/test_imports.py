"""The runtime stays light: what is imported, and who may import whom."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = {
    "genrun": ROOT / "runtime" / "genrun",
    "genrun_plugins": ROOT / "plugins" / "genrun_plugins",
    "genrun_core": ROOT / "core" / "genrun_core",
    "genrun_export": ROOT / "export" / "genrun_export",
}
# Who may import whom among the four; each also itself.
ALLOWED = {
    "genrun": set[str](),
    "genrun_plugins": {"genrun"},
    "genrun_core": {"genrun"},
    "genrun_export": {"genrun", "genrun_core"},
}
HEAVY = {"tensorflow", "keras", "pandas", "onnx", "tf2onnx", "matplotlib", "scipy", "torch"}

REPORT = """
import json, os, sys
before = set(sys.modules)
{code}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
os.write(2, json.dumps(sorted(loaded - set(sys.stdlib_module_names))).encode())
"""


def imported_by(code: str, *arguments: str) -> set[str]:
    """Return the top-level packages outside the standard library that ``code`` brings in, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(code=code), *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return {name for name in json.loads(done.stderr) if "cython" not in name}  # NumPy's, with a version in its name


def test_importing_genrun_imports_nothing_else() -> None:
    assert imported_by("import genrun") == {"genrun"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_click_alone(option: str) -> None:
    code = "from genrun.cli import main\ntry: main()\nexcept SystemExit as stop: assert not stop.code"
    assert imported_by(code, option) <= {"genrun", "click"} | HELPERS


# What numpy, click and onnxruntime themselves bring along; nothing that reads or trains a model.
HELPERS = {"_distutils_hack", "colorama", "coloredlogs", "humanfriendly", "flatbuffers", "google", "packaging"}


@pytest.mark.parametrize("decoder", ["greedy", "temperature", "top-k"])
def test_generating_imports_onnxruntime_and_the_decoders_package(alphabet_file: Path, decoder: str) -> None:
    code = f"import genrun, sys\ngenrun.load(sys.argv[1], device='cpu').generate('a', decoder={decoder!r})"
    loaded = imported_by(code, str(alphabet_file))
    assert loaded.isdisjoint(HEAVY)
    assert {"genrun", "genrun_plugins", "numpy", "onnxruntime"} <= loaded
    assert loaded <= {"genrun", "genrun_plugins", "numpy", "onnxruntime"} | HELPERS


def test_a_decoder_is_imported_alone(alphabet_file: Path) -> None:
    code = (
        "import genrun, sys\n"
        "genrun.load(sys.argv[1], device='cpu').generate('a', decoder='greedy')\n"
        "assert 'genrun_plugins.decoders.greedy' in sys.modules\n"
        "assert 'genrun_plugins.decoders.top_k' not in sys.modules"
    )
    assert "genrun_core" not in imported_by(code, str(alphabet_file))


def test_onnxruntime_is_imported_when_a_model_is_opened_and_not_before() -> None:
    code = "import genrun.model, genrun.scoring.verification, genrun.stepping.session, genrun.loading.metadata"
    assert imported_by(code) <= {"genrun", "numpy"} | HELPERS


def source_files(package: str) -> list[Path]:
    files = sorted(ROOTS[package].rglob("*.py"))
    assert files, f"{package} has no sources in {ROOTS[package]}"
    return files


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and module of every import statement of a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            assert node.module is not None
            yield node.lineno, node.module


def forbidden(package: str, banned: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in source_files(package)
        for line, module in imports_of(path)
        if module.partition(".")[0] in banned
    ]


@pytest.mark.parametrize("package", sorted(ROOTS))
def test_packages_import_only_whom_they_may(package: str) -> None:
    assert forbidden(package, set(ROOTS) - ALLOWED[package] - {package}) == []


def test_the_runtime_never_mentions_a_heavy_package() -> None:
    assert forbidden("genrun", HEAVY) == []


@pytest.mark.parametrize("package", sorted(set(ROOTS) - {"genrun_export"}))
def test_only_the_export_imports_tf2onnx(package: str) -> None:
    assert forbidden(package, {"tf2onnx"}) == []


def test_onnxruntime_is_imported_in_one_place_of_the_runtime() -> None:
    [where] = forbidden("genrun", {"onnxruntime"})  # for type checkers; at run time by name, when a model is opened
    assert where.startswith("runtime/genrun/loading/device.py:")


@pytest.mark.parametrize("package", sorted(ROOTS))
def test_what_a_package_imports_is_seen_by_this_test(package: str) -> None:
    """Guards the test above: the search finds the imports that are known to be there."""
    assert forbidden(package, {"genrun", "genrun_core", "numpy"})
