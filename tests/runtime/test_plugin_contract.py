"""The versioned contract: old plugins work as they did, those of a newer genrun are refused with what to do."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import genrun
from genrun import registry
from genrun.checks.installation import upgrade_line
from genrun.cli.group import cli
from genrun.contracts.version import CONTRACT, OLDEST, refusal
from genrun.diagnosing.doctor import Machine, check_plugins
from support.distributions import DECODER, Site

NAME = {"genrun.decoders": {"lowest": "acme_d:Lowest"}}
NEWER = r"was written for contract 99, and this genrun \(.*\) works with 1 to 2: "

# Of contract 1: it has `choose` alone, and overwrites the logits that it is given.
OVERWRITES = """\
from dataclasses import dataclass


@dataclass(frozen=True)
class Lowest:
    def choose(self, logits, tokens, draws):
        logits *= -1
        logits[logits == float("inf")] = -float("inf")
        return logits.argmax(axis=1)
"""


def of_contract(number: str, source: str = DECODER) -> str:
    return source.replace(
        "(frozen=True)\nclass Lowest:\n", f"(frozen=True)\nclass Lowest:\n    contract = {number}\n\n"
    )


def test_a_plugin_without_a_number_is_of_the_first_contract(installed: Site) -> None:
    installed.install("acme", NAME, acme_d=DECODER)
    assert registry.contract_of("decoder", registry.make_decoder("lowest")) == 1


def test_the_number_of_the_class_counts_before_that_of_the_distribution(installed: Site) -> None:
    installed.install("acme", {**NAME, "genrun.contract": {"1": "acme_d"}}, acme_d=of_contract("2"))
    assert registry.contract_of("decoder", registry.make_decoder("lowest")) == 2


def test_the_number_of_the_distribution_counts_for_all_its_plugins(installed: Site) -> None:
    installed.install("acme", {**NAME, "genrun.contract": {"2": "acme_d"}}, acme_d=DECODER)
    assert registry.contract_of("decoder", registry.make_decoder("lowest")) == 2


def test_a_class_of_a_newer_contract_is_refused_by_name_and_as_an_object(
    installed: Site, alphabet: genrun.Model
) -> None:
    installed.install("acme", NAME, acme_d=of_contract("99"))
    with pytest.raises(genrun.PluginError, match=f"decoder 'lowest' of acme 1.0 {NEWER}"):
        registry.make_decoder("lowest")
    made: Any = __import__("acme_d").Lowest()
    for decoder in (made, [made]):
        with pytest.raises(genrun.PluginError, match=f"decoder Lowest {NEWER}"):
            alphabet.generate("a", decoder=decoder)


def test_a_distribution_of_a_newer_contract_is_refused_before_it_is_imported(installed: Site) -> None:
    installed.install("acme", {**NAME, "genrun.contract": {"99": "acme_d"}}, acme_d=DECODER)
    with pytest.raises(genrun.PluginError, match=f"decoder 'lowest' of acme 1.0 {NEWER}"):
        registry.make_decoder("lowest")
    assert "acme_d" not in sys.modules
    made: Any = __import__("acme_d").Lowest()
    with pytest.raises(genrun.PluginError, match=f"decoder 'lowest' of acme 1.0 {NEWER}"):
        registry.contract_of("decoder", made)


@pytest.mark.parametrize("number", ["0", "-3", "'two'", "True", "2.0"])
def test_what_is_no_number_of_a_contract_is_refused(installed: Site, number: str) -> None:
    installed.install("acme", NAME, acme_d=of_contract(number))
    with pytest.raises(genrun.PluginError, match="a contract is a whole number from 1"):
        registry.make_decoder("lowest")


def test_a_number_of_a_distribution_that_is_none_is_refused(installed: Site) -> None:
    installed.install("acme", {**NAME, "genrun.contract": {"two": "acme_d"}}, acme_d=DECODER)
    with pytest.raises(genrun.PluginError, match="a contract is a whole number from 1"):
        registry.make_decoder("lowest")


def test_one_that_is_too_old_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genrun.contracts.version.OLDEST", OLDEST + 1)
    assert "works with 2: pip install --upgrade acme" in str(refusal(OLDEST, "acme"))


def test_an_old_decoder_may_overwrite_its_logits_and_a_new_one_may_not(
    installed: Site, letter_words: genrun.Model
) -> None:
    installed.install("acme", NAME, acme_d=OVERWRITES)
    text = letter_words.generate("a", decoder="lowest", max_new_tokens=2)
    assert len(text.split()) == 3
    newer = {"genrun.decoders": {"newest": "other_d:Lowest"}}
    installed.install("other", newer, other_d=of_contract("2", OVERWRITES))
    with pytest.raises(genrun.PluginError, match="read-only"):
        letter_words.generate("a", decoder="newest", max_new_tokens=2)


def test_the_list_shows_version_contract_place_and_state(installed: Site) -> None:
    command = "import click\n\n\n@click.command()\ndef command():\n    pass\n"
    entries = {"genrun.decoders": {"two": "a_d:Lowest"}, "genrun.commands": {"hello": "a_c:command"}}
    installed.install("acme", {**entries, "genrun.contract": {"2": "a_d"}}, a_d=DECODER, a_c=command)
    installed.install("first", {"genrun.decoders": {"one": "f_d:Lowest"}}, f_d=DECODER)
    installed.install("later", {"genrun.decoders": {"much": "l_d:Lowest"}}, l_d=of_contract("99"))
    listing = CliRunner().invoke(cli, ["plugins"]).stdout.splitlines()
    built_in = {line.partition(" genrun 0")[2].split()[2] for line in listing if " genrun 0" in line}
    assert built_in == {str(CONTRACT)}
    rows = [" ".join(line.split()) for line in listing if any(each in line for each in ("_d:", "_c:"))]
    assert [row.partition(" was written")[0] for row in rows] == [
        "decoder much later 1.0 contract 99 l_d:Lowest broken: decoder 'much' of later 1.0",
        "decoder one first 1.0 contract 1 f_d:Lowest available",
        "decoder two acme 1.0 contract 2 a_d:Lowest available",
        "command hello acme 1.0 contract 2 a_c:command available",
    ]


def test_the_doctor_says_to_upgrade_genrun_for_a_plugin_of_a_newer_contract(installed: Site) -> None:
    installed.install("acme", {**NAME, "genrun.contract": {"99": "acme_d"}}, acme_d=DECODER)
    [found] = [each for each in check_plugins(Machine()) if each.level == "problem"]
    assert (found.message.partition(",")[0], found.remedy) == (
        "decoder 'lowest' of acme 1.0 was written for contract 99",
        upgrade_line(),
    )


class TestCheck:
    def check(self, *arguments: str) -> tuple[int, list[str]]:
        done = CliRunner().invoke(cli, ["plugins", "check", *arguments])
        return done.exit_code, done.stdout.splitlines()

    def test_one_line_for_each_check_and_the_status_of_all(self, installed: Site) -> None:
        installed.install("acme", NAME, acme_d=DECODER)
        status, lines = self.check("lowest")
        assert (status, lines[0]) == (1, "decoder 'lowest' of acme 1.0")
        assert "  ok       it can be imported: contract 1" in lines
        assert "  failed   what is out stays out: Lowest.choose() chose a token that must not be chosen" in " ".join(
            lines
        )
        status, lines = self.check("top-k", "--set", "k=5")
        assert (status, {line.split()[0] for line in lines[1:]}) == (0, {"ok", "skipped"})

    def test_a_distribution_is_checked_plugin_by_plugin_whatever_they_do(self, installed: Site) -> None:
        entries = {"genrun.decoders": {"lowest": "acme_d:Lowest", "gone": "acme_e:Gone"}}
        source = DECODER.replace("Lowest", "Gone").replace("return", "import os; os._exit(3); return")
        installed.install("acme", entries, acme_d="raise RuntimeError('no luck')\n", acme_e=source)
        status, lines = self.check("acme")
        assert status == 1
        assert lines == [
            "decoder 'gone' of acme 1.0",
            "  failed   its checks come to an end: the process ended, exit status 3",
            "decoder 'lowest' of acme 1.0",
            "  failed   it can be imported: decoder 'lowest' of acme 1.0 failed to import: RuntimeError: no luck",
        ]

    def test_a_reader_is_checked_with_its_example_or_with_files(self, samples: Path) -> None:
        assert self.check("text")[0] == 0
        status, lines = self.check("mix", f"text::{samples / 'racetrack.txt'}")
        assert (status, len(lines)) == (0, 11)
        assert self.check("mix")[1][-1].startswith("  skipped  it reads: it has no example: name files")

    def test_a_failure_of_an_example_says_that_it_is_the_example(self, installed: Site) -> None:
        source = """
            from dataclasses import dataclass
            from genrun import CorpusError

            @dataclass(frozen=True)
            class Cards:
                example = ("cards.txt", "no card")

                def read(self, sources, report):
                    raise CorpusError(f"{sources[0]}:1: no card")
                    yield
        """
        installed.install("acme", {"genrun.readers": {"cards": "acme_r:Cards"}}, acme_r=textwrap.dedent(source))
        status, lines = self.check("cards")
        assert (status, lines[-1].endswith(" (the file is its attribute example)")) == (1, True)
        assert "cards.txt:1: no card" in lines[-1]

    def test_an_architecture_defines_its_weights_and_layers(self, installed: Site) -> None:
        source = """
            from dataclasses import dataclass

            from genrun_core.architectures import Architecture

            @dataclass(frozen=True)
            class Half(Architecture):
                def weights(self, model):
                    return {}

            @dataclass(frozen=True)
            class Foreign:
                def layers(self, model, dtype):
                    return ()
        """
        entries = {"genrun.architectures": {"half": "acme_a:Half", "foreign": "acme_a:Foreign"}}
        installed.install("acme", entries, acme_a=textwrap.dedent(source))
        status, lines = self.check("half")
        assert (status, lines[-1]) == (1, "  failed   it defines weights and layers: it must define layers()")
        assert self.check("foreign")[1][-1].endswith("it must inherit genrun_core.architectures.Architecture")
        status, lines = self.check("lstm")
        assert (status, [line.split()[0] for line in lines[1:]]) == (0, ["ok", "ok", "ok", "skipped"])

    def test_what_is_needed_or_unknown_is_said(self) -> None:
        assert "needs the option 'phrases': --set phrases=…" in self.check("never")[1][-1]
        assert self.check("never", "--set", "phrases=sea")[0] == 0
        done = CliRunner().invoke(cli, ["plugins", "check", "top-kk"])
        assert str(getattr(done.exception, "error", done.exception)) == (
            "no plugin or distribution is called 'top-kk'; did you mean 'top-k' or 'top-p'?"
        )
