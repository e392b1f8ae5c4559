"""The listing of plugins: everything is shown, and nothing that is broken stops it."""

from __future__ import annotations

import json

import pytest

from genrun.diagnosing.plugin_listing import ListedPlugin, list_plugins
from support.distributions import DECODER, Site

NOT_A_DATACLASS = "class Lowest:\n    def choose(self, logits, tokens, draws): ...\n"


def listed(kind: str, name: str, distribution: str = "genrun") -> ListedPlugin:
    [entry] = [
        entry
        for entry in list_plugins()
        if (entry.kind, entry.name, entry.distribution) == (kind, name, distribution)
    ]
    return entry


def test_a_built_in_decoder_is_listed_with_its_options_and_file() -> None:
    entry = listed("decoder", "top-k")
    assert (entry.state, entry.reason, entry.options) == ("available", None, {"k": 40, "temperature": 1.0})
    assert entry.defined == "genrun_plugins.decoders.top_k:TopK"
    assert entry.file is not None
    assert entry.file.endswith("top_k.py")


def test_readers_and_commands_are_listed_too() -> None:
    assert listed("reader", "csv").state == "available"
    command = listed("command", "generate")
    assert (command.state, command.options) == ("available", {})
    assert command.file is not None
    assert command.file.endswith("generate.py")


def test_every_entry_can_be_written_as_json() -> None:
    entries = list_plugins()
    written = json.loads(json.dumps([entry.to_json() for entry in entries]))
    assert [(entry["kind"], entry["name"]) for entry in written] == [(entry.kind, entry.name) for entry in entries]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no luck')", "decoder 'lowest' of acme 1.0 failed to import: RuntimeError: no luck"),
        ("raise SystemExit(3)", "decoder 'lowest' of acme 1.0 failed to import: SystemExit: 3"),
        ("Lowest = None", "decoder 'lowest' of acme 1.0 must be a class with a method 'choose', 'apply'"),
        (NOT_A_DATACLASS, "decoder 'lowest' of acme 1.0 must be a dataclass"),
    ],
)
def test_what_is_broken_is_listed_with_its_reason_beside_the_rest(installed: Site, source: str, reason: str) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_decoders:Lowest"}}, acme_decoders=source)
    entry = listed("decoder", "lowest", "acme")
    assert entry.state == "broken"
    assert entry.reason is not None
    assert entry.reason.startswith(reason)
    assert entry.columns[-1] == f"broken: {entry.reason}"
    assert listed("decoder", "greedy").state == "available"


def test_a_plugin_behind_a_built_in_name_is_hidden(installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"greedy": "acme_decoders:Lowest"}}, acme_decoders=DECODER)
    entry = listed("decoder", "greedy", "acme")
    assert (entry.state, entry.reason) == ("hidden", "'greedy' is a built-in name; ask for 'acme:greedy'")
    assert entry.options == {"offset": 0}
    assert listed("decoder", "greedy").state == "available"


def test_a_name_offered_twice_is_hidden_in_both_places(installed: Site) -> None:
    for name in ("acme", "other"):
        installed.install(name, {"genrun.decoders": {"lowest": f"{name}_d:Lowest"}}, **{f"{name}_d": DECODER})
    for name in ("acme", "other"):
        entry = listed("decoder", "lowest", name)
        assert entry.state == "hidden"
        assert entry.reason is not None
        assert "ask for 'acme:lowest' or 'other:lowest'" in entry.reason
