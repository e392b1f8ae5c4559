"""Texts for the rows of Arrow tables: the same however a table is divided, and no row is lost."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genrun
from genrun.cli.group import cli
from genrun.cli.io.text_folder import begin_folder, recorded_settings
from genrun.errors import GenrunError, MissingExtraError, ModelFileError, OptionError
from genrun.integrations.job import text_job
from genrun.integrations.parquet_folder import Part, digest_of, find_parts, remove_leftovers, write_part
from genrun.model import Model
from support.alphabet import alphabet_table, letters, write_model

pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'genrun[parquet]'")

from genrun.integrations.batch import TableOptions, count_errors, generate_table, table_schema  # noqa: E402

PROMPTS = [f"the word{i} word{i * 7 % 394}" for i in range(40)]
ADDED = ["text", "continuation", "ids", "finish_reason", "log_probability", "unknown", "copied_run"]
ADDED += ["is_training_line", "sample", "seed", "model", "error"]


@pytest.fixture(scope="module")
def talker(talker_file: Path) -> Model:
    return genrun.load(talker_file, device="cpu", threads=1)


@functools.cache
def whole(talker: Model) -> Any:
    return generate_table(talker, pa.table({"prompt": PROMPTS}), seed=3)


def columns(table: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.select(list(names)).to_pylist()]


def test_rows_are_the_results_of_generate_many(talker: Model) -> None:
    table = generate_table(talker, pa.table({"number": range(40), "prompt": PROMPTS}), TableOptions(n=2), seed=3)
    assert table.column_names == ["number", "prompt", *ADDED]
    assert table["number"].to_pylist() == [number for number in range(40) for _ in range(2)]
    results = [result.to_json() for result in talker.generate_many(PROMPTS, n=2, seed=3)]
    names = ("prompt", "text", "continuation", "finish_reason", "copied_run", "is_training_line", "sample", "seed")
    assert columns(table, *names) == [tuple(result[name] for name in names) for result in results]
    assert [tuple(ids) for ids in table["ids"].to_pylist()] == [result["ids"] for result in results]
    assert table["error"].null_count == len(table)


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 40), max_size=5), batch_size=st.integers(1, 50))
def test_a_table_that_is_divided_has_the_same_rows(talker: Model, cuts: list[int], batch_size: int) -> None:
    edges = [0, *sorted(cuts), 40]
    parts = [pa.table({"prompt": pa.array(PROMPTS[a:b], pa.string())}) for a, b in itertools.pairwise(edges)]
    done = [generate_table(talker, part, TableOptions(batch_size=batch_size), seed=3) for part in parts]
    assert pa.concat_tables(done).equals(whole(talker))


def test_log_probabilities_of_one_way_have_the_same_digits_in_any_batch(talker: Model) -> None:
    generator = talker._generator(talker.settings(seed=3, decoder="temperature"), {}).choosing_with("decoder")
    sizes = [[result.log_probability for result in generator.results(PROMPTS, 1, size)] for size in (1, 3, 64)]
    assert sizes[0] == sizes[1] == sizes[2]


def test_prompts_without_a_text_are_said_and_counted(letter_words: Model) -> None:
    prompts = ["a b", None, "?", "", "a b c d", "c"]
    table = generate_table(
        letter_words, pa.table({"prompt": prompts}), TableOptions(n=2, max_prompt_tokens=3), seed=1
    )
    assert columns(table, "prompt", "sample", "text", "error") == [
        ("a b", 0, "a b c d e f g", None),
        ("a b", 1, "a b c d e f g", None),
        (None, None, None, "the prompt is null"),
        ("?", None, None, "no word of the prompt '?' is in the model's vocabulary"),
        ("", None, None, "the prompt is empty and this model has no <start>: give at least one word"),
        ("a b c d", None, None, "the prompt has 4 tokens; at most 3 are accepted"),
        ("c", 0, "c d e f g h", None),
        ("c", 1, "c d e f g h", None),
    ]
    assert table["seed"].to_pylist() == [1] * 8
    assert sum(count_errors(table).values()) == 4


def test_bytes_that_are_no_text_are_said(letter_words: Model) -> None:
    prompts = pa.Array.from_buffers(pa.binary(), 2, pa.array([b"a b", b"\xff"]).buffers()).view(pa.string())
    table = generate_table(letter_words, pa.table({"prompt": prompts}), seed=1)
    assert table["text"].to_pylist() == ["a b c d e f g", None]
    assert table["error"][1].as_py().startswith("the prompt is not UTF-8: ")


def test_a_constraint_that_one_prompt_cannot_meet_leaves_the_others_their_texts(letter_words: Model) -> None:
    prompts = ["a", "x y z", "b", "z z z", "c"]
    table = generate_table(letter_words, pa.table({"prompt": prompts}), seed=1, constraint="words:2")
    alone = [letter_words.generate(prompt, seed=1, constraint="words:2") for prompt in ("a", "b", "c")]
    assert table["text"].to_pylist() == [alone[0], None, alone[1], None, alone[2]]
    assert [error is not None and "cannot be continued" in error for error in table["error"].to_pylist()] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_search_keeps_a_prompts_texts_together(letter_words: Model) -> None:
    prompts = ["a", None, "b"]
    table = generate_table(letter_words, pa.table({"prompt": prompts}), TableOptions(n=2), seed=1, beam=3)
    found = letter_words.generate_many(["a", "b"], n=2, seed=1, beam=3)
    assert [text for text in table["text"].to_pylist() if text is not None] == [result.text for result in found]
    assert table["prompt"].to_pylist() == [result.prompt for result in found if result.prompt == "a"] + [None] + [
        result.prompt for result in found if result.prompt == "b"
    ]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.null()], ids=str)
def test_prompts_are_text_in_any_of_arrows_forms(talker: Model, kind: Any) -> None:
    prompts = pa.array([None, None] if kind == pa.null() else PROMPTS[:2]).cast(kind)
    table = generate_table(talker, pa.record_batch({"prompt": prompts}), seed=3)
    assert table.schema == table_schema(pa.schema([("prompt", kind)]))
    assert table["text"].to_pylist() == ([None, None] if kind == pa.null() else whole(talker)["text"].to_pylist()[:2])


def test_a_table_without_rows_has_the_columns(talker: Model) -> None:
    table = generate_table(talker, pa.table({"prompt": pa.array([], pa.string())}), seed=3)
    assert (table.num_rows, table.schema) == (0, whole(talker).schema)


@pytest.mark.parametrize(
    ("table", "options", "choices", "message"),
    [
        ({"title": ["a"]}, {}, {}, "no column 'prompt' of prompts; accepted: title"),
        ({"prompt": [1]}, {}, {}, "the column 'prompt' of prompts must be of text, not int64"),
        ({"prompt": ["a"], "text": ["b"]}, {}, {}, "a column 'text' already; choose a prefix, such as 'new_'"),
        ({"prompt": ["a"], "x_ids": [1]}, {"prefix": "x_"}, {}, "a column 'x_ids' already; choose another prefix"),
        ({"prompt": ["a"]}, {}, {"seed": 2**63}, "the seed of a table must be from 0 to"),
        ({"prompt": ["a"]}, {"n": 0}, {}, "n must be a whole number from 1"),
        ({"prompt": ["a"]}, {"max_prompt_tokens": 0}, {}, "max_prompt_tokens must be a whole number from 1"),
        ({"prompt": ["a"]}, {"column": 1}, {}, "column must be text, not 1"),
    ],
)
def test_what_is_not_accepted_is_said(
    talker: Model, table: dict[str, Any], options: dict[str, Any], choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        generate_table(talker, pa.table(table), TableOptions(**options), **{"seed": 1, **choices})


def test_a_job_is_the_same_after_pickling(talker: Model, talker_file: Path) -> None:
    job = pickle.loads(pickle.dumps(text_job(talker_file, device="cpu", seed=3)))
    batches = pa.table({"prompt": PROMPTS}).to_batches(max_chunksize=7)
    assert pa.Table.from_batches(job.batches(batches)).equals(whole(talker))


def test_a_job_refuses_another_file_and_wrong_choices(talker_file: Path, tmp_path: Path) -> None:
    job = text_job(talker_file, seed=1)
    other = write_model(tmp_path / "other.onnx")
    moved = dataclasses.replace(job, path=str(other), digest="sha256:0")
    with pytest.raises(ModelFileError, match="is not the file that the job was made with: its digest differs"):
        moved.model()
    with pytest.raises(OptionError, match="greedy"):
        text_job(talker_file, seed=1, decoder="greedy", k=3)
    with pytest.raises(OptionError, match="section"):
        text_job(talker_file, seed=1, labels={"section": "Opinion"})


def test_a_folder_is_written_part_by_part(talker: Model, talker_file: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    source, output = tmp_path / "prompts", tmp_path / "texts"
    (source / "more").mkdir(parents=True)
    (source / "_ignored.parquet").write_bytes(b"")
    pq.write_table(pa.table({"prompt": PROMPTS[:30]}), source / "one.parquet", row_group_size=7)
    pq.write_table(pa.table({"prompt": PROMPTS[30:]}), source / "more" / "two.parquet")
    job = text_job(talker_file, device="cpu", seed=3)
    parts = find_parts(source, output, job, rows=12)
    assert [(Path(part.output).name, part.first, part.rows) for part in parts] == [
        ("two-00000.parquet", 0, 10),
        ("one-00000.parquet", 0, 12),
        ("one-00001.parquet", 12, 12),
        ("one-00002.parquet", 24, 6),
    ]
    assert [write_part(part, job) for part in parts] == [(part.rows, {}) for part in parts]
    (output / ".one-00000.parquet.0123.tmp").write_bytes(b"left")
    remove_leftovers(output)
    assert [file.name for file in output.rglob(".*")] == []
    tables = [pq.read_table(part.output) for part in [*parts[1:], parts[0]]]
    assert pa.concat_tables(tables).equals(whole(talker))
    assert digest_of(parts, output) != digest_of(parts[1:], output)


def test_a_part_whose_file_is_gone_or_damaged_is_one_line(talker_file: Path, tmp_path: Path) -> None:
    job = text_job(talker_file, seed=3)
    with pytest.raises(GenrunError, match=r"no-file\.parquet: No such file or directory"):
        write_part(Part(str(tmp_path / "no-file.parquet"), 0, 1, str(tmp_path / "out.parquet")), job)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(GenrunError, match=r"bad\.parquet: not a Parquet file, or a damaged one"):
        find_parts(tmp_path, tmp_path / "out", job)
    (tmp_path / "bad.parquet").unlink()
    with pytest.raises(OptionError, match=r"has no \.parquet file"):
        find_parts(tmp_path, tmp_path / "out", job)


def test_a_folder_of_other_texts_is_not_continued(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    begin_folder(folder, {"seed": 1, "n": 2}, resume=True)
    assert recorded_settings(folder) == {"seed": 1, "n": 2}
    begin_folder(folder, {"seed": 1, "n": 2}, resume=True)
    with pytest.raises(OptionError, match="was begun with another seed: 1, now 3"):
        begin_folder(folder, {"seed": 3, "n": 2}, resume=True)
    with pytest.raises(GenrunError, match="was begun already: go on with --resume"):
        begin_folder(folder, {"seed": 1, "n": 2}, resume=False)
    (folder / "_genrun.json").write_text("[")
    with pytest.raises(GenrunError, match="does not say what the texts depend on"):
        recorded_settings(folder)
    with pytest.raises(GenrunError, match="exists already: name a new folder"):
        begin_folder(tmp_path, {}, resume=False)


def test_a_package_that_is_missing_is_named_with_what_to_type(
    talker_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genrun.integrations.ray_data import ray_stage
    from genrun.integrations.spark import spark_texts

    job = text_job(talker_file, seed=3)
    for module in ("ray", "pyspark", "apache_beam"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"running on a Ray cluster needs ray: pip install .*\[ray\]"):
        ray_stage(None, job)
    with pytest.raises(MissingExtraError, match=r"running on Spark needs pyspark: pip install .*\[spark\]"):
        spark_texts(None, job)
    with pytest.raises(MissingExtraError, match=r"running on Beam needs apache_beam: pip install .*\[beam\]"):
        import genrun.integrations.beam  # noqa: F401


def test_rows_that_an_exception_ends_are_tried_three_times() -> None:
    from genrun.integrations.ray_data import retried

    errors = [OSError("a disk that was away"), RuntimeError("a library")]

    def work() -> str:
        if errors:
            raise errors.pop()
        return "texts"

    assert retried(work) == "texts"
    errors += [OSError("fourth"), OSError("third"), OSError("second"), OSError("first")]
    with pytest.raises(OSError, match="third"):
        retried(work)
    assert len(errors) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ray", "prompts"],
        ["--ray", "prompts", "-o", "texts", "--json"],
        ["--ray", "prompts", "-o", "texts", "a prompt"],
        ["--column", "title"],
        ["--actors", "2"],
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_wrong_usage(talker_file: Path, arguments: list[str]) -> None:
    from click.testing import CliRunner

    done = CliRunner().invoke(cli, ["generate", str(talker_file), *arguments])
    assert done.exit_code == 2
    assert "--ray" in done.output


def test_neighbours_with_a_tiny_probability_do_not_change_a_rows_digits(tmp_path: Path) -> None:
    tokenizer = letters("word", ["pad"])
    table = alphabet_table(tokenizer, strength=1.0)
    table[
        tokenizer.encode("z").ids[0]
    ] = -200.0  # the first token that may be chosen is less likely than float32 shows
    table[tokenizer.encode("z").ids[0], -1] = 0.0
    file = write_model(
        tmp_path / "steep.onnx", tokenizer, table=table.astype(np.float32), choosing=True, decoder="temperature"
    )
    model = genrun.load(file, device="cpu")
    generator = model._generator(model.settings(seed=1), {}).choosing_with("decoder")
    alone = [next(iter(generator.results([prompt], 1, 1))).log_probability for prompt in ("a", "z", "b")]
    assert [result.log_probability for result in generator.results(["a", "z", "b"], 1, 8)] == alone
