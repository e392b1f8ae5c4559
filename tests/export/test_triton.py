"""A model repository for Triton: its graph, fed as Triton feeds it, writes the texts of the model file."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest
from click.testing import CliRunner

import genrun
from genrun.cli.group import cli
from genrun.errors import ExportError, OptionError
from genrun_export.triton import export_triton
from support.alphabet import babble_table, random_drift, words, write_model
from support.triton import continuation


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draws from 30 words; how far the text has got matters to every choice."""
    tokenizer = words("the", "council", "ferry", *(f"word{i}" for i in range(27)))
    return write_model(
        tmp_path_factory.mktemp("triton") / "drawn.onnx",
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=random_drift(len(tokenizer)),
        decoder="top-k",
        options={"k": 5, "temperature": 0.7},
        max_new_tokens=9,
        choosing=True,
    )


def test_sequences_of_requests_in_one_batch_have_the_texts_of_the_model_file(
    model_file: Path, tmp_path: Path
) -> None:
    made = export_triton(model_file, tmp_path)
    assert (made.version, made.k, made.temperature) == (1, 5, 0.7)
    session = ort.InferenceSession(str(made.folder / "1" / "model.onnx"), providers=["CPUExecutionProvider"])
    model = genrun.load(model_file, device="cpu")
    prompts = ["the council", "word3", "", "ferry the word1 word2"]
    found = continuation(session, model, prompts, seed=5, temperature=0.7)
    assert found == [list(result.ids) for result in model.generate_many(prompts, seed=5)]


def test_an_export_again_is_the_next_version(model_file: Path, tmp_path: Path) -> None:
    assert [export_triton(model_file, tmp_path).version for _ in range(2)] == [1, 2]
    assert sorted(file.name for file in (tmp_path / "drawn").iterdir()) == ["1", "2", "config.pbtxt"]


def test_what_triton_cannot_have_is_one_line(model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not choose: export its run again"):
        export_triton(write_model(tmp_path / "plain.onnx"), tmp_path)
    named = tmp_path / "my model.onnx"
    named.write_bytes(model_file.read_bytes())
    with pytest.raises(OptionError, match="Triton takes letters, digits"):
        export_triton(named, tmp_path)


def test_the_command_takes_a_model_file_and_says_what_the_graph_cannot_do(tmp_path: Path) -> None:
    tokenizer = words("a", "b", "c")
    decoder = "min-p:0.05,temperature:0.8"
    file = write_model(tmp_path / "chain.onnx", tokenizer, table=babble_table(7), choosing=True, decoder=decoder)
    done = CliRunner().invoke(cli, ["export", str(file), "--triton", str(tmp_path / "repository")])
    assert done.exit_code == 0, done.output
    assert f"{tmp_path}/repository/chain/1\n" in done.output
    assert "note: the decoder of this model is not in its graph: Triton draws from all tokens" in done.output
    refused = CliRunner().invoke(cli, ["export", str(file), "--triton", str(tmp_path), "--quantize", "int8"])
    assert refused.exit_code == 2
    assert "is a model file already" in refused.output
