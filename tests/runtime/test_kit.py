"""genrun.testing: each planted mistake fails with a message that names it; what is right passes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import genrun
from genrun import plugins, registry
from genrun.plugins import Reader, ReadReport
from genrun.registry import make_constraint, make_decoder
from genrun.testing import (
    BrokenContract,
    check_constraint,
    check_decoder,
    check_reader,
    decoder_outcomes,
    reader_checks,
    reader_outcomes,
)
from genrun.testing.repeated_reading import digest_of
from genrun.testing.tiny import tiny_corpus as tiny_corpus_file
from genrun.testing.tiny import tiny_metadata
from support import planted_constraints, planted_decoders, planted_readers
from support.planted_readers import Honest, OldAndWithoutCounts

OPTIONS = {"banned": {"phrases": "the sea"}, "wanted": {"phrases": "the sea"}, "rare": {"from_id": "9", "bias": "-1"}}
PARTS = [
    "words:3-9",
    "characters:10-60",
    "lines:2",
    'template:"the _ sea"',
    'pattern:".* sea .*"',
    "acrostic:ta",
    'order:"sea, night"',
    "never:sea",
    "ends:deep",
]


def names(mistakes: list[tuple[object, str]]) -> list[str]:
    return [type(plugin).__name__ for plugin, _ in mistakes]


def read_here(reader: Reader, sources: Sequence[str]) -> str:
    return digest_of(list(reader.read(sources, ReadReport())))


@pytest.fixture
def lines(tmp_path: Path) -> str:
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"line {number}\n" for number in range(23)), "utf-8")
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.txt"
    path.write_text("one\ntwo\0\n", "utf-8")
    return str(path)


@pytest.mark.parametrize(("decoder", "message"), planted_decoders.MISTAKES, ids=names(planted_decoders.MISTAKES))
def test_a_mistake_of_a_decoder_is_named(decoder: object, message: str) -> None:
    with pytest.raises(BrokenContract, match=message):
        check_decoder(decoder)


@pytest.mark.parametrize(("reader", "message"), planted_readers.MISTAKES, ids=names(planted_readers.MISTAKES))
def test_a_mistake_of_a_reader_is_named(
    reader: object, message: str, lines: str, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if type(reader) is not planted_readers.OrderOfASet:  # the others need no process, which takes time
        monkeypatch.setattr(reader_checks, "read_elsewhere", read_here)
    with pytest.raises(BrokenContract, match=message):
        check_reader(reader, [lines], bad=bad)


@pytest.mark.parametrize(("part", "message"), planted_constraints.MISTAKES, ids=names(planted_constraints.MISTAKES))
def test_a_mistake_of_a_constraint_is_named(part: object, message: str) -> None:
    with pytest.raises(BrokenContract, match=message):
        check_constraint(part)


def test_what_is_right_passes(lines: str, bad: str) -> None:
    check_reader(Honest(), [lines], bad=bad)
    check_constraint(planted_constraints.Anything())


@pytest.mark.parametrize("name", [info.name for info in registry.plugins("decoder") if info.built_in])
def test_every_built_in_decoder_passes(name: str) -> None:
    check_decoder(make_decoder(name, OPTIONS.get(name)))


def test_every_built_in_constraint_passes() -> None:
    parts = [each.part for text in PARTS for each in make_constraint(text)]
    assert {type(part) for part in parts} == {registry.load(info) for info in registry.plugins("constraint")}
    for part in parts:
        check_constraint(part)


def test_a_decoder_of_a_stage_and_of_a_preset_is_checked_in_each_way() -> None:
    states = {outcome.check: outcome.state for outcome in decoder_outcomes(make_decoder("top-k"))}
    assert states.pop("its fold changes nothing") == "skipped"
    assert set(states.values()) == {"ok"}


def test_a_class_in_place_of_an_object_is_named() -> None:
    with pytest.raises(BrokenContract, match=r"Honest is a class; check an object, such as Honest\(\)"):
        check_reader(Honest, [])


def test_the_fixtures_are_a_model_and_its_corpus(tiny_model: Path, tiny_corpus: Path) -> None:
    assert genrun.verify(genrun.load(tiny_model, device="cpu")).passed
    assert tiny_model.stat().st_size < 40_000
    assert len(tiny_corpus.read_text("utf-8").split("\n\n")) == 12


def test_a_reader_of_the_first_contract_need_not_count(lines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_checks, "read_elsewhere", read_here)
    states = {each.check: each.state for each in reader_outcomes(OldAndWithoutCounts(), [lines])}
    assert states.pop("counts add up") == "skipped"
    assert states.pop("errors name the line") == "skipped"
    assert set(states.values()) == {"ok"}


def test_every_public_name_of_plugins_is_there_and_on_the_page(repository: Path) -> None:
    page = (repository / "docs" / "plugin-contract.md").read_text("utf-8")
    for name in plugins.__all__:
        assert f"`{name}`" in page
        assert getattr(plugins, name) is not None
    assert dir(plugins) == sorted(plugins.__all__)
    with pytest.raises(AttributeError):
        getattr(plugins, "Chain")  # noqa: B009


def test_the_tiny_model_is_of_the_corpus_beside_it() -> None:
    words = {word for line in tiny_corpus_file().read_text("utf-8").splitlines() for word in re.findall(r"\w+", line)}
    assert words <= set(tiny_metadata().tokenizer.vocabulary)
    assert tiny_metadata().card["corpus"]["documents"] == 12
