"""What training reads back is what it wrote, or one line that names the file."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genrun
from genrun_core.recipes.recipe import load_recipe, override_recipe
from genrun_core.runs.digests import check_archive, check_value, seal, with_digest
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from support.trained import copy_of_trained, train, weights


@pytest.fixture(scope="module")
def whole(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_trained(
        [samples / "racetrack.txt"], "racetrack", tmp_path_factory.mktemp("whole") / "run", {"epochs": "1"}
    )


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_an_archive_says_when_any_byte_of_it_is_another(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "content")

    path = tmp_path / "a.zip"
    write(path)
    seal(path)
    assert check_archive(path)
    assert zipfile.ZipFile(path).read("a") == b"content"
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        if len(content) - 47 <= at < len(content) - 32:  # the mark itself: as in a file of an older genrun
            assert not check_archive(path)
            continue
        with pytest.raises(genrun.RunFolderError, match=r"a\.zip is damaged: it is not as genrun wrote it$"):
            check_archive(path)
    write(path)
    assert not check_archive(path)


@pytest.mark.parametrize("value", [{"a": 2}, {"b": 1}, {"a": "1"}, {"a": 1, "b": 1}, {}], ids=str)
def test_a_json_object_says_when_a_value_of_it_is_another(value: dict[str, object], tmp_path: Path) -> None:
    whole = with_digest({"a": 1})
    assert check_value(dict(reversed(whole.items())), tmp_path) == {"a": 1}
    assert check_value(value, tmp_path) == value  # an older genrun wrote no digest
    with pytest.raises(genrun.RunFolderError, match="is damaged: it is not as genrun wrote it"):
        check_value({**value, "digest": whole["digest"]}, tmp_path)


def set_token(run: Path, at: int, token: int) -> None:
    ids = np.frombuffer((run / "tokens" / "ids.int32").read_bytes(), "<i4").copy()
    assert ids[at] != token
    ids[at] = token
    (run / "tokens" / "ids.int32").unlink()  # the cache shares it
    (run / "tokens" / "ids.int32").write_bytes(ids.tobytes())


def edit(path: Path, **values: object) -> None:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**content, **values}), "utf-8")


def forget_digests(run: Path) -> None:
    """Make of a run folder one as an older genrun left it."""
    for name in ("corpus.json", "tokenizer.json"):
        content: dict[str, Any] = json.loads((run / name).read_text("utf-8"))
        kept = {key: value for key, value in content.items() if key not in ("digest", "digests")}
        (run / name).write_text(json.dumps(kept), "utf-8")
    lines = (run / "run.toml").read_text("utf-8").splitlines(keepends=True)
    (run / "run.toml").write_text("".join(line for line in lines if not line.startswith("digest")), "utf-8")
    for name in ("model.keras", "checkpoint/latest.npz"):
        archive, mark, _ = (run / name).read_bytes().rpartition(b"genrun blake2b ")
        if mark:
            (run / name).write_bytes(archive[:-2] + b"\0\0")


@pytest.mark.parametrize("token", [1, 12, -1, 2**31 - 1])
def test_a_token_that_is_another_is_never_trained_on(run: Path, token: int) -> None:
    set_token(run, 0, token)
    with pytest.raises(
        genrun.RunFolderError, match=r"tokens/ids\.int32 is damaged: its tokens are not those"
    ) as caught:
        resume(run, epochs=2)
    assert "\n" not in str(caught.value)


def test_a_run_of_an_older_genrun_goes_on_and_a_token_outside_its_vocabulary_is_one_line(
    run: Path, whole: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(whole, tmp_path / "other"))
    forget_digests(run)
    resume(run, epochs=2)
    resume(other, epochs=2)
    assert weights(run) == weights(other)
    set_token(run, 0, 12)
    with pytest.raises(
        genrun.RunFolderError, match=r"ids\.int32 is damaged: token id 12 is outside the vocabulary of 12"
    ):
        resume(run, epochs=3)


def test_a_recipe_that_was_changed_is_one_line_and_what_it_says_of_the_model_may_be_changed(run: Path) -> None:
    settings = run / "run.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('licence = "unspecified"', 'licence = "mine"'), "utf-8")
    assert RunFolder.open(run).recipe().card.licence == "mine"
    settings.write_text(text.replace("hidden_size = 32", "hidden_size = 33"), "utf-8")
    with pytest.raises(genrun.RunFolderError, match=r"run\.toml: .* only the number of epochs can be changed"):
        resume(run, epochs=2)


def test_a_tokenizer_of_another_run_is_one_line(run: Path) -> None:
    opened = RunFolder.open(run)
    value = opened.tokenizer().to_json()
    first, second, *others = value["vocabulary"][1:]
    opened.save_json(opened.tokenizer_file, {**value, "vocabulary": [value["vocabulary"][0], second, first, *others]})
    with pytest.raises(genrun.RunFolderError, match=r"tokenizer\.json is not the one that the tokens were made with"):
        resume(run, epochs=2)


def test_a_checkpoint_of_another_corpus_is_one_line(run: Path, samples: Path, tmp_path: Path) -> None:
    text = (samples / "racetrack.txt").read_text("utf-8")
    (tmp_path / "turned.txt").write_text("\n".join(reversed(text.splitlines())), "utf-8")
    other = train([tmp_path / "turned.txt"], "racetrack", tmp_path / "other", {"epochs": "1"})
    shutil.copy(other / "checkpoint" / "latest.npz", run / "checkpoint" / "latest.npz")
    with pytest.raises(genrun.RunFolderError, match=r"latest\.npz cannot be continued from: .* another corpus"):
        resume(run, epochs=2)


def test_counts_that_are_none_are_one_line(run: Path) -> None:
    for values in ({"documents": -1}, {"dropped": 3}, {"median": "x"}, {"fingerprint": 1}, {"digests": {"a": 1}}):
        forget_digests(run)
        before = (run / "corpus.json").read_bytes()
        edit(run / "corpus.json", **values)
        with pytest.raises(genrun.RunFolderError, match=rf"corpus\.json: '{next(iter(values))}' (cannot|must) be"):
            resume(run, epochs=2)
        (run / "corpus.json").write_bytes(before)


@pytest.mark.parametrize("name", ["model.keras", "tokenizer.json"])
def test_a_damaged_base_is_refused_and_leaves_nothing(name: str, run: Path, samples: Path, tmp_path: Path) -> None:
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    recipe = override_recipe(RunFolder.open(run).recipe(), {"epochs": "1"})
    corpus = [str(samples / "racetrack.txt")]
    with pytest.raises(genrun.RunFolderError, match=rf"run/{name}"):
        train_model(corpus, recipe, tmp_path / "tuned", base=run)
    if name == "tokenizer.json":
        with pytest.raises(genrun.RunFolderError, match=rf"run/{name}"):
            train_model(corpus, load_recipe("racetrack"), tmp_path / "tuned", words_of=run)
    assert not (tmp_path / "tuned").exists()
