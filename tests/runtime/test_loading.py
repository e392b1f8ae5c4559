"""Where a model may be loaded from, and what becomes of it: bytes, files, pickles, and its end."""

from __future__ import annotations

import asyncio
import gc
import io
import pickle
import weakref
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import genrun
from genrun.errors import GenrunError, ModelFileError, OptionError
from genrun.loading.graph.properties import with_digest
from genrun.model import Model

SEED = {"seed": 3, "max_new_tokens": 6}


@pytest.mark.parametrize("trust", ["nothing", "graph"])
def test_a_model_is_loaded_from_memory(babble_file: Path, babble: Model, trust: str) -> None:
    content = babble_file.read_bytes()
    wanted = babble.generate_many(["i", "you"], seed=3)
    for given in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        model = genrun.load(given, device="cpu", trust=trust)  # type: ignore[arg-type]
        assert model.generate_many(["i", "you"], seed=3) == wanted
        assert (model.size, model.tokenizer.vocabulary) == (len(content), babble.tokenizer.vocabulary)


def test_a_file_object_is_read_from_its_position_and_named_in_messages(talker_file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(b"head" + talker_file.read_bytes())
    with packed.open("rb") as file:
        file.seek(4)
        model = genrun.load(file, device="cpu")
    assert model.path == packed
    with packed.open("rb") as file, pytest.raises(ModelFileError, match=r"packed is not a readable ONNX model"):
        genrun.load(file)
    with packed.open("rb") as file:
        file.seek(0, io.SEEK_END)
        with pytest.raises(ModelFileError, match=r"packed is empty"):
            genrun.load(file)
    with packed.open(encoding="latin-1") as text, pytest.raises(OptionError, match="binary mode"):
        genrun.load(text)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match=r"packed: cannot open the model file: .*closed"):
        genrun.load(file)


def test_changed_bytes_are_refused(talker_file: Path) -> None:
    content = with_digest(talker_file.read_bytes())
    assert genrun.load(content, device="cpu").digest.startswith("sha256:")
    changed = bytearray(content)
    changed[content.index(b"genrun.card") + 14] ^= 1
    with pytest.raises(ModelFileError, match=r"^<bytes>.*"):
        genrun.load(changed, device="cpu")  # type: ignore[arg-type]


def test_a_model_says_what_it_is(talker_file: Path) -> None:
    model = genrun.load(talker_file, device="cpu")
    assert repr(model) == f"<Model {str(talker_file)!r}: vocabulary {len(model.tokenizer)}, on cpu>"
    model.close()
    assert repr(model).endswith("on cpu, closed>")
    assert "<bytes>" in repr(genrun.load(talker_file.read_bytes(), device="cpu"))


def test_a_closed_model_answers_nothing_more_and_gives_its_memory_back(talker_file: Path) -> None:
    with genrun.load(talker_file, device="cpu") as model:
        session = weakref.ref(model._session)
        stream = model.stream("the", **SEED)  # type: ignore[arg-type]
        wanted = model.generate("the", **SEED)  # type: ignore[arg-type]
    for call in (model.generate, model.score, model.suggest, lambda text: asyncio.run(model.agenerate(text))):
        with pytest.raises(GenrunError, match="the model is closed"):
            call("the")
    assert "the" + "".join(stream) == wanted  # a call that had begun
    del stream, call
    gc.collect()
    assert session() is None
    model.close()
    assert len(model.tokenizer) == len(model.tokenizer.vocabulary)


def test_a_pickled_model_is_its_file(talker_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(talker_file.parent)
    model = genrun.load(talker_file.name, device="cpu", threads=1)
    monkeypatch.chdir(tmp_path)
    packed = pickle.dumps(model)
    assert len(packed) < 1000
    wanted = model.generate("the", seed=3)
    assert pickle.loads(packed).generate("the", seed=3) == wanted
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(Model.generate, model, "the", seed=3).result() == wanted


def test_a_pickle_of_another_file_or_of_bytes_is_refused(talker_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(with_digest(talker_file.read_bytes()))
    packed = pickle.dumps(genrun.load(file, device="cpu"))
    file.write_bytes(talker_file.read_bytes())
    with pytest.raises(ModelFileError, match="not the file that the pickled model was loaded from"):
        pickle.loads(packed)
    with pytest.raises(OptionError, match=r"<bytes>: .* cannot be pickled; load it from a path"):
        pickle.dumps(genrun.load(file.read_bytes(), device="cpu"))
