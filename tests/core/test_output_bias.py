"""After training, whole groups of tokens are as likely as held-out documents say, and nothing is done twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from genrun_core.backend import prepare_backend

prepare_backend()

from genrun_core.network.body_and_head import Head  # noqa: E402
from genrun_core.runs.run_folder import RunFolder  # noqa: E402
from genrun_core.training.adjusting.output_bias import balance_output, groups_of  # noqa: E402
from genrun_core.training.train import resume  # noqa: E402
from support.tiny import VOCABULARY, fitting_of  # noqa: E402
from support.trained import train, weights  # noqa: E402

UNKNOWN, END = 1, 3
GROUPS = groups_of(np.arange(VOCABULARY), (END, UNKNOWN))


@pytest.mark.parametrize("running", [False, True])
def test_a_group_that_was_made_too_likely_becomes_as_likely_as_it_is(running: bool) -> None:
    fitting = fitting_of([12] * 90, held_out=60, running_text=running)
    before = balance_output(fitting.network, fitting.validation, GROUPS, UNKNOWN)
    assert before is not None
    bias = Head(fitting.network).bias
    tilted = np.asarray(bias) + 2.0 * (GROUPS[END] == GROUPS)
    bias.assign(tilted)
    after = balance_output(fitting.network, fitting.validation, GROUPS, UNKNOWN)
    assert after is not None
    assert after.before > after.after + 0.05
    assert after.after == pytest.approx(before.after, abs=0.01)
    measured = balance_output(fitting.network, fitting.validation, GROUPS, UNKNOWN, fit=False)
    assert measured is not None
    assert (measured.before, measured.known) == pytest.approx((after.after, after.known), abs=1e-5)
    assert fitting.evaluate()["val_loss"] == pytest.approx(after.after, abs=1e-5)


def test_how_likely_unknown_words_are_together_stays() -> None:
    fitting = fitting_of([12] * 90, held_out=60)
    losses = []
    for tilt in (0.0, 3.0):
        bias = Head(fitting.network).bias
        bias.assign(np.asarray(bias) + tilt * (np.arange(VOCABULARY) == UNKNOWN))
        share = np.asarray(_probabilities(fitting))[:, UNKNOWN].mean()
        balance_output(fitting.network, fitting.validation, GROUPS, UNKNOWN)
        assert np.asarray(_probabilities(fitting))[:, UNKNOWN].mean() == pytest.approx(share, rel=0.01)
        losses.append(share)
    assert losses[1] > 2 * losses[0]


def _probabilities(fitting: object) -> object:
    import tensorflow as tf

    found = [
        tf.nn.softmax(tf.reshape(fitting.network(batch.inputs, training=False), [-1, VOCABULARY]))  # type: ignore[attr-defined]
        for batch in fitting.validation.in_order()  # type: ignore[attr-defined]
    ]
    return tf.concat(found, 0)


def test_without_held_out_documents_nothing_is_balanced() -> None:
    fitting = fitting_of([12] * 9)
    assert balance_output(fitting.network, fitting.validation, GROUPS, UNKNOWN) is None


def test_a_training_that_is_finished_again_leaves_the_same_network(samples: Path, tmp_path: Path) -> None:
    settings = {"reader": "nyt-csv", "hidden_size": "16", "embedding_size": "16", "epochs": "2", "counting": "false"}
    run = train([samples / "headlines"], "default", tmp_path / "run", settings)
    card, balanced = RunFolder.open(run).card(), weights(run)
    assert card["training"]["val_loss"] != pytest.approx(float(_last(run)["val_loss"]), abs=1e-6)
    killed = tmp_path / "killed"
    shutil.copytree(run, killed)
    (killed / "loss.png").unlink()  # as after a kill in the middle of what follows the last epoch
    (killed / "card.json").write_bytes((run / "card.json").read_bytes())
    resume(killed)
    assert weights(killed) == balanced
    again = RunFolder.open(killed).card()
    assert again["training"]["weights"] == card["training"]["weights"]
    assert again["training"]["val_loss"] == pytest.approx(card["training"]["val_loss"], abs=1e-5)


def _last(run: Path) -> dict[str, str]:
    from support.trained import metrics

    return metrics(run)[-1]


def test_a_finished_run_that_goes_on_without_a_better_epoch_can_be_exported_meanwhile(
    samples: Path, tmp_path: Path
) -> None:
    from genrun_core.training.saving.recorder import _of_same_network

    settings = {"reader": "nyt-csv", "hidden_size": "16", "embedding_size": "16", "epochs": "2"}
    folder = RunFolder.open(train([samples / "headlines"], "default", tmp_path / "run", settings))
    finished = folder.card()
    raw = {**finished, "training": {**finished["training"], "weights": "of the checkpoint", "val_loss": 9.0}}
    del raw["counting"]
    assert _of_same_network(raw, folder) == finished
    folder.card_file.unlink()
    assert _of_same_network(raw, folder) == raw
