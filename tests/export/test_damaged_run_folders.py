"""A damaged run folder is one line that says what is damaged, and never another model than the whole one.

The suite tries a sample, and stops each command where its work would begin.
``GENRUN_DAMAGES=350 pytest tests/export/test_damaged_run_folders.py`` tries that many, to the end.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import genrun
from genrun_core.backend import prepare_backend
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import override_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from genrun_export.exporting import export
from support.damages import Damage, damages
from support.trained import weights

prepare_backend()

from genrun_core.training.stepping.training_loop import Fitting  # noqa: E402
from genrun_export.graph import conversion  # noqa: E402

SAMPLE = 60
CAMPAIGN = int(os.environ.get("GENRUN_DAMAGES", "0"))


class Reached(Exception):
    """A command has read all that it needs."""


@pytest.fixture(scope="module", autouse=True)
def shortened(whole: Path) -> Iterator[None]:
    """In the suite, stop before the first step of a training and before the conversion of an export."""

    def reach(*_: object) -> None:
        raise Reached

    with pytest.MonkeyPatch.context() as patch:
        if not CAMPAIGN:
            patch.setattr(Fitting, "run", reach)
            patch.setattr(conversion, "to_graph", reach)
        yield


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
    return [outcome(command, _copy(whole, tmp_path_factory.mktemp("expected")), samples) for command in COMMANDS]


def _copy(whole: Path, folder: Path) -> Path:
    return Path(shutil.copytree(whole, folder / "run"))


def outcome(command: Callable[[Path, Path], object], run: Path, samples: Path) -> object:
    try:
        return command(run, samples)
    except Reached:
        return "reached"


def chosen(run: Path) -> list[tuple[Damage, int]]:
    """Return damages, each with the number of a command."""
    found = list(itertools.product(itertools.islice(damages(run, seed=1), CAMPAIGN or 300), range(len(COMMANDS))))
    return found if CAMPAIGN else random.Random(5).sample(found, SAMPLE)


@pytest.mark.timeout(120 + 60 * CAMPAIGN)
def test_damage_is_one_line_and_never_another_model(
    whole: Path, expected: list[object], samples: Path, tmp_path: Path
) -> None:
    wrong: list[str] = []
    outcomes = {"refused": 0, "works": 0}
    for damage, number in chosen(whole):
        command, run = COMMANDS[number], _copy(whole, tmp_path)
        damage.apply(run)
        try:
            found = outcome(command, run, samples)
        except genrun.GenrunError as error:
            outcomes["refused"] += 1
            if "\n" in str(error) or str(run) not in str(error) or len(str(error)) > 600:
                wrong.append(f"{damage.name}, {command.__name__}: {error}")
        except Exception as error:
            wrong.append(f"{damage.name}, {command.__name__}: {type(error).__name__}: {error}")
        else:
            outcomes["works"] += 1
            if found != expected[number] and not damage.hidden:
                wrong.append(f"{damage.name}, {command.__name__}: another result")
        shutil.rmtree(run)
    print(outcomes)
    assert not wrong, "\n".join(wrong)
    assert all(outcomes.values())
