"""What a model generates: texts, finish reasons, stops, unknown words, results; on texts that can be foretold."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genrun
from genrun.errors import OptionError, UnknownPluginError
from genrun.generating.stepping.bound_step import BoundStep
from genrun.model import Model
from genrun.results import Result, UnknownWordsWarning
from support.alphabet import alphabet_table, babble_table, letters, random_drift, words, write_model
from support.distributions import DECODER, Site


def one(model: Model, prompt: str, **choices: object) -> Result:
    [result] = model.generate_many([prompt], **choices)  # type: ignore[arg-type]
    return result


def test_a_prompt_is_continued_by_as_many_tokens_as_asked(alphabet: Model) -> None:
    assert alphabet.generate("abc", max_new_tokens=4) == "abcdefg"
    assert alphabet.generate("m") == "mnopqr"  # the model's own length is 5
    assert alphabet.generate() == "abcde"


def test_an_end_token_ends_the_text_and_is_not_shown(alphabet: Model) -> None:
    result = one(alphabet, "wx", max_new_tokens=9)
    assert (result.text, result.continuation, result.finish_reason) == ("wxyz", "yz", "end")
    assert result.ids == (28, 29, 3)


def test_finish_reasons_say_why_a_text_ended(alphabet: Model) -> None:
    assert one(alphabet, "a", max_new_tokens=2).finish_reason == "length"
    assert one(alphabet, "a", stop="c").finish_reason == "stop"
    assert one(alphabet, "z").finish_reason == "end"
    # the last token allowed may also be the end, or complete a stop text
    assert one(alphabet, "z", max_new_tokens=1).finish_reason == "end"
    assert one(alphabet, "a", max_new_tokens=1, stop="b").finish_reason == "stop"


def test_the_state_of_the_prompt_is_carried_into_the_text(tmp_path: Path) -> None:
    tokenizer = letters()
    tiring = np.zeros(len(tokenizer))
    tiring[3] = 2.1  # <end> overtakes the next letter after five tokens
    file = write_model(tmp_path / "tiring.onnx", tokenizer, drift=tiring, max_new_tokens=50)
    model = genrun.load(file, device="cpu")
    assert [model.generate(prompt) for prompt in ("", "a", "abc", "mn", "abcdefgh")] == [
        "abcde",
        "abcde",
        "abcde",
        "mnopq",
        "abcdefgh",
    ]


@pytest.mark.parametrize(
    ("stops", "text", "continuation"),
    [
        ("f", "abcde", "de"),
        ("efg", "abcd", "d"),
        (["zz", "ef"], "abcd", "d"),
        (["g", "fgh", "efghi"], "abcdef", "def"),  # g is complete before the others are
        ("d", "abc", ""),
        ("abc", "abcdefgh", "defgh"),  # in the prompt it does not count
        ("cd", "abcdefgh", "defgh"),
        ("hi", "abcdefgh", "defgh"),  # only begun: nothing is cut
    ],
)
def test_a_stop_text_is_cut_off_with_what_follows(
    alphabet: Model, stops: str | list[str], text: str, continuation: str
) -> None:
    result = one(alphabet, "abc", stop=stops)
    assert (result.text, result.continuation) == (text, continuation)
    assert alphabet.generate("abc", stop=stops) == text
    assert "".join(alphabet.stream("abc", stop=stops)) == continuation


def test_stop_texts_may_span_words_and_spaces(letter_words: Model) -> None:
    assert letter_words.generate("a", stop="d e", max_new_tokens=20) == "a b c "
    assert letter_words.generate("a", stop=" d e", max_new_tokens=20) == "a b c"


def test_unknown_words_are_warned_of_where_the_call_stands(alphabet: Model, letter_words: Model) -> None:
    with pytest.warns(UnknownWordsWarning, match=r"not in the model's vocabulary: 'é', '!'") as caught:
        assert alphabet.generate("é!a", max_new_tokens=2) == "é!abc"
    assert caught[0].filename == __file__
    with pytest.warns(UnknownWordsWarning, match="'xyzzy'") as caught:
        assert list(letter_words.stream("a xyzzy b", max_new_tokens=2)) == [" c", " d"]
    assert caught[0].filename == __file__


def test_unknown_words_are_named_in_results_and_kept_in_the_text(letter_words: Model) -> None:
    result = one(letter_words, "a xyzzy b", max_new_tokens=2)
    assert (result.text, result.unknown) == ("a xyzzy b c d", ("xyzzy",))
    assert one(letter_words, "a b").unknown == ()


def test_prompts_that_leave_nothing_to_begin_from_are_refused(letter_words: Model) -> None:
    for prompt, message in (("", "the prompt is empty"), ("xyzzy", "no word of the prompt 'xyzzy'")):
        with pytest.raises(OptionError, match=message):
            letter_words.generate(prompt)
        with pytest.raises(OptionError, match=message):
            letter_words.stream(prompt)
        with pytest.raises(OptionError, match=message):
            letter_words.generate_many([prompt])


def test_suppressed_tokens_are_never_chosen(tmp_path: Path, choosing: bool) -> None:
    tokenizer = letters()
    table = alphabet_table(tokenizer)
    table[:, [0, 1, 2]] = 50.0  # padding, unknown and start are by far the likeliest
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=table, choosing=choosing), device="cpu")
    assert model.generate("a") == "abcdef"
    results = model.generate_many(["a"], n=50, decoder="temperature", temperature=100.0, max_new_tokens=20, seed=1)
    chosen = {token for result in results for token in result.ids}
    assert len(chosen) > 20
    assert chosen.isdisjoint({0, 1, 2})


def test_the_log_probability_is_the_models_own(tmp_path: Path, choosing: bool) -> None:
    tokenizer = words("one", "two", "three")
    table, drift = babble_table(len(tokenizer)), random_drift(len(tokenizer))
    model = genrun.load(
        write_model(tmp_path / "m.onnx", tokenizer, table=table, drift=drift, max_new_tokens=6, choosing=choosing),
        device="cpu",
    )
    for choices in ({}, {"decoder": "top-k", "k": 2, "seed": 3}, {"stop": "two"}):
        result = one(model, "one two", **choices)
        fed = [*tokenizer.encode_prompt("one two").ids, *result.ids]
        expected = 0.0
        for position in range(3, len(fed)):
            logits = [
                float(a) + (position - 1) * float(b) for a, b in zip(table[fed[position - 1]], drift, strict=True)
            ]
            expected += logits[fed[position]] - math.log(sum(math.exp(value) for value in logits))
        assert result.log_probability == pytest.approx(expected, abs=1e-5)


def test_a_result_is_complete_and_can_be_written_as_json(alphabet: Model) -> None:
    result = one(alphabet, "y", seed=5)
    assert json.loads(json.dumps(result.to_json())) == {
        "prompt": "y",
        "text": "yz",
        "continuation": "z",
        "ids": [29, 3],
        "finish_reason": "end",
        "log_probability": round(result.log_probability, 3) + 0.0,
        "unknown": [],
        "seed": 5,
        "sample": 0,
        "copied_run": None,
        "is_training_line": None,
        "copied_span": None,
        "tokens_per_second": result.tokens_per_second,
    }
    assert result.prompt + result.continuation == result.text


def test_casing_is_the_models_unless_asked_for(tmp_path: Path) -> None:
    tokenizer = words("don’t", "stop", ".", specials=["pad"])
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, casing="title", max_new_tokens=3), device="cpu")
    assert model.generate("don’t") == "Don’t Stop. Don’t"
    assert model.generate("don’t", casing="none") == "don’t stop. don’t"
    assert model.generate("don’t", casing="upper") == "DON’T STOP. DON’T"
    assert model.prompt_text("  don’t   stop") == "Don’t Stop"
    assert model.prompt_text("don’t", casing="none") == "don’t"


def test_the_options_of_the_models_decoder_stay_unless_overridden(tmp_path: Path) -> None:
    file = write_model(tmp_path / "m.onnx", decoder="top-k", options={"k": 3, "temperature": 0.5})
    model = genrun.load(file, device="cpu")
    assert repr(model.settings().decoder) == "TopK(k=3, temperature=0.5)"
    assert repr(model.settings(k=7).decoder) == "TopK(k=7, temperature=0.5)"
    assert repr(model.settings(decoder="top-k", k=7).decoder) == "TopK(k=7, temperature=0.5)"
    assert repr(model.settings(decoder="temperature").decoder) == "Temperature(temperature=1.0)"


@pytest.mark.parametrize("own", ["top-k", "genrun:top-k"])
@pytest.mark.parametrize("asked", ["top-k", "genrun:top-k"])
def test_both_spellings_of_a_decoder_mean_the_same(tmp_path: Path, own: str, asked: str) -> None:
    file = write_model(tmp_path / "m.onnx", decoder=own, options={"k": 3, "temperature": 0.5})
    model = genrun.load(file, device="cpu")
    assert repr(model.settings(decoder=asked).decoder) == "TopK(k=3, temperature=0.5)"
    assert repr(model.settings(decoder="genrun:temperature").decoder) == "Temperature(temperature=1.0)"


def test_a_decoder_of_the_same_name_from_elsewhere_is_another(tmp_path: Path, installed: Site) -> None:
    source = DECODER.replace("offset: int = 0", "k: int = 0")
    installed.install("acme", {"genrun.decoders": {"top-k": "acme_d:Lowest"}}, acme_d=source)
    file = write_model(tmp_path / "m.onnx", decoder="top-k", options={"k": 3})
    assert repr(genrun.load(file, device="cpu").settings(decoder="acme:top-k").decoder) == "Lowest(k=0)"


@pytest.mark.parametrize(
    ("choices", "error", "message"),
    [
        ({"max_new_tokens": 0}, OptionError, "max_new_tokens must be a whole number from 1 to 1,000,000, not 0"),
        ({"max_new_tokens": 2.0}, OptionError, "max_new_tokens must be a whole number from 1 to 1,000,000, not 2.0"),
        (
            {"max_new_tokens": True},
            OptionError,
            "max_new_tokens must be a whole number from 1 to 1,000,000, not True",
        ),
        ({"seed": -1}, OptionError, "seed must be a whole number"),
        ({"stop": ""}, OptionError, "a stop text must not be empty"),
        ({"stop": ["a", ""]}, OptionError, "a stop text must not be empty"),
        ({"casing": "Title"}, OptionError, "unknown casing 'Title'; did you mean 'title'?"),
        ({"decoder": "gredy"}, UnknownPluginError, "unknown decoder 'gredy'; did you mean 'greedy'?"),
        ({"k": 5}, OptionError, "decoder 'greedy' has no option 'k'"),
        ({"decoder": "top-k", "k": 0}, OptionError, "k must be 1 or more"),
    ],
)
def test_choices_are_checked_before_anything_is_generated(
    alphabet: Model, choices: dict[str, object], error: type[Exception], message: str
) -> None:
    calls: list[tuple[Callable[..., Any], object]] = [
        (alphabet.generate, "a"),
        (alphabet.stream, "a"),
        (alphabet.generate_many, ["a"]),
        (alphabet.generate_each, ["a"]),
    ]
    for call, prompt in calls:
        with pytest.raises(error) as caught:
            call(prompt, **choices)
        assert message in str(caught.value)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_numpys_numbers_are_numbers(alphabet: Model, kind: Any) -> None:
    settings = alphabet.settings(
        max_new_tokens=kind(2),
        seed=kind(7),
        decoder="top-k",
        k=kind(1),
        temperature=np.float32(0.5),
    )
    assert (settings.max_new_tokens, type(settings.max_new_tokens)) == (2, int)
    assert (settings.seed, type(settings.seed)) == (7, int)
    assert repr(settings.decoder) == "TopK(k=1, temperature=0.5)"
    [result] = alphabet.generate_many(["a"], settings=settings)
    assert json.loads(json.dumps(result.to_json()))["text"] == "abc"


def test_the_length_of_a_text_has_a_limit(alphabet: Model) -> None:
    assert alphabet.generate("x", max_new_tokens=1_000_000) == "xyz"
    for wrong in (1_000_001, 10**30, -1, "5", 0.5, np.float64(3), np.int64(0)):
        with pytest.raises(OptionError, match="max_new_tokens must be a whole number from 1 to 1,000,000, not "):
            alphabet.generate("x", max_new_tokens=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("stop", [[1], [None], [b"a"], ["a", 3]])
def test_a_stop_must_be_text(alphabet: Model, stop: Any) -> None:
    with pytest.raises(OptionError, match="a stop must be text, not "):
        alphabet.generate("a", stop=stop)


# -- many prompts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (3, "a prompt must be text, not 3"),
        (None, "a prompt must be text, not None"),
        (b"a", "a prompt must be text, not b'a'"),
        ("", "the prompt is empty"),
        ("xyzzy", "no word of the prompt 'xyzzy' is in the model's vocabulary"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 2, 3, 64])
def test_a_bad_prompt_raises_after_the_results_of_those_before_it(
    letter_words: Model, bad: Any, message: str, batch_size: int
) -> None:
    good = ["a", "b c", "d", "e", "f"]
    taken: list[object] = []

    def prompts() -> Iterator[Any]:
        for prompt in [*good, bad, "g"]:
            taken.append(prompt)
            yield prompt

    results = letter_words.generate_each(prompts(), n=2, batch_size=batch_size, max_new_tokens=1)
    yielded: list[Result] = []
    with pytest.raises(OptionError, match=message):
        yielded.extend(results)  # those before the error are kept
    assert [result.prompt for result in yielded] == [prompt for prompt in good for _ in range(2)]
    assert taken == [*good, bad]  # none behind it is asked for
    assert list(results) == []


def test_an_error_in_the_prompts_themselves_comes_after_the_results_too(alphabet: Model) -> None:
    def prompts() -> Iterator[str]:
        yield "a"
        raise OSError("the disk is gone")

    results = alphabet.generate_each(prompts(), max_new_tokens=1)
    assert next(results).text == "ab"
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_slow_first_text_holds_back_a_bounded_number_of_results(tmp_path: Path, batch_size: int) -> None:
    tokenizer = letters("char", ["pad", "end"])
    table = alphabet_table(tokenizer)
    table[2] = 0.0
    table[2, 2] = 10.0  # a is followed by a, for ever
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=table, suppress=["pad"]), device="cpu")
    taken = 0

    def prompts() -> Iterator[str]:
        nonlocal taken
        for prompt in chain(["a"], repeat("z", 100_000)):
            taken += 1
            yield prompt

    results = model.generate_each(prompts(), batch_size=batch_size, max_new_tokens=2000)
    first = next(results)
    assert (first.finish_reason, len(first.ids)) == ("length", 2000)
    assert taken <= 17 * batch_size + 1
    assert [result.text for result in islice(results, 30)] == ["z"] * 30


def test_prompts_are_taken_as_fast_as_results_are(alphabet: Model) -> None:
    taken = 0

    def prompts() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "a"

    results = alphabet.generate_each(prompts(), batch_size=4)
    assert [next(results).text for _ in range(40)] == ["abcdef"] * 40
    assert taken <= 48


def test_a_slow_text_in_between_changes_nothing(alphabet: Model) -> None:
    prompts = ["y", "a", "z", "z", "x", "b", "z"] * 6
    expected = [alphabet.generate(prompt, max_new_tokens=30) for prompt in prompts]
    for size in (1, 2, 5):
        results = alphabet.generate_each(iter(prompts), batch_size=size, max_new_tokens=30)
        assert [result.text for result in results] == expected


def test_many_unknown_words_are_listed_once_and_not_all(letter_words: Model) -> None:
    prompt = " ".join(["a", *(f"w{number}" for number in range(12)), "w0", "w1", "x" * 100])
    with pytest.warns(UnknownWordsWarning) as caught:
        letter_words.generate(prompt)
    listed = ", ".join(f"'w{number}'" for number in range(10))
    assert str(caught[0].message) == f"not in the model's vocabulary: {listed} and 3 more"


def test_settings_are_made_once_and_used_often(alphabet: Model) -> None:
    settings = alphabet.settings(max_new_tokens=2, seed=4)
    assert alphabet.generate("a", settings=settings) == "abc"
    assert alphabet.generate_many(["b"], settings=settings)[0].seed == 4
    with pytest.raises(OptionError, match="give either settings or max_new_tokens, seed, not both"):
        alphabet.generate("a", settings=settings, seed=1, max_new_tokens=3)


def test_one_text_where_many_are_expected_is_refused(alphabet: Model) -> None:
    with pytest.raises(OptionError, match="prompts must be a list of texts, not one text"):
        alphabet.generate_many("abc")
    for name in ("n", "batch_size"):
        for value in (0, -1, True, 2.0, "2"):
            with pytest.raises(
                OptionError, match=f"{name} must be a whole number from 1 to 1,000,000,000, not {value!r}"
            ):
                alphabet.generate_each(["a"], **{name: value})  # type: ignore[arg-type]
    assert alphabet.generate_many([]) == []


def test_an_unknown_decoder_in_the_file_is_only_an_error_when_it_is_used(tmp_path: Path) -> None:
    model = genrun.load(write_model(tmp_path / "m.onnx", decoder="acme:lowest"), device="cpu")
    assert model.generate("a", decoder="greedy") == "abcdef"
    message = "the model's own decoder is not installed; name another: unknown decoder 'acme:lowest'"
    with pytest.raises(UnknownPluginError, match=message):
        model.generate("a")


def test_tokens_per_second_are_those_from_the_admission_of_a_text_to_its_end(
    alphabet: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of steps; whoever takes the results may be slow."""
    now = 0.0
    run = BoundStep.run

    def advancing(step: BoundStep) -> None:
        nonlocal now
        now += 1.0
        run(step)

    monkeypatch.setattr(BoundStep, "run", advancing)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    found = []
    for result in alphabet.generate_each(["ab", "cd", "ef"], max_new_tokens=4, batch_size=2):
        found.append(result.tokens_per_second)
        now += 100.0
    assert found == pytest.approx([4 / 6] * 3)  # three tokens of the prompt are read, the last step gives the first


def test_neither_times_nor_last_digits_tell_two_results_apart(alphabet: Model) -> None:
    one, other = (alphabet.generate_many(["a"], seed=1)[0] for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.tokens_per_second > 0
    nearly = dataclasses.replace(one, tokens_per_second=0.0, log_probability=one.log_probability - 1e-6)
    assert nearly == other
    assert hash(nearly) == hash(other)
    assert nearly.to_json()["log_probability"] == other.to_json()["log_probability"]


def test_a_log_probability_in_json_is_rounded_and_always_a_number_of_json(alphabet: Model) -> None:
    result = one(alphabet, "a", seed=1)
    for exact, written in (
        (-64.96708, -64.97),
        (-1234.4, -1234.0),
        (-1.23456, -1.235),
        (-1e-6, 0.0),
        (-math.inf, None),
    ):
        document = json.dumps(dataclasses.replace(result, log_probability=exact).to_json(), allow_nan=False)
        assert json.loads(document)["log_probability"] == written
        assert "-0.0" not in document
