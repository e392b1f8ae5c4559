"""The stage ``quotation``: quotation marks are opened before they are closed, and closed before a text ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import genrun
from genrun.model import Model
from genrun.sampling import Candidates
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.marks import JOINER
from genrun_core.reporting.words import has_odd_quotation_marks
from genrun_plugins.decoders.cutting.min_p import MinP
from genrun_plugins.decoders.wording.quotation import Quotation
from support.alphabet import SPECIALS, babble_table, write_model

MARKED = (f'"{JOINER}', f'{JOINER}"', f"“{JOINER}", f"{JOINER}”", "go", "on", "it's")
PLAIN = ('"', "“", "”", "go", "on", "it's")
DRAWN = "quotation,temperature:1.5"


def babbler(path: Path, words: tuple[str, ...], seed: int = 1) -> Model:
    tokenizer = Tokenizer(kind="word", vocabulary=[*(f"<{name}>" for name in SPECIALS), *words], specials=SPECIALS)
    return genrun.load(
        write_model(path / "m.onnx", tokenizer, table=babble_table(len(tokenizer), seed)), device="cpu"
    )


@pytest.mark.parametrize("words", [MARKED, PLAIN])
@pytest.mark.parametrize("seed", range(3))
def test_texts_that_end_have_no_odd_quotation_mark(words: tuple[str, ...], seed: int, tmp_path: Path) -> None:
    model = babbler(tmp_path, words, seed)
    settings = model.settings(decoder=DRAWN, seed=seed, max_new_tokens=200)
    texts = [
        result.text for result in model.generate_many([""], n=200, settings=settings) if result.finish_reason == "end"
    ]
    assert len(texts) > 100
    assert not [text for text in texts if has_odd_quotation_marks(text)]
    assert any("“" in text or '"' in text for text in texts)
    others = model.generate_many([""], n=200, seed=seed, decoder="temperature:1.5", max_new_tokens=200)
    assert any(has_odd_quotation_marks(result.text) for result in others)


def test_a_prompt_that_opens_a_mark_is_closed(tmp_path: Path) -> None:
    model = babbler(tmp_path, PLAIN)
    for result in model.generate_many(['" go', "“ on"], n=50, seed=2, decoder=DRAWN, max_new_tokens=200):
        assert result.finish_reason == "length" or not has_odd_quotation_marks(result.text)


def test_what_would_have_ended_a_text_closes_its_mark() -> None:
    class Words:
        words = ("<end>", *MARKED)
        end_ids = (0,)
        training_runs = None

        def encodings(self, phrase: str) -> list[tuple[int, ...]]:
            raise NotImplementedError

    stage = Quotation().bind(Words())
    logits = np.log(np.arange(1, 9, dtype=np.float32))[None]  # probabilities 1 to 8, of 36
    found = np.exp(stage.apply(Candidates(None, logits, 8), [stage.first([1])], np.zeros(1, np.float32)).logits)
    assert found[0].tolist() == pytest.approx([0, 0, 4, 4, 0, 6, 7, 8], abs=1e-4)


def test_what_is_left_does_not_depend_on_how_the_candidates_are_packed() -> None:
    class Words:
        words = ("<end>", *MARKED, *(f"w{n}" for n in range(700)))
        end_ids = (0,)
        training_runs = None

        def encodings(self, phrase: str) -> list[tuple[int, ...]]:
            raise NotImplementedError

    stage, size = Quotation().bind(Words()), len(Words.words)
    logits = np.random.default_rng(1).normal(0, 3, (2, size)).astype(np.float32)
    logits[:, :4] = 12
    logits[1] = 12  # all of this row is likely, so that a batch with it is not packed
    state, draws = stage.first([1]), np.zeros(2, np.float32)
    narrow = MinP(0.5)
    alone = stage.apply(narrow.apply(Candidates(None, logits[:1], size), [None], draws[:1]), [state], draws[:1])
    both = stage.apply(narrow.apply(Candidates(None, logits, size), [None] * 2, draws), [state] * 2, draws)
    assert alone.ids is not None
    assert both.ids is None
    assert alone.whole()[0].tobytes() == both.whole()[0].tobytes()


def test_a_language_that_closes_with_another_mark_is_left_alone(tmp_path: Path) -> None:
    model = babbler(tmp_path, ("„", "“", "ja"))
    texts = [result.text for result in model.generate_many([""], n=60, seed=1, decoder=DRAWN)]
    assert texts == [result.text for result in model.generate_many([""], n=60, seed=1, decoder="temperature:1.5")]
