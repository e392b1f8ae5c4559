"""Plugins that a program registers: found by name like installed ones, and never instead of built-in ones."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from typing import Any

import numpy as np
import pytest

from genrun import registry
from genrun.diagnosing.plugin_listing import list_plugins
from genrun.errors import OptionError, PluginError, UnknownPluginError
from genrun.model import Model
from genrun.plugins import constraint, decoder, reader
from genrun.registry.in_process import forget
from support.distributions import DECODER, Site

LOWEST = {"genrun.decoders": {"lowest": "acme_decoders:Lowest"}}


def chooser(module: str, token: int = 0) -> Any:
    """Return a decoder class of a ``module`` that always chooses one token."""

    def choose(self: object, logits: Any, tokens: object, draws: object) -> Any:
        return np.full(len(logits), token)

    fields = [("offset", int, 0)]
    made: Any = make_dataclass("Always", fields, frozen=True, namespace={"choose": choose, "__module__": module})
    return made


def test_a_registered_decoder_is_named_in_every_spelling(alphabet: Model) -> None:
    @decoder("second")
    @dataclass(frozen=True)
    class Second:
        """Leaves out the likeliest token."""

        most: int = 1

        def apply(self, candidates: Any, states: Any, draws: Any) -> Any:
            return candidates.keep(candidates.logits < candidates.logits.max(axis=1, keepdims=True))

    chosen = Second(most=2)
    assert registry.make_decoder("second:2,greedy") == registry.make_chain([chosen, "greedy"])
    assert registry.make_decoder("this-process:second,greedy") == registry.make_chain([Second(), "greedy"])
    expected = alphabet.generate("a", decoder=[Second(), "greedy"])
    assert alphabet.generate("a", decoder="second,greedy") == expected != alphabet.generate("a", decoder="greedy")
    assert registry.chain_json(registry.make_decoder("second:2,greedy"))[0] == {
        "name": "second",
        "options": {"most": 2},
    }


def test_a_registered_reader_and_a_part_are_made_with_options() -> None:
    @reader("rows")
    @dataclass(frozen=True)
    class Rows:
        most: int = 1

        def read(self, sources: Any, report: Any) -> Any:
            yield from sources

    @constraint("anything")
    @dataclass(frozen=True)
    class Anything:
        def automaton(self, lexicon: Any) -> Any: ...

    assert registry.make_reader("rows", {"most": "3"}) == Rows(3)
    assert [each.part for each in registry.make_constraint("anything")] == [Anything()]


def test_a_cell_that_runs_twice_replaces_its_class() -> None:
    decoder("always")(chooser("__main__", 0))
    again = decoder("always")(chooser("__main__", 1))
    assert type(registry.make_decoder("always")) is again


def test_a_class_of_another_module_replaces_it_only_if_it_says_so() -> None:
    decoder("always")(chooser("one"))
    other = chooser("other")
    with pytest.raises(OptionError) as caught:
        decoder("always")(other)
    assert str(caught.value) == ("decoder 'always' is from one:Always; choose another name, or give replace=True")
    decoder("always", replace=True)(other)
    assert type(registry.make_decoder("always")) is other


def test_an_installed_name_is_replaced_only_if_the_class_says_so(installed: Site) -> None:
    installed.install("acme", LOWEST, version="2.3", acme_decoders=DECODER)
    made = chooser("__main__")
    with pytest.raises(OptionError) as caught:
        decoder("lowest")(made)
    assert str(caught.value) == (
        "decoder 'lowest' is installed by acme 2.3; choose another name, or give replace=True"
    )
    decoder("lowest", replace=True)(made)
    assert type(registry.make_decoder("lowest")) is made
    assert type(registry.make_decoder("acme:lowest")).__name__ == "Lowest"
    states = {(each.distribution, each.name): (each.state, each.reason) for each in list_plugins()}
    assert states["this-process", "lowest"] == ("available", None)
    assert states["acme", "lowest"] == ("hidden", "__main__:Always, registered in this process, replaces it")
    forget("decoder", "lowest")
    assert type(registry.make_decoder("lowest")).__name__ == "Lowest"


def test_a_name_that_two_distributions_offer_needs_no_third_meaning(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    installed.install("other", {"genrun.decoders": {"lowest": "other_d:Lowest"}}, other_d=DECODER)
    with pytest.raises(OptionError, match=r"'acme:lowest' or 'other:lowest'; a class needs another name"):
        decoder("lowest", replace=True)(chooser("__main__"))


def test_a_built_in_name_is_never_replaced() -> None:
    with pytest.raises(OptionError) as caught:
        decoder("greedy", replace=True)(chooser("__main__"))
    assert str(caught.value) == "decoder 'greedy' is a built-in name, which cannot be replaced; choose another one"
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "a\nb", "x" * 101])
def test_a_name_is_checked(name: str) -> None:
    with pytest.raises(PluginError, match=r"of this-process cannot be used: a (name|decoder's name) has"):
        decoder(name)(chooser("__main__"))


def test_what_is_no_plugin_of_its_kind_is_refused_where_it_is_registered() -> None:
    class Plain:
        def choose(self) -> None: ...

    with pytest.raises(PluginError, match=r"^decoder 'plain' of this-process must be a dataclass"):
        decoder("plain")(Plain)
    with pytest.raises(PluginError, match=r"^reader 'plain' of this-process must be a class with a method 'read'"):
        reader("plain")(chooser("__main__"))
    with pytest.raises(OptionError, match=r"^a decoder must be a class"):
        decoder("plain")(chooser("__main__")())
    with pytest.raises(UnknownPluginError):
        registry.find("decoder", "plain")
