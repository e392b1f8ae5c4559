"""The two passes over a corpus, and the token shards that they leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import genrun
from genrun.contracts import ReadReport
from genrun.tokenizer import Tokenizer, TokenizerSettings
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.passes import Sources, count_words, encode_documents
from genrun_core.runs.token_shards import TokenShards


@dataclass(frozen=True)
class Given:
    """A reader of documents given in the test; a second list is what it yields on its second reading."""

    readings: list[list[str]] = field(default_factory=list)
    count: list[int] = field(default_factory=lambda: [0])

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        documents = self.readings[min(self.count[0], len(self.readings) - 1)]
        self.count[0] += 1
        for document in documents:
            report.row()
            yield document


def prepare(
    folder: Path, *readings: list[str], settings: TokenizerSettings | None = None
) -> tuple[Tokenizer, CorpusCounts, TokenShards]:
    sources = Sources(Given(list(readings)), ["given"])
    counted = count_words(sources, settings or TokenizerSettings())
    counts = encode_documents(sources, counted, folder / "tokens")
    return counted.tokenizer, counts, TokenShards.open(folder / "tokens")


def test_shards_hold_every_document_as_ids(tmp_path: Path) -> None:
    documents = ["a rose is a rose", "is it", ""]
    tokenizer, _, shards = prepare(tmp_path, documents)
    assert len(shards) == 3
    assert [tokenizer.decode(shards[i]) for i in range(3)] == documents
    assert isinstance(shards.ids, np.memmap)
    start, end = tokenizer.special("start"), tokenizer.special("end")
    assert all(shards[i][0] == start and shards[i][-1] == end for i in range(3))


def test_counts_tell_what_was_read_and_what_is_learnt(tmp_path: Path) -> None:
    settings = TokenizerSettings(specials=("pad", "unk"), vocabulary_limit=3)
    tokenizer, counts, _ = prepare(tmp_path, ["a a a b b c d", "a"], settings=settings)
    assert tokenizer.vocabulary == ("<pad>", "<unk>", "a", "b")
    assert (counts.rows, counts.documents, counts.words, counts.unknown) == (2, 2, 8, 2)
    assert (counts.predicted, counts.longest, counts.too_short) == (6, 7, 1)


def test_unknown_words_are_left_out_and_counted_where_there_is_no_token_for_them(tmp_path: Path) -> None:
    settings = TokenizerSettings(specials=("pad",), minimum_count=2)
    _, counts, shards = prepare(tmp_path, ["a b a", "a c"], settings=settings)
    assert counts.unknown == 2
    assert shards.ids.tolist() == [1, 1, 1]


def test_the_same_documents_have_the_same_fingerprint_and_others_another(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one = prepare(tmp_path / "one", ["a b", "c d"])[1].fingerprint
    assert one == prepare(tmp_path / "two", ["a b", "c d"])[1].fingerprint
    assert one != prepare(tmp_path / "three", ["a b c", "d"])[1].fingerprint


def test_a_corpus_that_changes_between_the_passes_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(genrun.CorpusError, match="the corpus changed while it was being read"):
        prepare(tmp_path, ["a b", "c d"], ["a b", "c e"])


@pytest.mark.parametrize(
    ("documents", "settings", "message"),
    [
        ([], TokenizerSettings(), "no document was found"),
        (["!!", "?"], TokenizerSettings(normalization=({"step": "remove", "characters": "!?"},)), "leaves no word"),
        (["a", "b"], TokenizerSettings(specials=("pad",)), "no document has two tokens"),
    ],
)
def test_a_corpus_with_nothing_to_learn_is_an_error(
    tmp_path: Path, documents: list[str], settings: TokenizerSettings, message: str
) -> None:
    with pytest.raises(genrun.CorpusError, match=message):
        prepare(tmp_path, documents, settings=settings)


def test_a_reader_that_yields_something_else_than_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(genrun.PluginError, match="reader Given must yield text, not int"):
        prepare(tmp_path, [3])  # type: ignore[list-item]


def test_damaged_shards_are_refused(tmp_path: Path) -> None:
    prepare(tmp_path, ["a b c"])
    ids = tmp_path / "tokens" / "ids.int32"
    ids.write_bytes(ids.read_bytes()[:-4])
    with pytest.raises(genrun.RunFolderError, match="incomplete"):
        TokenShards.open(tmp_path / "tokens")
    ids.unlink()
    with pytest.raises(genrun.RunFolderError, match="cannot be read"):
        TokenShards.open(tmp_path / "tokens")


def test_a_network_begins_with_the_frequencies_of_what_it_is_trained_on_alone(songs_run: Path) -> None:
    from genrun_core.runs.run_folder import RunFolder
    from genrun_core.training.fit import make_fitting
    from genrun_core.training.prepared import prepare

    run = RunFolder.open(songs_run)
    recipe, shards = run.recipe(), TokenShards.open(run.tokens)
    training, held_out = shards.trained_on, shards.held_out
    counted = np.bincount(np.concatenate([shards[i] for i in training]), minlength=len(run.tokenizer()))
    everything = np.bincount(np.array(shards.ids), minlength=len(run.tokenizer()))
    assert len(held_out)
    assert not np.array_equal(counted, everything)
    begun = make_fitting(prepare(run, recipe)).network.get_layer("logits").get_weights()[-1]
    assert begun == pytest.approx(np.log((counted + 1) / (counted + 1).sum()), abs=1e-5)
    assert np.array_equal(shards.frequencies(len(run.tokenizer()), training), counted)
