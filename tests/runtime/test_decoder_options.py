"""Short forms of the decoder's options on the command line mean what their long forms mean."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click
import pytest

from genrun.cli.options.decoder import DecoderOptions
from genrun.errors import OptionError
from genrun.model import Model
from genrun.registry import make_decoder


def chosen(model: Model, *assignments: str, decoder: str | None = None, **short: Any) -> object:
    return DecoderOptions(decoder, assignments, None, **short).settings(model, seed=1).decoder


def test_short_forms_are_options_of_the_decoder(babble: Model, alphabet: Model) -> None:
    assert chosen(babble, temperature="0.5") == make_decoder("temperature", {"temperature": 0.5})
    assert chosen(babble, top_k="5") == make_decoder("top-k", {"k": 5})
    assert chosen(alphabet, top_p="0.7", temperature="2") == make_decoder("top-p", {"p": 0.7, "temperature": 2.0})
    assert chosen(babble, "temperature=2", decoder="genrun:top-k", top_k="3") == make_decoder(
        "top-k", {"k": 3, "temperature": 2.0}
    )


def test_the_models_own_decoder_keeps_its_other_options(talker_file: Path) -> None:
    import genrun

    model = genrun.load(talker_file, device="cpu")
    own = dict(model.defaults.options)
    assert model.defaults.decoder == "top-k"
    assert chosen(model, top_k="3") == make_decoder("top-k", {**own, "k": 3})
    assert chosen(model, temperature="3") == make_decoder("top-k", {**own, "temperature": 3.0})


def test_the_models_own_chain_keeps_its_other_stages(alphabet: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    own = dataclasses.replace(alphabet.defaults, decoder="no-repeat-ngram,genrun:top-p:0.95,temperature:0.7")
    monkeypatch.setattr(type(alphabet), "defaults", own)
    assert chosen(alphabet, top_p="0.5") == make_decoder("no-repeat-ngram,top-p:0.5,temperature:0.7")
    assert chosen(alphabet, top_k="3") == make_decoder("top-k:3")
    assert chosen(alphabet, decoder="top-p", top_p="0.5") == make_decoder("top-p:0.5")
    both = make_decoder("no-repeat-ngram,top-p:0.5,temperature:0.9")
    assert chosen(alphabet, top_p="0.5", temperature="0.9") == both
    with pytest.raises(click.UsageError, match=r"--top-p means --decoder top-p; it does not go with --top-k"):
        chosen(alphabet, top_k="3", top_p="0.5")
    for other in ("p=0.4", "top-p.p=0.4"):
        with pytest.raises(click.UsageError, match=r"--top-p means --set p=…; give one of them"):
            chosen(alphabet, other, top_p="0.5")


@pytest.mark.parametrize(
    ("message", "assignments", "decoder", "short"),
    [
        ("--top-k means --decoder top-k; it does not go with --decoder greedy", (), "greedy", {"top_k": "3"}),
        ("--top-p means --decoder top-p; it does not go with --top-k", (), None, {"top_k": "3", "top_p": "0.5"}),
        ("--top-k means --set k=…; give one of them", ("k=5",), None, {"top_k": "3"}),
        ("--temperature means --set temperature=…; give one of them", ("temperature=1",), None, {"temperature": "1"}),
    ],
)
def test_what_contradicts_is_one_line(
    alphabet: Model, message: str, assignments: tuple[str, ...], decoder: str | None, short: dict[str, str]
) -> None:
    with pytest.raises(click.UsageError) as caught:
        chosen(alphabet, *assignments, decoder=decoder, **short)
    assert caught.value.message == message


def test_a_wrong_value_is_the_decoders_error(alphabet: Model) -> None:
    with pytest.raises(OptionError, match="decoder 'greedy' has no option 'temperature'"):
        chosen(alphabet, temperature="1")
    with pytest.raises(OptionError, match="decoder 'top-k': k must be a whole number, not 'many'"):
        chosen(alphabet, top_k="many")


def test_programs_have_the_same_short_forms(alphabet: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alphabet.settings(top_k=3).decoder == make_decoder("top-k:3")
    assert alphabet.settings(top_p=0.7, temperature=2.0).decoder == chosen(alphabet, top_p="0.7", temperature="2")
    assert alphabet.settings(decoder="top-k", top_k=3, temperature=0.5).decoder == make_decoder(
        "top-k:3;temperature=0.5"
    )
    own = dataclasses.replace(alphabet.defaults, decoder="no-repeat-ngram,top-p:0.95")
    monkeypatch.setattr(type(alphabet), "defaults", own)
    assert alphabet.settings(top_p=0.5).decoder == make_decoder("no-repeat-ngram,top-p:0.5")
    assert alphabet.generate("", top_p=0.5, seed=1) == alphabet.generate(
        "", decoder="no-repeat-ngram,top-p:0.5", seed=1
    )


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("top_p means decoder='top-p'; it does not go with top_k", {"top_k": 3, "top_p": 0.5}),
        ("top_k means decoder='top-k'; it does not go with decoder='greedy'", {"decoder": "greedy", "top_k": 3}),
        ("top_k means k=…; give one of them", {"k": 5, "top_k": 3}),
        ("decoder 'top-k': k must be a whole number, not 'many'", {"top_k": "many"}),
        ("there is no choice 'topk'; did you mean 'top_k'?", {"topk": 3}),
    ],
)
def test_what_contradicts_in_a_program_is_one_line(alphabet: Model, message: str, given: dict[str, Any]) -> None:
    with pytest.raises(OptionError) as caught:
        alphabet.settings(**given)
    assert str(caught.value) == message


def test_a_value_that_is_not_in_the_chains_text_is_named_without_it(
    alphabet: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = dataclasses.replace(alphabet.defaults, decoder="no-repeat-ngram,top-p:0.95;temperature=1")
    monkeypatch.setattr(type(alphabet), "defaults", own)
    with pytest.raises(OptionError, match=r"^decoder 'top-p': temperature must be a number above 0, not 0"):
        chosen(alphabet, temperature="0")
    with pytest.raises(OptionError, match=r"^stage 1, character 23 of 'top-p:0.5;temperature=0,min-p:0.1': decoder"):
        chosen(alphabet, decoder="top-p:0.5;temperature=0,min-p:0.1")
