"""Installs packages into the environment that genrun runs in, and removes packages with plugins from it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from genrun import registry
from genrun.diagnosing.child_process import child_command
from genrun.diagnosing.plugin_listing import ListedPlugin, list_plugins
from genrun.errors import GenrunError, OptionError, nearest
from genrun.registry.limit import normalized

__all__ = ["install", "uninstall"]

Run = Callable[[Sequence[str]], int]


def install(arguments: Sequence[str], run: Run | None = None) -> list[ListedPlugin]:
    """Install ``arguments`` (packages, and options of pip) with pip; return the new plugins.

    ``run``: runs a command and returns its exit status. Raises GenrunError if the environment has no pip, with what
    to type instead, or if pip fails, whose own messages are on stderr.
    """
    before = _offered()
    _pip("install", arguments, run)
    if _offered() <= before:
        return []
    return [each for each in list_plugins() if (each.kind, each.name, each.distribution, each.version) not in before]


def uninstall(names: Sequence[str], run: Run | None = None) -> list[str]:
    """Remove the distributions ``names`` with pip; return the full names of the plugins that were removed.

    Raises OptionError for a distribution that offers no plugin, and for genrun itself.
    """
    owners = {distribution for _, _, distribution, _ in _offered()} - {"genrun"}
    for name in names:
        if normalized(name) not in owners:
            hint = nearest(normalized(name), owners)
            raise OptionError(f"{name!r} is not an installed package with plugins; {hint}")
    before = _offered()
    _pip("uninstall", ["--yes", *names], run)
    left = _offered()
    return sorted(f"{distribution}:{name}" for _, name, distribution, _ in before - left)


def _offered() -> set[tuple[str, str, str, str]]:
    found = (info for kind in registry.GROUPS for info in registry.plugins(kind) if not info.in_process)
    return {(info.kind, info.name, info.distribution, info.version) for info in found}


def _pip(verb: str, arguments: Sequence[str], run: Run | None) -> None:
    if importlib.util.find_spec("pip") is None:
        packages = [argument for argument in arguments if not (verb == "uninstall" and argument == "--yes")]
        raise GenrunError(f"there is no pip in {sys.prefix}; type: {_instead(verb, packages)}")
    command = child_command("pip", verb, "--disable-pip-version-check", *arguments)
    status = (run or _run)(command)
    if status:
        raise GenrunError(f"pip {verb} failed (exit status {status})")
    importlib.invalidate_caches()
    registry.refresh()


def _run(command: Sequence[str]) -> int:
    """Run pip; what it prints on stdout goes to stderr, since stdout is for what was added."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    try:
        return subprocess.run(command, stdout=sys.stderr.fileno(), env=environment, check=False).returncode
    except OSError as error:
        raise GenrunError(f"Python could not be started: {error}") from error


def _instead(verb: str, packages: Sequence[str], prefix: Path | None = None) -> str:
    """Return what to type in an environment without pip, made by uv, by pipx, or by ``venv``.

    >>> _instead("install", ["acme"], Path("/nowhere")).endswith(" -m ensurepip && genrun install acme")
    True
    """
    folder = Path(sys.prefix) if prefix is None else prefix
    named, python = shlex.join(packages), shlex.quote(sys.executable)
    if (folder / "pipx_metadata.json").exists():
        return f"pipx {'inject' if verb == 'install' else 'uninject'} {shlex.quote(folder.name)} {named}"
    if (folder / "uv-receipt.toml").exists():
        if verb == "install":
            return f"uv tool install {' '.join(f'--with {shlex.quote(each)}' for each in packages)} genrun"
        return "uv tool install --reinstall genrun, with --with for each package to keep"
    if _made_by_uv(folder):
        return f"uv pip {verb} --python {python} {named}"
    return f"{python} -m ensurepip && genrun {verb} {named}"


def _made_by_uv(folder: Path) -> bool:
    try:
        lines = (folder / "pyvenv.cfg").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)
