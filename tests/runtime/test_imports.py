"""The runtime stays light: what a fresh interpreter imports. Who may import whom is held by `make lint`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"tensorflow", "keras", "pandas", "onnx", "tf2onnx", "matplotlib", "scipy", "sklearn", "torch", "tokenizers"}

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
    modules = ("model", "scoring.verification", "generating.stepping.session", "loading.metadata")
    assert imported_by("\n".join(f"import genrun.{module}" for module in modules)) <= {"genrun", "numpy"} | HELPERS


def test_an_author_imports_what_is_needed_and_no_more() -> None:
    assert imported_by("from genrun.plugins import CorpusFile, FileReader, OptionError") == {"genrun"}
    assert imported_by("from genrun.plugins import *") <= {"genrun", "numpy"} | HELPERS


def test_the_fixtures_cost_a_project_that_tests_nothing_of_genrun_only_pytest() -> None:
    pytest_alone = imported_by("import pytest")
    assert imported_by("import genrun.testing, genrun.testing.pytest_plugin") == pytest_alone | {"genrun"}
