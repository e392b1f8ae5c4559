"""The examples in the docstrings of the runtime and of the built-in plugins run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import genrun
import genrun_plugins


def modules_of(package: ModuleType) -> list[str]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [module.name for module in found if not module.name.endswith("__main__")]  # importing that runs it


MODULES = [*modules_of(genrun), *modules_of(genrun_plugins)]


def examples(name: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    runner = doctest.DocTestRunner()
    shown: list[str] = []
    for test in examples(name):
        runner.run(test, out=shown.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(shown)


def test_the_modules_that_teach_by_example_have_examples() -> None:
    taught = {name for name in MODULES if examples(name)}
    assert taught >= {
        "genrun.contracts",
        "genrun.generating.draws",
        "genrun.errors",
        "genrun.options",
        "genrun.registry",
        "genrun.tokenizer.detokenizer",
        "genrun.tokenizer.normalization",
        "genrun.tokenizer.tokenizer",
        "genrun.tokenizer.vocabulary",
        "genrun_plugins.decoders.greedy",
        "genrun_plugins.decoders.temperature",
        "genrun_plugins.decoders.top_k",
    }
