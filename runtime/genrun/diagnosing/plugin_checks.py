"""Checks that installed plugins keep their contract: the checks of :mod:`genrun.testing`, plugin by plugin.

``python -P -m genrun.diagnosing.plugin_checks`` checks one plugin, whose checks may crash, hang or print: it reads
JSON from standard input and writes the outcomes as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from genrun import registry
from genrun.contracts import options
from genrun.contracts.version import FIRST
from genrun.diagnosing.child_process import child_command, child_environment
from genrun.errors import GenrunError, OptionError, UnknownPluginError, nearest, one_line
from genrun.loading.startup_failures import last_line
from genrun.registry.loading import make
from genrun.testing import Outcome, constraint_outcomes, decoder_outcomes, reader_outcomes
from genrun.testing.architecture_checks import architecture_outcomes

__all__ = ["CheckedPlugin", "check_plugins"]

_LIMIT_SECONDS = 300.0
_IMPORTED = "it can be imported"
_FINISHED = "its checks come to an end"
_OUTCOMES = {"decoder": decoder_outcomes, "constraint": constraint_outcomes, "architecture": architecture_outcomes}


@dataclass(frozen=True, slots=True)
class CheckedPlugin:
    """An installed plugin and what came of its checks."""

    info: registry.PluginInfo
    outcomes: Sequence[Outcome]

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(outcome.state == "failed" for outcome in self.outcomes)


def check_plugins(
    name: str, sources: Sequence[str] = (), values: Mapping[str, str] | None = None, *, bad: str | None = None
) -> Iterator[CheckedPlugin]:
    """Yield the plugins called ``name``, or those of the distribution ``name``, with what came of their checks.

    ``sources``: files for readers, which are otherwise checked with their ``example``; ``bad``: a file that they must
    refuse. ``values``: options as text;
    of several plugins, each gets those that it has. Raises UnknownPluginError at once for a name of nothing.
    """
    found = _named(name)
    asked = {"sources": list(sources), "values": dict(values or {}), "bad": bad, "several": len(found) > 1}
    return (_checked(info, asked) for info in found)


def _named(name: str) -> list[registry.PluginInfo]:
    offered = [info for kind in registry.GROUPS for info in registry.plugins(kind)]
    found = [info for info in offered if name in (info.name, info.qualified_name, info.distribution)]
    if not found:
        known = {text for info in offered for text in (info.name, info.distribution)}
        raise UnknownPluginError(f"no plugin or distribution is called {name!r}; {nearest(name, known)}")
    return found


def _checked(info: registry.PluginInfo, given: Mapping[str, Any]) -> CheckedPlugin:
    asked = {"kind": info.kind, "name": info.qualified_name, **given}
    if info.built_in:
        return CheckedPlugin(info, _outcomes(asked))
    command, environment = child_command("genrun.diagnosing.plugin_checks"), child_environment()
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            env=environment,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CheckedPlugin(info, [Outcome(_FINISHED, "failed", f"not within {_LIMIT_SECONDS:g} seconds")])
    try:
        return CheckedPlugin(info, [Outcome(**each) for each in json.loads(done.stdout)])
    except (ValueError, TypeError):
        said = last_line(done.stderr.decode("utf-8", "replace"))
        ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        return CheckedPlugin(
            info, [Outcome(_FINISHED, "failed", f"the process ended, {ended}" + f": {said}" * bool(said))]
        )


def _outcomes(asked: Mapping[str, Any]) -> list[Outcome]:
    kind, name = asked["kind"], asked["name"]
    try:
        info = registry.find(kind, name)
        loaded = registry.load(info)
    except GenrunError as error:
        return [Outcome(_IMPORTED, "failed", one_line(error))]
    imported = Outcome(_IMPORTED, "ok", f"contract {getattr(loaded, 'contract', None) or info.contract or FIRST}")
    if kind == "command":
        return [imported]
    known = options.describe(loaded)
    values = {key: value for key, value in asked["values"].items() if key in known or not asked["several"]}
    try:
        plugin = make(kind, name, values)
    except OptionError as error:
        needs = Outcome(
            "it has its options", "skipped" if "needs the option" in str(error) else "failed", one_line(error)
        )
        return [imported, needs]
    except GenrunError as error:
        return [imported, Outcome("it can be made", "failed", one_line(error))]
    if kind == "reader":
        return [imported, *_of_reader(plugin, asked["sources"], asked["bad"])]
    return [imported, *_OUTCOMES[kind](plugin)]


def _of_reader(reader: Any, sources: Sequence[str], bad: str | None) -> list[Outcome]:
    example = getattr(reader, "example", None)
    if sources:
        return reader_outcomes(reader, sources, bad=bad)
    if example is None:
        return [Outcome("it reads", "skipped", "it has no example: name files, genrun plugins check NAME FILE…")]
    if not isinstance(example, tuple) or len(example) != 2 or not all(isinstance(part, str) for part in example):
        return [Outcome("it reads", "failed", "its example must be the name of a file and its text")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(example[0]).name)
        path.write_text(example[1], "utf-8")
        return [_of_example(outcome) for outcome in reader_outcomes(reader, [str(path)], bad=bad)]


def _of_example(outcome: Outcome) -> Outcome:
    """Say of a failure which text was read: the path in it is that of a temporary file."""
    if outcome.state != "failed":
        return outcome
    return replace(outcome, detail=f"{outcome.detail} (the file is its attribute example)")


def _main() -> None:
    private, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    asked = json.load(sys.stdin)
    for standard in (0, 1):  # a plugin may read and print
        os.dup2(null, standard)
    found = _outcomes(asked)
    with open(private, "w", encoding="utf-8") as answer:
        json.dump([asdict(outcome) for outcome in found], answer)
        answer.flush()
        os._exit(0)  # without waiting for threads that a plugin started


if __name__ == "__main__":
    _main()
