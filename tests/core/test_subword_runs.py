"""Run folders of subwords in four languages: trained, resumed, fine-tuned, counted, exported, and used."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrun
from genrun.scoring.verification import verify
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe, override_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from genrun_export.exporting import export
from support.languages import CORPORA, sentences
from support.trained import train, weights

SMALL = {"hidden_size": "24", "embedding_size": "16", "epochs": "2", "vocabulary_limit": "400", "batch_size": "16"}


def corpus(folder: Path, language: str, every: int = 1) -> Path:
    path = folder / f"{language}.txt"
    path.write_text("\n".join(sentences(language)[::every]), "utf-8")
    return path


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of German subwords, briefly trained."""
    folder = tmp_path_factory.mktemp("german")
    return train([corpus(folder, "german")], "subwords", folder / "run", SMALL)


@pytest.mark.parametrize("language", CORPORA)
def test_counted_texts_are_sentences_of_the_language(language: str, tmp_path: Path) -> None:
    said: list[str] = []
    lines = corpus(tmp_path, language)
    recipe = load_recipe("subwords", {"architecture": "ngram"})
    run = train_model([str(lines)], recipe, tmp_path / "run", say=said.append).path
    assert any("no word is unknown" in line for line in said)
    assert RunFolder.open(run).recipe().model.order == 4
    export(run, tmp_path / "model.onnx")
    model = genrun.load(tmp_path / "model.onnx", device="cpu")
    assert verify(model).passed
    parts = CORPORA[language]
    for result in model.generate_many([""], n=20, seed=1, decoder="top-k", k=2):
        assert result.finish_reason == "end"
        assert result.text.startswith(parts[0])
        assert result.text.endswith(parts[-1])
        assert "\ufffd" not in result.text
    beginning = sentences(language)[7][:5]
    assert model.generate(beginning, seed=1).startswith(beginning)
    whole, exported = (evaluate(path, [str(lines)]) for path in (run, tmp_path / "model.onnx"))
    assert (whole.unknown, exported.unknown) == (0, 0)
    assert exported.bits_per_character == pytest.approx(whole.bits_per_character, rel=1e-4)


def test_a_trained_run_is_exported_and_its_file_agrees(german: Path, tmp_path: Path) -> None:
    report = export(german, tmp_path / "model.onnx")
    assert report is not None
    model = genrun.load(tmp_path / "model.onnx", device="cpu")
    assert len(model.verification.golden) > 10
    assert verify(model).passed
    assert model.generate("„Grüß", seed=1, casing="upper").startswith("„GRÜSS")
    assert model.suggest("Heute haben w", n=1)[0].completes == "w"
    assert model.score("Etwas Unbekanntes: 海!").unknown == ()


def test_a_resume_keeps_the_subwords_and_ends_with_the_same_weights(german: Path, tmp_path: Path) -> None:
    source = corpus(tmp_path, "german")
    still = {**SMALL, "schedule": "constant", "warmup_steps": "0"}
    parts = train([source], "subwords", tmp_path / "parts", {**still, "epochs": "1"})
    whole = train([source], "subwords", tmp_path / "whole", still)
    resume(parts, epochs=2)
    assert weights(parts) == weights(whole)
    tokenizers = [RunFolder.open(path).tokenizer().to_json() for path in (parts, whole, german)]
    assert tokenizers[0] == tokenizers[1] == tokenizers[2]


def test_another_training_takes_the_subwords_of_a_run(german: Path, tmp_path: Path) -> None:
    recipe = override_recipe(RunFolder.open(german).recipe(), {"epochs": "1"})
    source = str(corpus(tmp_path, "korean"))
    tuned = train_model([source], recipe, tmp_path / "tuned", base=german)
    fresh = train_model([source], recipe, tmp_path / "fresh", words_of=german)
    expected = RunFolder.open(german).tokenizer().to_json()
    assert tuned.tokenizer().to_json() == fresh.tokenizer().to_json() == expected
    assert (tuned.corpus() or {})["unknown"] == 0
