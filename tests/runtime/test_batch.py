"""The decoding loop as a decoder sees it: whose turn it is, what it is told, and what it must return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import genrun
from genrun.errors import ModelFileError, OptionError, PluginError
from genrun.generating.batch import Batch, Row
from genrun.generating.draws import uniform_draws
from genrun.generating.scheduling import generate_rows
from genrun.model import Model
from support.alphabet import SPECIALS, alphabet_table, letters, write_model
from support.distributions import DECODER, Site

Logits = NDArray[np.float32]
Ids = NDArray[np.int64]
Histories = Sequence[Ids]


def highest(logits: Logits) -> Ids:
    chosen: Ids = np.argmax(logits, axis=1)
    return chosen


@dataclass(frozen=True)
class Spy:
    """Chooses as greedy does and notes what it was given."""

    histories: list[list[list[int]]] = field(default_factory=list)
    draws: list[list[float]] = field(default_factory=list)

    def choose(self, logits: Logits, tokens: Histories, draws: Logits) -> Ids:
        assert logits.dtype == draws.dtype == np.float32
        assert len(logits) == len(tokens) == len(draws)
        assert tokens[-1].tolist() == tokens[len(tokens) - 1].tolist()
        assert [row.tolist() for row in tokens[:1]] == [tokens[0].tolist()]
        self.histories.append([row.tolist() for row in tokens])
        self.draws.append(draws.tolist())
        return highest(logits)


@dataclass(frozen=True)
class Fixed:
    """Returns whatever it was made with."""

    answer: Callable[[Logits], Any]

    def choose(self, logits: Logits, tokens: Histories, draws: Logits) -> Any:
        return self.answer(logits)


def test_a_decoder_sees_each_rows_own_tokens_prompt_included(alphabet: Model) -> None:
    spy = Spy()
    alphabet.generate_many(["", "yz", "c"], decoder=spy, max_new_tokens=2)
    start, a, b, c, d, z = 2, 4, 5, 6, 7, 29
    assert spy.histories == [
        [[start]],  # the empty prompt is ready first
        [[start, a], [start, c]],
        [[start, z - 1, z], [start, c, d]],
    ]
    assert b not in {token for step in spy.histories for row in step for token in row}


def test_a_decoder_gets_each_rows_own_draws_step_by_step(alphabet: Model) -> None:
    spy = Spy()
    alphabet.generate_many(["ab"], n=2, decoder=spy, max_new_tokens=3, seed=9)
    rows = [uniform_draws(9, sample, alphabet.tokenizer.encode_prompt("ab").ids, 3) for sample in range(2)]
    assert spy.draws == np.stack(rows, axis=1).tolist()


def test_the_tokens_so_far_cannot_be_written_to(alphabet: Model) -> None:
    @dataclass(frozen=True)
    class Meddler:
        def choose(self, logits: Logits, tokens: Histories, draws: Logits) -> Ids:
            tokens[0][0] = 5
            return highest(logits)

    with pytest.raises(PluginError, match=r"decoder Meddler failed: ValueError: .* read-only"):
        alphabet.generate("a", decoder=Meddler())


def test_a_decoder_that_fails_is_named_and_keeps_its_cause(alphabet: Model) -> None:
    def fail(logits: Logits) -> Ids:
        raise ZeroDivisionError("by\n zero")

    with pytest.raises(PluginError) as caught:
        alphabet.generate("a", decoder=Fixed(fail))
    assert str(caught.value) == "decoder Fixed failed: ZeroDivisionError: by zero"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_decoder_may_overwrite_the_logits(alphabet: Model) -> None:
    @dataclass(frozen=True)
    class Wasteful:
        def choose(self, logits: Logits, tokens: Histories, draws: Logits) -> Ids:
            chosen = highest(logits)
            logits[:] = np.nan
            return chosen

    [tidy] = alphabet.generate_many(["a"], seed=1)
    assert alphabet.generate_many(["a"], seed=1, decoder=Wasteful()) == [tidy]
    assert alphabet.generate("a", decoder=Wasteful()) == tidy.text


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("decoder", ["greedy", "temperature", "top-k"])
def test_logits_that_are_no_numbers_are_the_models_error(
    tmp_path: Path, choosing: bool, value: float, decoder: str
) -> None:
    table = alphabet_table(letters())
    table[6, 9] = value  # after a c
    file = write_model(tmp_path / "m.onnx", table=table, choosing=choosing)
    model = genrun.load(file, device="cpu")
    assert model.generate("a", max_new_tokens=2) == "abc"
    message = "the model's logits are not numbers: the file is damaged, or its training went wrong"
    calls: list[Callable[[], object]] = [
        lambda: model.generate("c", decoder=decoder, seed=1),
        lambda: list(model.stream("c", decoder=decoder)),
        lambda: model.generate_many(["m", "c"], decoder=decoder, seed=1),
    ]
    for call in calls:
        with pytest.raises(ModelFileError) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize("token", [0, 1, 2])
def test_a_decoder_that_chooses_a_suppressed_token_is_an_error(alphabet: Model, token: int) -> None:
    decoder = Fixed(lambda logits: np.full(len(logits), token))
    message = "decoder Fixed chose a token that must not be chosen (its logit is minus infinity)"
    with pytest.raises(PluginError) as caught:
        alphabet.generate("a", decoder=decoder)
    assert str(caught.value) == message
    with pytest.raises(PluginError) as caught:
        alphabet.generate_many(["a", "b"], decoder=decoder)
    assert str(caught.value) == message


def test_an_error_of_the_users_in_a_decoder_is_left_as_it_is(alphabet: Model) -> None:
    def refuse(logits: Logits) -> Ids:
        raise OptionError("k is too large for this model")

    with pytest.raises(OptionError, match=r"^k is too large for this model$"):
        alphabet.generate("a", decoder=Fixed(refuse))


def test_rows_are_taken_as_the_batch_has_room(alphabet: Model) -> None:
    rows = [Row((2, 4), repeat(0.0), length) for length in (3, 1, 2, 1, 1)]
    waiting, asked = iter(rows), []

    def take(count: int) -> list[Row]:
        asked.append(count)
        return list(islice(waiting, count))

    batch = Batch(alphabet._session, Fixed(highest), size=2, suppressed_ids=(0, 1, 2))
    finished = list(generate_rows([batch], take))
    assert [rows.index(row) for row in finished] == [1, 0, 2, 3, 4]
    assert asked[0] == 2
    assert max(asked) <= 2
    assert [len(row.new_ids) for row in rows] == [3, 1, 2, 1, 1]
    assert [row.finish_reason for row in rows] == ["length"] * 5
    assert rows[0].new_ids == [5, 6, 7]


def test_what_was_finished_before_a_decoder_failed_is_not_lost(alphabet: Model) -> None:
    answers = iter([highest, highest])
    batch = Batch(alphabet._session, Fixed(lambda logits: next(answers)(logits)), size=2)
    rows = [Row((4,), repeat(0.0), length) for length in (1, 5, 5)]
    batch.admit(rows)
    assert batch.run_steps() == rows[:1]
    for _ in range(2):
        with pytest.raises(PluginError, match="decoder Fixed failed: StopIteration"):
            batch.run_steps()


def test_a_batch_goes_on_while_rows_wait_for_every_free_place(alphabet: Model) -> None:
    rows = [Row((4,), repeat(0.0), length) for length in (1, 3, 3, 9)]
    batch = Batch(alphabet._session, Fixed(highest), size=2)
    batch.admit(rows)
    assert batch.run_steps() == rows[:3]
    assert len(batch) == 1
    assert batch.run_steps() == rows[3:]
    assert len(batch) == 0


def test_a_row_takes_one_draw_for_each_new_token(alphabet: Model) -> None:
    draws = iter([0.25, 0.5, 0.75, 0.125])
    spy, row = Spy(), Row((2, 4), draws, 3)
    batch = Batch(alphabet._session, spy, size=1)
    batch.admit([row])
    while len(batch):
        batch.advance()
    assert spy.draws == [[0.25], [0.5], [0.75]]
    assert next(draws) == 0.125


def test_suppressed_tokens_reach_the_decoder_as_minus_infinity(alphabet: Model) -> None:
    seen: list[Logits] = []

    def note(logits: Logits) -> Ids:
        seen.append(logits.copy())
        return highest(logits)

    alphabet.generate("a", decoder=Fixed(note), max_new_tokens=1)
    assert np.isneginf(seen[0]).nonzero()[1].tolist() == [0, 1, 2]


def test_no_repeat_of_earlier_tokens_can_be_built_on_the_history(letter_words: Model) -> None:
    @dataclass(frozen=True)
    class Fresh:
        def choose(self, logits: Logits, tokens: Histories, draws: Logits) -> Ids:
            for row, seen in zip(logits, tokens, strict=True):
                row[seen] = -np.inf
            return highest(logits[:, 1:]) + 1

    assert letter_words.generate("b", decoder=Fresh(), max_new_tokens=3) == "b c d e"
    assert letter_words.generate("c a b", decoder=Fresh(), max_new_tokens=2) == "c a b d e"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda logits: None, "not None"),
        (lambda logits: [4, 4], "not [4, 4]"),
        (lambda logits: logits, "not float32 [2, 30]"),
        (lambda logits: np.zeros((2, 1), np.int64), "not int64 [2, 1]"),
        (lambda logits: np.array([4]), "not int64 [1]"),
        (lambda logits: np.int64(4), f"not {np.int64(4)!r}"),
        (lambda logits: np.array([4.0, 4.0]), "not float64 [2]"),
        (lambda logits: np.array([True, True]), "not bool [2]"),
    ],
)
def test_a_decoder_that_breaks_its_contract_is_an_error(
    alphabet: Model, answer: Callable[[Logits], Any], message: str
) -> None:
    with pytest.raises(PluginError) as caught:
        alphabet.generate_many(["a", "b"], decoder=Fixed(answer))
    assert str(caught.value) == f"decoder Fixed must return 2 token ids as an integer array, {message}"


@pytest.mark.parametrize(("ids", "wrong"), [([4, 30], 30), ([-1, 4], -1), ([2**40, -3], 2**40)])
def test_a_decoder_that_leaves_the_vocabulary_is_an_error(alphabet: Model, ids: list[int], wrong: int) -> None:
    with pytest.raises(PluginError) as caught:
        alphabet.generate_many(["a", "b"], decoder=Fixed(lambda logits: np.array(ids)))
    assert str(caught.value) == f"decoder Fixed chose the token {wrong}, outside 0 … 29"


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint64, np.intp])
def test_any_integer_array_will_do(alphabet: Model, dtype: type[np.integer[Any]]) -> None:
    decoder = Fixed(lambda logits: np.argmax(logits, axis=1).astype(dtype))
    assert alphabet.generate("a", decoder=decoder) == "abcdef"


def test_a_decoder_object_takes_no_options_beside_it(alphabet: Model) -> None:
    with pytest.raises(OptionError, match=r"options \['k'\] go with a decoder's name, not with a decoder object"):
        alphabet.generate("a", decoder=Spy(), k=3)


def test_an_installed_decoder_is_used_by_name(alphabet: Model, installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d=DECODER)
    assert alphabet.generate("a", settings=alphabet.settings(decoder="lowest", offset=4, max_new_tokens=2)) == "aaa"
    with pytest.raises(PluginError, match=r"decoder Lowest .* chose the token 40, outside 0 … 29"):
        alphabet.generate("a", decoder="lowest", offset=40)  # type: ignore[call-arg]


@pytest.mark.parametrize("specials", [SPECIALS, ("pad",), ("start", "end"), ()])
def test_any_set_of_special_tokens_works(tmp_path: Path, specials: tuple[str, ...]) -> None:
    model = genrun.load(write_model(tmp_path / "m.onnx", letters("char", specials)), device="cpu")
    assert model.generate("ab", max_new_tokens=3) == "abcde"
