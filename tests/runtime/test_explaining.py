"""What --explain says: the text of generate, and distributions that pass through any chain."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import genrun
from genrun.cli.group import cli
from genrun.generating.explaining import Explanation
from genrun.model import Model
from support.alphabet import babble_table, letters, random_drift, words, write_model

CHAINS = (
    "greedy",
    "temperature",
    "top-k",
    "top-p:p=0.6;repeats=false",
    "min-p:0.05,temperature:0.8",
    "wanted:e;bias=3,epsilon:0.01",
    "no-repeat-ngram:1,top-k:3,mirostat:2",
    "repetition:2,greedy",
    'banned:"q, a b",dry:1;allowed=1,top-k:12,top-p:0.9,xtc:0.05',
)


class First:
    """A decoder that is no stage: always the first letter, or the second for high draws."""

    def choose(self, logits: NDArray[np.float32], tokens: object, draws: NDArray[np.float32]) -> NDArray[np.int64]:
        logits[:] = 0  # it may overwrite them
        return np.where(draws < 0.5, 4, 5)


@pytest.fixture(scope="module", params=[True, False])
def babbler(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Model:
    tokenizer = letters("word")
    path, size = tmp_path_factory.mktemp("explaining") / "babble.onnx", len(tokenizer)
    table, drift = babble_table(size), random_drift(size)
    table[tokenizer.special("start"), tokenizer.special("end")] = 5  # drawn again: no text from nothing is empty
    write_model(path, tokenizer, table=table, drift=drift, choosing=request.param, max_new_tokens=6)
    return genrun.load(path, device="cpu")


@pytest.mark.parametrize("decoder", CHAINS)
def test_the_text_is_that_of_generate_and_no_stage_brings_a_candidate_back(babbler: Model, decoder: str) -> None:
    for seed, sample, prompt in ((1, 0, "a b"), (2, 1, "a b"), (3, 0, "")):
        settings = babbler.settings(decoder=decoder, seed=seed)
        result = babbler.generate_many([prompt], n=2, settings=settings)[sample]
        found = babbler.explain(prompt, sample=sample, most=len(babbler.tokenizer), settings=settings)
        assert (found.text, tuple(word.id for word in found.words)) == (result.text, result.ids)
        for word in found.words:
            shares = np.array([candidate.probabilities for candidate in word.candidates])
            assert shares.sum(axis=0) == pytest.approx(1.0)
            assert ((shares[:, 1:] > 0) <= (shares[:, :-1] > 0)).all()
            assert [stage.kept for stage in word.stages] == (shares > 0).sum(axis=0).tolist()
            lost = np.where(shares[:, 1:] == 0, shares[:, :-1], 0).sum(axis=0)
            assert [stage.removed for stage in word.stages] == pytest.approx([0.0, *lost])
            [chosen] = [candidate for candidate in word.candidates if candidate.id == word.id]
            assert chosen.probabilities[-1] > 0


def test_the_first_column_is_the_model_and_a_stage_shows_what_it_did(babbler: Model) -> None:
    found = babbler.explain("a", decoder="top-k:2,temperature:0.5", seed=1)
    by_model = {each.id: each.probability for each in babbler.suggest("a ", n=40, end=True)}
    assert [stage.name for stage in found.words[0].stages] == ["model", "top-k:2", "temperature:0.5"]
    assert all(
        candidate.probabilities[0] == pytest.approx(by_model[candidate.id]) for candidate in found.words[0].candidates
    )
    for word in found.words:
        _, cut, cooled = np.array([candidate.probabilities for candidate in word.candidates]).T
        assert np.sort(cooled)[::-1][:2] == pytest.approx(np.sort(cut**2 / (cut**2).sum())[::-1][:2])


def test_a_decoder_that_is_no_stage_is_explained_by_the_model_alone(babbler: Model) -> None:
    settings = babbler.settings(decoder=First(), seed=3)
    found = babbler.explain("a", settings=settings)
    assert found.text == babbler.generate("a", settings=settings)
    assert (found.chooser, len(found.words[0].stages)) == ("First", 1)


def test_the_chosen_token_is_shown_however_few_are_asked_for(babbler: Model) -> None:
    found = babbler.explain("a", decoder="temperature:3", seed=5, most=1)
    assert all(word.id in [candidate.id for candidate in word.candidates] for word in found.words)
    assert max(len(word.candidates) for word in found.words) == 2


class Elements(HTMLParser):
    """Collects elements, attributes and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names, self.attributes, self.text, self.open = set[str](), set[str](), "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open += [] if tag == "meta" else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else_and_shows_a_models_words_as_text(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tags.onnx", words("<script>alert(1)</script>", "a&b", "\x1b[2J"), max_new_tokens=4)
    found = genrun.load(path, device="cpu").explain("", decoder="top-k:2", seed=1)
    page, seen = found.page(), Elements()
    seen.feed(page)
    assert seen.open == []
    assert not seen.names & {"script", "link", "img", "iframe"}
    assert not seen.attributes & {"src", "href", "onload", "onclick"}
    assert "url(" not in page and "\x1b" not in page  # noqa: PT018
    assert {"svg", "polygon", "rect", "table"} <= seen.names
    assert "<script>alert(1)</script>" in seen.text


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["generate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_shows_a_table_json_or_a_page(babbler: Model, tmp_path: Path) -> None:
    given = [
        str(babbler.path),
        "a b",
        "--explain",
        "--seed",
        "4",
        "--decoder",
        "top-k:3,min-p:0.2",
        "--device",
        "cpu",
    ]
    found = babbler.explain("a b", seed=4, decoder="top-k:3,min-p:0.2")
    table = run(*given).splitlines()
    assert table == list(found.table())
    assert table[0] == f"a b | {found.words[0].text}"
    assert table[1].split() == ["model", "top-k:3", "min-p:0.2"]
    assert sum(line.startswith("* ") for line in table) == len(found.words)
    assert json.loads(run(*given, "--json")) == json.loads(json.dumps(found.to_json()))
    assert run(*given, "-o", str(tmp_path / "page.html")) == ""
    assert (tmp_path / "page.html").read_text() == found.page()
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("other", [["-n", "2"], ["--stream"], ["--lines"]])
def test_explain_goes_with_one_text_of_each_prompt(babbler: Model, other: list[str]) -> None:
    result = CliRunner().invoke(cli, ["generate", str(babbler.path), "a", "--explain", *other])
    assert result.exit_code != 0
    assert "--explain is for one text" in result.output


def test_what_is_copied_is_said(babbler: Model) -> None:
    assert isinstance(found := babbler.explain("a", seed=1), Explanation)
    assert found.to_json()["copied_run"] is None
