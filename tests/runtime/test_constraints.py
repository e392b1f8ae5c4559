"""Constraints: texts meet them and have the right probabilities; what cannot be met is named."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import genrun
from genrun.cli.group import cli
from genrun.generating.constrained.growing_text import GrowingText
from genrun.generating.constrained.pool import Pool
from genrun.generating.constrained.proposals import as_chain
from genrun.generating.constrained.texts import ConstrainedTexts
from genrun.generating.generator import TextGenerator
from genrun.generating.threads import BatchThreads
from genrun.model import Model
from genrun.registry import make_constraint
from genrun.sampling.automata import Automaton, Lexicon, Opening, last_words
from support.alphabet import babble_table, random_drift, words, write_model
from support.constraints import can_be_met, cannot_be_met, line_model, named_parts


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return line_model(tmp_path_factory.mktemp("lines"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Four words and an end: all texts can be enumerated."""
    tokenizer = words("ant", "bee", "cat", "bat", specials=("start", "end"))
    table, drift = 0.4 * babble_table(len(tokenizer)), 0.4 * random_drift(len(tokenizer))
    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    write_model(
        path, tokenizer, table=table, drift=drift, decoder="temperature", max_new_tokens=6, suppress=("start",)
    )
    return genrun.load(path, device="cpu")


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_every_text_meets_a_constraint_that_can_be_met(lines: Model, number: int) -> None:
    constraint, check = can_be_met(random.Random(number))
    for result in lines.generate_many([""], n=2, constraint=constraint, particles=4, seed=number):
        assert check(result.text), constraint


@settings(max_examples=12)
@given(st.integers(0, 10**6))
def test_what_cannot_be_met_is_an_error_that_names_the_parts(lines: Model, number: int) -> None:
    constraint, guilty = cannot_be_met(random.Random(number))
    assert named_parts(lines, constraint) == guilty, constraint


@pytest.mark.parametrize("decoder", ["temperature", "top-k:4,temperature:0.7", "no-repeat-ngram:2,min-p:0.1"])
def test_texts_have_the_probabilities_of_the_chain_given_the_constraint(tiny: Model, decoder: str) -> None:
    constraint = 'words:3-4,never:ant bee,ends:"bee, cat"'
    exact = _exact(
        tiny,
        decoder,
        lambda text: (
            3 <= len(text) <= 4 and text[-1] in ("bee", "cat") and (("ant", "bee") not in list(pairwise(text)))
        ),
    )
    found = defaultdict[tuple[str, ...], float](float)
    for text in _grown(tiny, decoder, constraint, particles=256, count=50):
        for particle, weight in enumerate(text.particles.weights()):
            ids = text.particles.ids(particle)
            found[tuple(tiny.tokenizer.vocabulary[token] for token in ids[:-1])] += weight / 50
    assert {text for text, weight in found.items() if weight > 1e-9} <= set(exact)
    assert sum(abs(found[text] - exact[text]) for text in exact) / 2 < 0.05


def _exact(model: Model, decoder: str, meets) -> dict[tuple[str, ...], float]:  # type: ignore[no-untyped-def]
    """Return the probabilities of all texts that meet a constraint, computed from those of all texts."""
    chain, vocabulary = as_chain(model.settings(decoder=decoder).decoder), model.tokenizer.vocabulary
    start, end = 0, model.tokenizer.special("end")
    found = dict[tuple[str, ...], float]()
    waiting: list[tuple[tuple[int, ...], float, Any, int]] = [((), 1.0, model._session.initial_states(1), start)]
    for ids, probability, states, token in waiting:
        logits, after = model._session.step(np.array([token]), states)
        logits[:, start] = -np.inf
        row = chain.first([start])
        for each in ids:
            row = chain.follow(row, each)
        candidates = chain.distribution(logits, [row], np.zeros(1, np.float32))
        probabilities = np.exp(candidates.whole()[0].astype(float))
        probabilities /= probabilities.sum()
        found[tuple(vocabulary[each] for each in ids)] = probability * probabilities[end]
        if len(ids) < 5:
            for each in range(2, len(vocabulary)):
                if probabilities[each]:
                    waiting.append(((*ids, each), probability * probabilities[each], after, each))
    kept = {text: value for text, value in found.items() if value and meets(text)}
    return {text: value / sum(kept.values()) for text, value in kept.items()}


def _grown(model: Model, decoder: str, constraint: str, *, particles: int, count: int) -> list[GrowingText]:
    """Return finished texts with all their particles."""
    chosen = model.settings(decoder=decoder, constraint=constraint, particles=particles, seed=5)
    threads = BatchThreads(1)
    generator = TextGenerator(model._session, model._metadata, chosen, threads)
    made = ConstrainedTexts(model._session, model._metadata, chosen, threads)
    planned: dict[object, GrowingText] = {}
    list(made._planned(generator._requests([""], count), planned))  # type: ignore[arg-type]
    texts = list(planned.values())
    pool = Pool(model._session, made._chain, model.defaults.suppressed_ids, threads)
    pool.admit(texts)
    while len(pool):
        pool.advance()
    return texts


def test_a_text_depends_on_no_other(lines: Model) -> None:
    choices = {"constraint": "words:4-9,lines:2", "seed": 3, "particles": 8}
    prompts = ["", "sea", "the old ferry", ""]
    together = lines.generate_many(prompts, n=3, batch_size=5, **choices)  # type: ignore[arg-type]
    alone = [lines.generate_many([prompt], n=3, batch_size=1, **choices) for prompt in prompts]  # type: ignore[arg-type]
    assert together == [result for results in alone for result in results]
    assert [lines.generate(prompt, **choices) for prompt in prompts] == [  # type: ignore[arg-type]
        result.text for result in together[::3]
    ]
    assert {result.finish_reason for result in together} == {"end"}


def test_long_texts_have_half_as_many_particles(lines: Model) -> None:
    for constraint, particles in (("words:6", 32), ("words:40-48", 16)):
        choices = {"constraint": constraint, "seed": 3, "max_new_tokens": 60}
        by_default = lines.generate_many([""], n=3, **choices)  # type: ignore[arg-type]
        assert by_default == lines.generate_many([""], n=3, particles=particles, **choices)  # type: ignore[arg-type]


def test_a_text_from_nothing_is_empty_only_if_it_has_to_be(lines: Model) -> None:
    results = lines.generate_many([""], n=20, constraint="words:-2", seed=1, particles=4)
    assert all(result.text for result in results)
    assert lines.generate("", constraint="characters:0", seed=1) == ""


def test_threads_change_nothing(lines: Model) -> None:
    chosen = lines.settings(constraint="words:6-9", seed=1, particles=64)
    results = [
        list(TextGenerator(lines._session, lines._metadata, chosen, BatchThreads(count)).results([""], 6, 64))
        for count in (1, 3)
    ]
    assert results[0] == results[1]


def test_the_result_has_the_probability_of_the_model_and_the_effective_particles(tiny: Model) -> None:
    [result] = tiny.generate_many([""], constraint="words:4", seed=2)
    assert result.log_probability == pytest.approx(tiny.score(result.text).log_probability, abs=1e-4)
    assert result.effective_particles is not None
    assert 1 <= result.effective_particles <= 32
    assert result.to_json()["effective_particles"] == round(result.effective_particles, 1)
    [plain] = tiny.generate_many([""], seed=2)
    assert "effective_particles" not in plain.to_json()


def test_text_object_and_json_mean_the_same(lines: Model) -> None:
    text = 'words:5-6,never:"the sea, storm",ends:"fog, sky";line=1'
    parts = make_constraint(text)
    named = [{"name": "words", "options": {"count": "5-6"}}]
    named += [{"name": "never", "options": {"phrases": ["the sea", "storm"]}}]
    named += [{"name": "ends", "options": {"words": ["fog", "sky"], "line": 1}}]
    several = ["words:5-6", 'never:"the sea, storm",ends:"fog, sky";line=1']
    forms: list[object] = [text, several, [each.part for each in parts], named]
    assert len({lines.generate("", constraint=form, seed=4) for form in forms}) == 1


def test_the_prompt_counts_also_its_unknown_words(lines: Model) -> None:
    with pytest.warns(genrun.UnknownWordsWarning):
        text = lines.generate("Dragons  eat the sea", constraint="words:6,characters:26-40", seed=1)
    assert text.startswith("Dragons  eat the sea")
    assert len(text.replace(",", "").split()) == 6
    assert 26 <= len(text) <= 40
    with pytest.raises(genrun.PromptError, match=r"the prompt 'the old sea' .*part 1, .*: no text .* meets it"):
        lines.generate("the old sea", constraint="words:2")


def test_a_chain_that_allows_nothing_else_gives_way(lines: Model) -> None:
    for decoder in ("greedy", "top-k:1", "banned:sea"):
        assert lines.generate("", constraint='pattern:"sea sea sea"', decoder=decoder, seed=1).replace(
            ",", ""
        ).split() == (["sea"] * 3)


def test_a_model_without_an_end_stops_once_the_constraint_is_met(letter_words: Model) -> None:
    [result] = letter_words.generate_many(["a"], constraint="words:4", decoder="temperature", seed=1)
    assert (len(result.text.split()), result.finish_reason, len(result.ids)) == (4, "stop", 3)
    assert letter_words.generate("a b", constraint="words:2", seed=1) == "a b"


def test_characters_of_names(alphabet: Model) -> None:
    for result in alphabet.generate_many(["c"], n=5, constraint="characters:4", decoder="temperature", seed=1):
        assert len(result.text) == 4


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (
            "words:6,nevr:sea",
            "part 2, character 9 of 'words:6,nevr:sea': unknown constraint 'nevr:sea'; did you mean 'never'",
        ),
        ("words:6,lines:4-2", "part 2, character 15 of 'words:6,lines:4-2': constraint 'lines': count must not end"),
        ("never:sea,order:dragon", "part 2, character 11 of 'never:sea,order:dragon': 'dragon' is not in the model"),
        (
            'pattern:"the (sea"',
            "part 1, character 9 of .*: character 9 of the text: the bracket of character 5 is not",
        ),
        ("acrostic:quiz", "part 1, character 1 of 'acrostic:quiz': no word of the model begins with 'q'"),
        ("words:6;5", "part 1, character 9 of 'words:6;5': only the first option may be without its name="),
        (["words:2", 7], "part 2: a constraint is text or an object with 'automaton', not 7"),
        ("words:30", "part 1, .*: it needs at least 31 new tokens with the end, and max_new_tokens is 24"),
    ],
)
def test_a_mistake_points_at_its_part_and_character(lines: Model, constraint: object, message: str) -> None:
    with pytest.raises(genrun.GenrunError, match=message):
        lines.generate("", constraint=constraint)


def test_what_does_not_go_with_a_constraint(lines: Model, alphabet: Model) -> None:
    with pytest.raises(genrun.OptionError, match="cannot be streamed"):
        next(lines.stream("", constraint="words:6"))
    with pytest.raises(genrun.OptionError, match="not scheduled"):
        lines.schedule("", constraint="words:6")
    with pytest.raises(genrun.OptionError, match="Mirostat does not say how likely"):
        lines.generate("", constraint="words:6", decoder="mirostat")
    with pytest.raises(genrun.OptionError, match="a stop text cuts"):
        lines.generate("", constraint="words:6", stop="sea")
    with pytest.raises(genrun.OptionError, match="particles are for a constraint"):
        lines.generate("", particles=6)
    for count in (0, 10_001):
        with pytest.raises(
            genrun.OptionError, match=f"particles must be a whole number from 1 to 10,000, not {count}"
        ):
            lines.generate("", constraint="words:3", particles=count)
    with pytest.raises(genrun.OptionError, match="needs a model whose tokens are words; this one has characters"):
        alphabet.generate("a", constraint="words:6")


@dataclass(frozen=True, slots=True)
class Rhymes:
    """What a plugin may be: it finds the words that rhyme among those of the model."""

    ending: str

    def automaton(self, lexicon: Lexicon) -> Automaton:
        return last_words(lexicon, lexicon.words & np.array([text.endswith(self.ending) for text in lexicon.texts]))


def test_a_plugin_gives_the_words_at_the_ends_of_lines(lines: Model) -> None:
    text = lines.generate("", constraint=["lines:3", Rhymes("y")], seed=2)
    assert [line.rstrip(" ,").split()[-1][-1] for line in text.split("\n") if line.strip(" ,")] == ["y"] * 3


def test_a_part_that_breaks_its_contract_is_named(lines: Model) -> None:
    class Broken:
        def automaton(self, lexicon: Lexicon) -> object:
            return len(lexicon)

    with pytest.raises(genrun.PluginError, match=r"part 1, .*Broken must return an Automaton"):
        lines.generate("", constraint=Broken())


def test_the_command_takes_several_constraints(lines: Model) -> None:
    arguments = ["generate", str(lines.path), "--constraint", "words:5", "--constraint", "never:sea,order:fog"]
    runner = CliRunner()
    done = runner.invoke(cli, [*arguments, "-n", "3", "--seed", "1", "-q", "--particles", "8"])
    assert done.exit_code == 0, done.output
    assert all("fog" in text and "sea" not in text for text in done.stdout.splitlines())
    refused = runner.invoke(cli, [*arguments, "--stream"]).exception
    assert isinstance(refused, genrun.OptionError)
    assert "cannot be streamed" in str(refused)


@dataclass(frozen=True, slots=True)
class _Again:
    """The text ends with the word that it begins with: after a prompt, one automaton for one word."""

    made: ClassVar[list[tuple[int, ...]]] = []

    def automaton(self, lexicon: Lexicon) -> Automaton:
        raise AssertionError("automaton_after takes its place")

    def automaton_after(self, lexicon: Lexicon, opening: Opening) -> Automaton:
        self.made.append(opening.tokens)
        if not opening.tokens:
            raise genrun.PromptError("there is no first word")
        if not lexicon.usable[opening.tokens[0]]:
            raise genrun.OptionError(f"{lexicon.texts[opening.tokens[0]]} cannot be written")
        return last_words(lexicon, lexicon.mask([opening.tokens[0]]))


def test_a_part_may_make_its_automaton_for_each_prompt(lines: Model) -> None:
    _Again.made.clear()
    choices: dict[str, Any] = {"constraint": [_Again(), "words:3"], "seed": 3, "particles": 4}
    results = lines.generate_many(["sea", "the old", "sea"], n=4, **choices)
    assert [result.text.replace(",", "").split()[::2] for result in results] == [
        *[["sea", "sea"]] * 4,
        *[["the", "the"]] * 4,
        *[["sea", "sea"]] * 4,
    ]
    assert len(_Again.made) == 2
    assert results[4:8] == lines.generate_many(["the old"], n=4, **choices)


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ("", genrun.PromptError, "the prompt '' cannot be continued: part 1, _Again: there is no first word"),
        ("xyz sea", genrun.OptionError, "part 1, _Again: xyz cannot be written"),
        (
            "sea sky fog ox",
            genrun.PromptError,
            "the prompt 'sea sky fog ox' cannot be continued: part 1, character 1 of 'words:3': no text",
        ),
    ],
)
def test_a_part_that_cannot_be_met_after_a_prompt_says_why(
    lines: Model, prompt: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        lines.generate_many([prompt], constraint=[_Again(), "words:3"], seed=1)
    assert str(raised.value).startswith(message)
