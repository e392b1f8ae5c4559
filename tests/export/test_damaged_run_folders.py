"""A damaged run folder is one line that says what is damaged, and never another model than the whole one.

The suite tries a sample; ``GENRUN_DAMAGES=350 pytest tests/export/test_damaged_run_folders.py`` tries that many.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import genrun
from genrun_core.evaluation import evaluate
from genrun_core.recipe import override_recipe
from genrun_core.run_folder import RunFolder
from genrun_core.training import resume
from genrun_core.training import train as train_model
from genrun_export.exporting import export
from support.damages import Damage, damages
from support.trained import weights

SAMPLE = 26
CAMPAIGN = int(os.environ.get("GENRUN_DAMAGES", "0"))


@pytest.fixture(scope="module")
def whole(racetrack_run: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that has every file: fine-tuned, one epoch so far."""
    recipe = override_recipe(RunFolder.open(racetrack_run).recipe(), {"epochs": "1"})
    folder = tmp_path_factory.mktemp("whole") / "run"
    return train_model([str(samples / "racetrack.txt")], recipe, folder, base=racetrack_run).path


def resumed(run: Path, samples: Path) -> object:
    resume(run, epochs=2)
    return weights(run)


def exported(run: Path, samples: Path) -> object:
    export(run, run.parent / "model.onnx")
    return genrun.load(run.parent / "model.onnx").card["training"]["weights"]


def evaluated(run: Path, samples: Path) -> object:
    return evaluate(run, [str(samples / "racetrack.txt")]).log_probability


COMMANDS: tuple[Callable[[Path, Path], object], ...] = (resumed, exported, evaluated)


@pytest.fixture(scope="module")
def expected(whole: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """What each command makes of the whole folder."""
    return [command(_copy(whole, tmp_path_factory.mktemp("expected")), samples) for command in COMMANDS]


def _copy(whole: Path, folder: Path) -> Path:
    return Path(shutil.copytree(whole, folder / "run"))


def chosen(run: Path) -> list[Damage]:
    found = list(itertools.islice(damages(run, seed=1), CAMPAIGN or 300))
    return found if CAMPAIGN else random.Random(5).sample(found, SAMPLE)


@pytest.mark.timeout(60 + 60 * CAMPAIGN)
def test_damage_is_one_line_and_never_another_model(
    whole: Path, expected: list[object], samples: Path, tmp_path: Path
) -> None:
    wrong: list[str] = []
    outcomes = {"refused": 0, "works": 0}
    for number, damage in enumerate(chosen(whole)):
        for command, right in zip(COMMANDS, expected, strict=True):
            run = _copy(whole, tmp_path / f"{number}-{command.__name__}")
            damage.apply(run)
            try:
                found = command(run, samples)
            except genrun.GenrunError as error:
                outcomes["refused"] += 1
                if "\n" in str(error) or str(run) not in str(error) or len(str(error)) > 600:
                    wrong.append(f"{damage.name}, {command.__name__}: {error}")
            except BaseException as error:
                wrong.append(f"{damage.name}, {command.__name__}: {type(error).__name__}: {error}")
            else:
                outcomes["works"] += 1
                if found != right and not damage.hidden:
                    wrong.append(f"{damage.name}, {command.__name__}: another result")
            shutil.rmtree(run.parent)
    print(outcomes)
    assert not wrong, "\n".join(wrong)
    assert all(outcomes.values())
