"""Quantized model files: what is in them, what they say of themselves, and which are never written."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import genrun
from genrun.cli.info import command as info_command
from genrun_core.backend import prepare_backend

prepare_backend()

from genrun.generating.stepping.session import StepSession  # noqa: E402
from genrun.loading.opening import MappedFile  # noqa: E402
from genrun_core.network.architecture import build_network, fingerprint  # noqa: E402
from genrun_core.recipes.sections import ModelSettings  # noqa: E402
from genrun_core.training.batching.batches import Batch  # noqa: E402
from genrun_export import writing  # noqa: E402
from genrun_export.cli.export import command as export_command  # noqa: E402
from genrun_export.exporting import export  # noqa: E402
from genrun_export.gate.choice_parity import check_choices  # noqa: E402
from genrun_export.gate.greedy import step_by_step  # noqa: E402
from genrun_export.gate.parity import ParityFigures  # noqa: E402
from genrun_export.graph.choosing import add_choosing  # noqa: E402
from genrun_export.graph.matrices import find_matrices  # noqa: E402
from genrun_export.graph.step import make_step  # noqa: E402
from genrun_export.quantizing import quantization_gate  # noqa: E402
from genrun_export.quantizing.activation_ranges import largest_magnitudes  # noqa: E402
from genrun_export.quantizing.quantization import multiplied_values, quantize  # noqa: E402
from genrun_export.quantizing.quantization_gate import QuantizationFigures  # noqa: E402
from genrun_export.quantizing.sample import Sample  # noqa: E402
from support.converted import to_onnx  # noqa: E402
from support.keras_files import load_network  # noqa: E402

KINDS = ("int8", "fp16")
ELEMENT = {"int8": onnx.TensorProto.INT8, "fp16": onnx.TensorProto.FLOAT16}

ARCHITECTURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "two lstm": (
        {"architecture": "lstm", "layers": 2},
        ["recurrent_1.kernel", "recurrent_1.recurrent_kernel", "recurrent_2.kernel", "recurrent_2.recurrent_kernel"],
    ),
    "tied gru with a projection": (
        {"architecture": "gru", "tied": True},
        ["projection", "recurrent_1.kernel", "recurrent_1.recurrent_kernel"],
    ),
    "tied simple-rnn": (
        {"architecture": "simple-rnn", "tied": True, "embedding_size": 16},
        ["recurrent_1.kernel", "recurrent_1.recurrent_kernel"],
    ),
    "tied window": ({"architecture": "window", "window": 3, "tied": True, "embedding_size": 16}, ["hidden"]),
    "window": ({"architecture": "window", "window": 3}, ["hidden"]),
}


@pytest.fixture(scope="module", params=KINDS)
def quantized(request: pytest.FixtureRequest, songs_run: Path) -> tuple[str, Path, QuantizationFigures]:
    """The sample songs as a quantized file, with the figures of its gate."""
    path = songs_run.parent / f"songs-{request.param}.onnx"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "fp16":
            skip_parity(patch)
        figures = export(songs_run, path, request.param).quantization
    assert figures is not None
    return request.param, path, figures


@pytest.fixture
def quick_parity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export without asking Keras."""
    skip_parity(monkeypatch)


def skip_parity(patch: pytest.MonkeyPatch) -> None:
    """Leave out the gate of the float32 step, which other tests hold to Keras: it is slow."""
    figures = ParityFigures(1, 1, 1, 1.0, 8.0, 2.0, 2.0, 0.0, 32, 32, 16, (1, 16))
    patch.setattr(writing, "check_parity", lambda *_: (figures, [()] * 32))


def test_a_quantized_file_reproduces_its_golden_texts_and_generates(
    quantized: tuple[str, Path, QuantizationFigures],
) -> None:
    model = genrun.load(quantized[1])
    assert genrun.verify(model).passed
    texts = [result.text for result in model.generate_many(["the sea", "my love"], n=8, seed=3)]
    alone = [result.text for result in model.generate_many(["the sea", "my love"], n=8, seed=3, batch_size=1)]
    assert texts == alone
    assert len(set(texts)) > 8


def test_a_quantized_graph_chooses_what_the_decoders_choose(
    quantized: tuple[str, Path, QuantizationFigures],
) -> None:
    model = genrun.load(quantized[1], device="cpu")
    prompts = [text.prompt_ids for text in model.verification.golden]
    suppressed = model.defaults.suppressed_ids
    check_choices(model._session, prompts, count=30, batch_sizes=(1, 5), suppressed_ids=suppressed)


def test_changed_weights_are_noticed_although_more_is_allowed(
    quantized: tuple[str, Path, QuantizationFigures], tmp_path: Path
) -> None:
    proto = onnx.load(quantized[1])
    [logits] = (tensor for tensor in proto.graph.initializer if tensor.name == "logits.stored")
    logits.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(logits), logits.name))
    onnx.save(proto, tmp_path / "altered.onnx")
    with pytest.raises(genrun.ModelFileError, match="is damaged"):
        genrun.load(tmp_path / "altered.onnx")
    assert not genrun.verify(genrun.load(tmp_path / "altered.onnx", trust="graph")).passed


def test_the_figures_are_measured_on_held_out_documents_and_hold(
    quantized: tuple[str, Path, QuantizationFigures], songs_model: Path
) -> None:
    kind, path, figures = quantized
    assert (figures.kind, figures.sample, figures.allowed_ratio) == (kind, "held-out", 1.01)
    assert 0.9 < figures.ratio <= 1.01
    assert figures.ratio == figures.perplexity / figures.float32_perplexity
    assert figures.documents > 1
    assert figures.tokens > figures.documents
    former = songs_model.stat().st_size
    assert figures.float32_bytes == pytest.approx(former, rel=0.05)  # golden texts may be shorter
    assert path.stat().st_size < figures.float32_bytes


def test_the_figures_are_in_the_file_and_shown(quantized: tuple[str, Path, QuantizationFigures]) -> None:
    _, path, figures = quantized
    shown = CliRunner().invoke(info_command, [str(path), "--json"])
    assert json.loads(shown.output)["quantization"] == figures.to_json()
    assert "quantization\n  kind " in CliRunner().invoke(info_command, [str(path)]).output
    assert genrun.load(path).verification.logit_tolerance == 0.1


def test_a_float32_file_says_nothing_of_quantization(songs_model: Path) -> None:
    shown = CliRunner().invoke(info_command, [str(songs_model), "--json"])
    assert "quantization" not in json.loads(shown.output)
    [record] = (item.value for item in onnx.load(songs_model).metadata_props if item.key == "genrun.verification")
    assert json.loads(record).keys() == {"figures", "golden"}


def test_matrices_are_small_and_nothing_else_has_changed(
    quantized: tuple[str, Path, QuantizationFigures], songs_model: Path
) -> None:
    kind, path, _ = quantized
    small, large = onnx.load(path).graph, onnx.load(songs_model).graph
    assert {tensor.data_type for tensor in small.initializer if len(tensor.dims) == 2} == {
        ELEMENT[kind],
        onnx.TensorProto.DOUBLE,  # the default draw
    }
    assert list(small.input) == list(large.input)
    assert list(small.output) == list(large.output)
    [chooser], [former] = ([node for node in graph.node if node.op_type == "If"] for graph in (small, large))
    assert chooser == former
    assert {node.domain for node in small.node} == {""}


def test_rows_are_the_same_in_any_batch(quantized: tuple[str, Path, QuantizationFigures]) -> None:
    """No scale may depend on what else is in the batch: whole numbers are the same to the bit."""
    kind, path, _ = quantized
    session = genrun.load(path, device="cpu")._session
    random = np.random.default_rng(0)
    states = [random.uniform(-1, 1, state.shape).astype(np.float32) for state in session.initial_states(7)]
    tokens = random.integers(0, session.vocabulary, 7)
    together, _ = session.step(tokens, states)
    for row in range(7):
        alone, _ = session.step(tokens[[row]], [state[[row]] for state in states])
        np.testing.assert_allclose(alone[0], together[row], rtol=0, atol=0 if kind == "int8" else 1e-5)


@pytest.mark.parametrize(("settings", "inner"), ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_every_architecture_computes_nearly_the_same(
    settings: Mapping[str, Any], inner: list[str], tmp_path: Path
) -> None:
    network = build_network(ModelSettings(**{"embedding_size": 8, "hidden_size": 16, **settings}), 40)
    random = np.random.default_rng(0)
    network.set_weights([random.uniform(-0.7, 0.7, weight.shape) for weight in network.get_weights()])
    step = to_onnx(make_step(network))
    add_choosing(step, [0])
    matrices = find_matrices(step.graph, network)
    ends = ["embedding"] if settings.get("tied") else ["embedding", "logits"]
    assert sorted(matrix.name for matrix in matrices) == sorted([*inner, *ends])
    tokens = random.integers(0, 40, (5, 7), np.int32)
    session = opened(step, tmp_path / "float32.onnx")
    sample = Sample((Batch(tokens[:, :-1], tokens[:, 1:]),), 5, 30, held_out=False, carries=False)
    ranges = largest_magnitudes(step, session, multiplied_values(step.graph, matrices), sample)
    reference = np.stack(list(step_by_step(session, tokens.tolist())))
    for kind, share in (("int8", 0.03), ("fp16", 0.002)):
        small = quantize(step, kind, matrices, ranges)
        stored = [tensor for tensor in small.graph.initializer if tensor.data_type == ELEMENT[kind]]
        assert len(stored) == len(matrices)  # tied vectors once
        found = np.stack(list(step_by_step(opened(small, tmp_path / f"{kind}.onnx"), tokens.tolist())))
        assert 0 < np.abs(found - reference).max() < share * np.abs(reference).max()


def opened(step: onnx.ModelProto, path: Path) -> StepSession:
    onnx.save(step, path)
    session = StepSession(MappedFile(path), device="cpu")
    session.bind(40)
    return session


@pytest.mark.usefixtures("quick_parity")
def test_a_quantization_that_harms_is_refused_and_leaves_what_was_there(
    racetrack_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization_gate, "ALLOWED_RATIO", 0.5)
    (tmp_path / "model.onnx").write_bytes(b"genrun.format_version: the older export")
    with pytest.raises(genrun.ExportError, match=r"^refused: with int8 the perplexity on 3 training documents is"):
        export(racetrack_run, tmp_path / "model.onnx", "int8")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"genrun.format_version: the older export"]


def with_outlier(run: Path, copy: Path) -> Path:
    """Copy a run, with an enormous vector for the padding, which is never read: float32 computes the same."""
    shutil.copytree(run, copy)
    network = load_network(copy / "model.keras")
    vectors, *others = network.get_weights()
    vectors[0] = 3e4
    network.set_weights([vectors, *others])
    network.save(copy / "model.keras")
    card = json.loads((copy / "card.json").read_text("utf-8"))
    card["training"]["weights"] = fingerprint(network)
    (copy / "card.json").write_text(json.dumps(card), "utf-8")
    return copy


@pytest.mark.usefixtures("quick_parity")
def test_a_layer_that_an_outlier_spoils_stays_float32(racetrack_run: Path, tmp_path: Path) -> None:
    figures = export(with_outlier(racetrack_run, tmp_path / "run"), tmp_path / "model.onnx", "int8").quantization
    assert figures is not None
    assert figures.float32_layers == ("embedding",)
    assert figures.ratio <= 1.01
    stored = {tensor.name: tensor.data_type for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer}
    assert list(stored.values()).count(ELEMENT["int8"]) == 3  # two kernels, and the logits
    assert genrun.verify(genrun.load(tmp_path / "model.onnx")).passed


@pytest.mark.usefixtures("quick_parity")
def test_the_command_shows_the_figures_and_replaces_an_older_file(racetrack_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.onnx"
    sizes = []
    for kind in ("int8", "fp16"):
        done = CliRunner().invoke(export_command, [str(racetrack_run), "-o", str(output), "--quantize", kind])
        assert done.exit_code == 0, done.output
        assert done.stdout == f"{output}\n"
        figures = genrun.load(output).verification.quantization
        assert figures["kind"] == kind
        assert done.stderr.splitlines()[1].startswith(f"{kind}: perplexity {figures['perplexity']:.5g}, float32 ")
        assert " on 3 training documents, " in done.stderr
        assert "; left in float32: none; " in done.stderr
        size, former = output.stat().st_size, figures["float32_bytes"]
        assert f"; {size:,} bytes of {former:,}, ratio {size / former:.3f}\n" in done.stderr
        assert figures.keys().isdisjoint({"bytes", "size_ratio"})  # a file does not hold its own size
        sizes.append(size)
    assert sizes[0] != sizes[1]


def test_other_numbers_are_refused(racetrack_run: Path, tmp_path: Path) -> None:
    arguments = [str(racetrack_run), "-o", str(tmp_path / "model.onnx"), "--quantize", "int4"]
    refused = CliRunner().invoke(export_command, arguments)
    assert refused.exit_code == 2
    assert "'int4' is not one of 'int8', 'fp16'" in refused.stderr
    with pytest.raises(genrun.OptionError, match="quantize must be int8 or fp16, not 'int4'"):
        export(racetrack_run, tmp_path / "model.onnx", "int4")
    assert list(tmp_path.iterdir()) == []


def test_figures_in_one_line(quantized: tuple[str, Path, QuantizationFigures]) -> None:
    layers = ("embedding", "logits")
    line = str(dataclasses.replace(quantized[2], float32_layers=layers, documents=1234))
    assert "on 1,234 held-out documents" in line
    assert line.endswith("; left in float32: embedding, logits")
