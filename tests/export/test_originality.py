"""What a model file knows of its training text: no run is missed, few are mistaken, and no text copies too much."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pickle
import random
import threading
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun.errors import ModelFileError, OptionError
from genrun.generating.sharing import scheduled_text
from genrun.loading.originality import Copied, TrainingRuns
from genrun.loading.originality.lines import lines_of
from genrun.loading.originality.run_table import RunTable
from genrun.loading.originality.steering import ends_of
from genrun.model import Model
from genrun.tokenizer import Encoding, Tokenizer
from genrun.tokenizer.plain_words import words_of
from genrun_core.evaluation.originality import training_runs_of
from genrun_core.runs.token_shards import TokenShards
from support.alphabet import babble_table, letters, words, write_model
from support.subwords import chain, subwords

NOTHING = Encoding((), (), ())
PIECES = ("sea", "the", "The", "and/or", "U.S.", "a-b-c", ",", "“", "storm", "1,000")
TOKENIZER = Tokenizer(
    kind="word", vocabulary=["<unk>", "<start>", "<end>", *PIECES], specials=["unk", "start", "end"]
)
UNKNOWN, FIRST = 0, 3
ids = st.lists(st.integers(FIRST, len(TOKENIZER) - 1), max_size=14)
documents = st.lists(ids | st.lists(st.integers(UNKNOWN, len(TOKENIZER) - 1).filter(lambda i: i not in (1, 2))))


def shards_of(documents: Sequence[Sequence[int]], held_out: Sequence[int] = ()) -> TokenShards:
    flat = np.array([token for document in documents for token in document], np.int32)
    return TokenShards(flat, np.cumsum([0, *map(len, documents)]), np.array(held_out, np.int64))


def runs_of(documents: Sequence[Sequence[int]], tokenizer: Tokenizer = TOKENIZER) -> TrainingRuns:
    found = training_runs_of(tokenizer, shards_of(documents))
    assert found is not None
    return found[0]


def plain_words(document: Sequence[int]) -> list[str]:
    """The words of a document; an unknown one is a word that no text has."""
    parts = [["\0"] if token == UNKNOWN else words_of(TOKENIZER.vocabulary[token]) for token in document]
    return [word for part in parts for word in part]


def plain_run(words: Sequence[str], training: Sequence[Sequence[str]], most: int = 8) -> int:
    """The longest run of 5 to ``most`` words that a document of ``training`` has, 0 without any."""
    known = [" ".join(["", *document, ""]) for document in training]
    runs = [
        length
        for length in range(5, most + 1)
        for start in range(len(words) - length + 1)
        if any(" ".join(["", *words[start : start + length], ""]) in document for document in known)
    ]
    return max(runs, default=0)


@given(documents, ids)
def test_no_run_and_no_line_of_the_training_text_is_missed(training: list[list[int]], text: list[int]) -> None:
    words, known = plain_words(text), [plain_words(document) for document in training]
    copied = runs_of(training).copied(NOTHING, text, "")
    assert copied.run >= plain_run(words, known)
    assert copied.is_line or words not in known or not words


@pytest.mark.parametrize("text", [[UNKNOWN, FIRST], [FIRST, UNKNOWN], [UNKNOWN], []])
def test_a_text_with_an_unknown_word_is_no_line_even_if_its_other_words_are(text: list[int]) -> None:
    copied = runs_of([[FIRST], [FIRST], text]).copied(NOTHING, text, "")
    assert copied == Copied(0, False, None)


@given(documents.filter(any), st.data())
def test_a_document_itself_is_a_line_and_its_whole_length_is_copied(
    training: list[list[int]], data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from([document for document in training if document]))
    words = plain_words(text)
    copied = runs_of(training).copied(NOTHING, text, "")
    assert copied.is_line is (bool(words) and "\0" not in words)
    assert copied.run >= (len(words) if len(words) >= 5 and "\0" not in words else 0)


def test_few_runs_are_mistaken_and_the_rest_are_those_of_brute_force() -> None:
    chance = random.Random(1)
    tokenizer = Tokenizer(kind="word", vocabulary=["<unk>", *(f"w{n}" for n in range(40))], specials=["unk"])
    training = [[chance.randrange(1, 41) for _ in range(chance.randrange(12))] for _ in range(1500)]
    found = training_runs_of(tokenizer, shards_of(training))
    assert found is not None
    runs, about = found
    known = {
        tuple(document[at : at + length])
        for document in training
        for length in range(5, 9)
        for at in range(len(document) - length + 1)
    }
    checked = wrong = 0
    for _ in range(4000):
        document = chance.choice(training)
        text = [*document[: chance.randrange(9)], *(chance.randrange(1, 41) for _ in range(6))]
        spans = [text[at : at + length] for length in range(5, 9) for at in range(len(text) - length + 1)]
        longest = max((len(span) for span in spans if tuple(span) in known), default=0)
        checked += len(text) - 4
        wrong += min(runs.copied(NOTHING, text, "").run, 8) != longest
    assert about["bytes"] <= 2.1 * about["runs"] + 200
    assert 0 < about["false_positives"] < 0.004
    assert wrong <= 1.5 * about["false_positives"] * checked


def test_held_out_documents_are_not_in_the_table() -> None:
    found = training_runs_of(TOKENIZER, shards_of([[3, 4, 11, 3, 4, 11], [11, 3, 3, 4, 11, 4]], held_out=[1]))
    assert found is not None
    assert found[0].copied(NOTHING, [3, 4, 11, 3, 4, 11], "").run == 6
    assert found[0].copied(NOTHING, [11, 3, 3, 4, 11, 4], "").run == 0


def test_words_of_subwords_and_characters_are_those_of_the_text() -> None:
    tokenizer = Tokenizer(kind="char", vocabulary=["<end>", *" abcdefgh"], specials=["end"])
    training = [list(tokenizer.encode(text).ids) for text in ("a bad cab fed a bag", "had a gab")]
    runs = runs_of(training, tokenizer)
    assert runs.copied(NOTHING, [], "No: a Bad Cab, fed a hag") == (5, False, (4, 20))
    assert runs.copied(NOTHING, [], "had a gab") == (0, True, None)
    with pytest.raises(OptionError, match="tokens are words"):
        ends_of(runs, 4)


def test_the_longest_lengths_are_left_out_of_a_large_table_and_then_all_of_it() -> None:
    shards = shards_of([[3, 4, 11, 3, 11, 4, 3, 3, 3, 4] * 3])
    most = [training_runs_of(TOKENIZER, shards, most) for most in (200, 60, 10)]
    assert [found and found[1]["longest"] for found in most] == [8, 6, None]


@given(documents, ids)
def test_what_is_banned_is_what_would_copy_too_much(training: list[list[int]], text: list[int]) -> None:
    runs = runs_of(training)
    ends = ends_of(runs, 4)
    state = ends.first(text)
    banned = set(ends.banned([state, ends.first([])])[1].tolist())
    known = [plain_words(document) for document in training]
    for token in range(FIRST, len(TOKENIZER)):
        before, after = plain_words(text), plain_words([*text, token])
        new = [after[max(0, end - 5) : end] for end in range(len(before) + 1, len(after) + 1)]
        assert token in banned or not any(plain_run(run, known, 5) for run in new)
    assert not banned & {UNKNOWN, 1, 2, PIECES.index(",") + FIRST, PIECES.index("“") + FIRST}


@pytest.fixture(scope="module")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Says the alphabet in words of one letter, as its training text does."""
    tokenizer = letters("word")
    runs = runs_of([list(range(4, len(tokenizer)))], tokenizer)
    path = tmp_path_factory.mktemp("parrot") / "parrot.onnx"
    properties = {"genrun.originality": runs.document}
    return genrun.load(write_model(path, tokenizer, properties=properties, max_new_tokens=12), device="cpu")


@pytest.fixture(scope="module")
def babbler(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Says random letters; all texts of one letter and some of two are documents of its training text."""
    tokenizer = letters("word")
    first, count = len(tokenizer.specials), len(tokenizer)
    runs = runs_of(
        [[token] for token in range(first, count)]
        + [[token, other] for token in range(first, count, 2) for other in range(first, count)],
        tokenizer,
    )
    path = tmp_path_factory.mktemp("babbler") / "babbler.onnx"
    table = babble_table(count)
    properties = {"genrun.originality": runs.document}
    return genrun.load(write_model(path, tokenizer, table=table, properties=properties), device="cpu")


def test_no_text_ends_as_a_training_document(babbler: Model) -> None:
    settings = babbler.settings(decoder="no-copied-line,temperature:1.5", seed=1, max_new_tokens=60)
    results = babbler.generate_many(["", "a"], n=300, settings=settings)
    assert {result.finish_reason for result in results} <= {"end", "length"}
    assert not any(result.is_training_line for result in results)
    assert any(len(result.text.split()) == 2 for result in results)
    free = babbler.generate_many(["", "a"], n=300, seed=1, decoder="temperature:1.5", max_new_tokens=60)
    assert any(result.is_training_line for result in free)
    assert babbler.generate("a", settings=settings) == results[300].text


def test_a_text_may_end_as_a_document_where_the_model_is_certain_that_it_ends(parrot: Model) -> None:
    whole = parrot.generate_many(["a"], decoder="greedy", max_new_tokens=30)[0]
    assert (whole.finish_reason, whole.is_training_line) == ("end", True)
    settings = parrot.settings(decoder="no-copied-line,greedy", max_new_tokens=30)
    assert parrot.generate("a", settings=settings) == whole.text
    sure = parrot.settings(decoder="no-copied-line:1,greedy", max_new_tokens=30)
    assert parrot.generate("a", settings=sure) != whole.text


CHARACTERS = words(*"aeBß '.\n", kind="char")
SUBWORDS = subwords(*chain(" the", " sea", "é", "ing"))
few_tokens = st.lists(st.integers(0, 10_000), max_size=12)


@pytest.mark.parametrize("tokenizer", [TOKENIZER, CHARACTERS, SUBWORDS], ids=["words", "characters", "subwords"])
@given(training=st.lists(few_tokens, max_size=6), data=st.data())
def test_a_text_is_known_as_a_line_while_it_is_written(
    tokenizer: Tokenizer, training: list[list[int]], data: st.DataObject
) -> None:
    first = len(tokenizer.specials)
    documents = [[first + token % (len(tokenizer) - first) for token in document] for document in training]
    drawn = [token % len(tokenizer) for token in data.draw(few_tokens)]
    text = data.draw(st.sampled_from([*documents, drawn]))
    runs = runs_of(documents, tokenizer)
    lines, copied = lines_of(runs), runs.copied(NOTHING, text, tokenizer.decode(text))
    assert lines.is_line(lines.first(text)) == copied.is_line
    assert lines.is_line(reduce(lines.follow, text, lines.first([]))) == copied.is_line


@pytest.fixture(scope="module")
def namer(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Writes random letters; half of all texts of two letters are names of its training text."""
    tokenizer = letters("char")
    first, count = len(tokenizer.specials), len(tokenizer)
    runs = runs_of([[one, two] for one in range(first, count, 2) for two in range(first, count)], tokenizer)
    path = tmp_path_factory.mktemp("namer") / "namer.onnx"
    properties = {"genrun.originality": runs.document}
    return genrun.load(write_model(path, tokenizer, table=babble_table(count), properties=properties), device="cpu")


def test_no_name_is_one_of_the_training_text(namer: Model) -> None:
    settings = namer.settings(decoder="no-copied-line,temperature:1.5", seed=1, max_new_tokens=60)
    results = namer.generate_many(["", "a"], n=300, settings=settings)
    assert not any(result.is_training_line for result in results)
    assert any(len(result.text) == 2 for result in results)
    free = namer.generate_many(["", "a"], n=300, seed=1, decoder="temperature:1.5", max_new_tokens=60)
    assert any(result.is_training_line for result in free)
    assert namer.generate("a", settings=settings) == results[300].text


def test_a_model_file_without_originality_cannot_leave_copied_lines_out(alphabet_words: Model) -> None:
    with pytest.raises(OptionError, match="no-copied-line needs a model file that was exported with originality"):
        alphabet_words.generate("a", decoder="no-copied-line,greedy")
    with pytest.raises(OptionError, match="certain must be above 0 and at most 1, not 2"):
        alphabet_words.generate("a", decoder="no-copied-line:2")


def test_a_text_copies_no_more_words_than_it_may(parrot: Model) -> None:
    assert parrot.generate("a", decoder="greedy") == "a b c d e f g h i j k l m"
    steered = parrot.generate_many(["a"], decoder="greedy", max_copied=4)[0]
    assert steered.text.startswith("a b c d")
    assert steered.copied_run == 0
    for seed, most in ((1, 4), (2, 5), (3, 7)):
        settings = parrot.settings(decoder="top-k:3", seed=seed, max_copied=most)
        results = parrot.generate_many(["a", "x y", ""], n=5, settings=settings)
        assert all(result.copied_run in (0, *range(5, most + 1)) for result in results)
        assert [parrot.generate(prompt, settings=settings) for prompt in ("a", "x y", "")] == [
            result.text for result in results if result.sample == 0
        ]


def test_a_result_says_what_it_copies_and_its_json_too(parrot: Model) -> None:
    copy, line = parrot.generate_many(["a"], n=1)[0], parrot.generate_many(["a"], max_new_tokens=30)[0]
    assert (copy.copied_run, copy.is_training_line) == (13, False)
    assert (line.copied_run, line.is_training_line) == (26, True)
    said = line.to_json()
    assert (said["copied_run"], said["is_training_line"]) == (26, True)


def test_a_model_file_without_runs_says_so(alphabet_words: Model) -> None:
    result = alphabet_words.generate_many(["a"])[0]
    assert (result.copied_run, result.is_training_line) == (None, None)
    with pytest.raises(OptionError, match="exported with originality"):
        alphabet_words.generate("a", max_copied=4)


@pytest.fixture(scope="module")
def alphabet_words(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return genrun.load(write_model(tmp_path_factory.mktemp("plain") / "plain.onnx", letters("word")), device="cpu")


def test_a_length_that_the_table_does_not_have_is_an_error(parrot: Model) -> None:
    for most in (1, 3, 8):
        with pytest.raises(OptionError, match=f"from 4 to 7 for this model, not {most}"):
            parrot.generate("a", max_copied=most)


@pytest.mark.parametrize(
    "change",
    [{"table": "AAAA"}, {"table": "?"}, {"runs": -1}, {"shortest": 1}, {"longest": 10**9}, {"buckets": 1}, None],
)
def test_a_damaged_table_is_an_error_when_it_is_needed(
    parrot: Model, tmp_path: Path, change: dict[str, object] | None
) -> None:
    runs = parrot._metadata.training_runs
    assert runs is not None
    text = "[" if change is None else json.dumps({**json.loads(runs.document), **change})
    path = write_model(tmp_path / "damaged.onnx", letters("word"), properties={"genrun.originality": text})
    model = genrun.load(path, device="cpu")
    assert model.generate("a", max_new_tokens=1) == "a b"
    [result] = model.generate_many(["a"])
    with pytest.raises(ModelFileError, match=r"damaged\.onnx: genrun\.originality"):
        print(result.copied_run)


def test_what_a_text_copies_is_found_once_when_it_is_first_asked_for(
    parrot: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, find = list[str](), TrainingRuns.copied

    def counted(runs: TrainingRuns, prompt: Encoding, new_ids: Sequence[int], text: str) -> Copied:
        asked.append(text)
        return find(runs, prompt, new_ids, text)

    monkeypatch.setattr(TrainingRuns, "copied", counted)
    results = parrot.generate_many(["a", "b"], n=3, seed=2)
    assert not asked
    first, *others = results
    assert first.text[slice(*(first.copied_span or (0, 0)))].count(" ") + 1 >= (first.copied_run or 0) > 0
    assert first.is_training_line is not None
    assert asked == [first.text]
    assert dataclasses.asdict(first)["copied_run"] == first.copied_run
    assert dataclasses.replace(others[1], copied_run=99).copied_run == 99
    asked.remove(others[1].text)
    again = pickle.loads(pickle.dumps(others[0]))
    assert again == others[0]
    assert again.to_json() == others[0].to_json()
    assert (again.copied_run, again.copied_span) == (others[0].copied_run, others[0].copied_span)
    assert asked == [first.text, others[0].text]


def test_what_a_long_text_copies_is_not_searched_on_an_event_loop(
    parrot: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled_text, "_LONG", 0)
    threads, find = list[threading.Thread](), TrainingRuns.copied

    def noted(runs: TrainingRuns, prompt: Encoding, new_ids: Sequence[int], text: str) -> Copied:
        threads.append(threading.current_thread())
        return find(runs, prompt, new_ids, text)

    monkeypatch.setattr(TrainingRuns, "copied", noted)

    async def made() -> object:
        text = await parrot.aschedule("a", seed=2)
        return (await text.result()).to_json()["copied_run"]

    assert asyncio.run(made()) == parrot.generate_many(["a"], seed=2)[0].copied_run
    assert threading.main_thread() is not threads[0]
    assert len(threads) == 2


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=60))
def test_a_table_comes_back_from_its_text(pairs: list[tuple[int, int]]) -> None:
    columns = np.array(pairs, np.uint64).reshape(-1, 2).T
    table = RunTable.of(columns[0], columns[1])
    again = RunTable.from_text(table.to_text(), len(table), table.buckets)
    assert all(again.has(beginning, last) for beginning, last in pairs)
    assert again.have(columns[0], columns[1]).all()
    crossed = [[again.has(int(beginning), int(last)) for last in columns[1, :3]] for beginning in columns[0]]
    assert again.have(columns[0][:, None], columns[1, :3]).tolist() == crossed
    assert again.to_text() == table.to_text()
