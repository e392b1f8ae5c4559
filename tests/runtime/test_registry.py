"""The registry: names without imports, reserved and ambiguous names, and plugins that are broken."""

from __future__ import annotations

import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

import genrun
from genrun import registry
from genrun.errors import GenrunError, OptionError, PluginError, UnknownPluginError, nearest
from genrun.registry.own_entries import OwnEntry, own_entries
from support.distributions import DECODER, Site

LOWEST = {"genrun.decoders": {"lowest": "acme_decoders:Lowest"}}

NO_METHOD = "must be a class with a method 'choose', 'apply', 'pick', 'bind' or 'stages'"


def one_line_of(error: pytest.ExceptionInfo[GenrunError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_built_in_plugins_come_first_by_name() -> None:
    built_in = [info.name for info in registry.plugins("decoder") if info.built_in]
    assert built_in == sorted(built_in)
    assert {"greedy", "temperature", "top-k"} <= set(built_in)
    assert {"csv", "lyrics-glob", "nyt-csv", "text"} <= {info.name for info in registry.plugins("reader")}
    assert {"generate", "info", "plugins", "verify"} <= {info.name for info in registry.plugins("command")}


def test_listing_names_imports_nothing(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders="raise RuntimeError('imported')")
    info = registry.find("decoder", "lowest")
    assert (info.name, info.distribution, info.version, info.built_in) == ("lowest", "acme", "1.0", False)
    assert info.qualified_name == "acme:lowest"
    assert "acme_decoders" not in sys.modules


def test_a_third_party_decoder_is_configured_like_a_built_in_one(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    assert repr(registry.make_decoder("lowest", {"offset": "2"})) == "Lowest(offset=2)"
    assert repr(registry.make_decoder("acme:lowest")) == "Lowest(offset=0)"
    with pytest.raises(OptionError) as caught:
        registry.make_decoder("lowest", {"ofset": 1})
    assert one_line_of(caught) == "decoder 'lowest' has no option 'ofset'; did you mean 'offset'?"


def test_built_in_names_are_reserved(installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"greedy": "acme_decoders:Lowest"}}, acme_decoders=DECODER)
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"
    assert type(registry.make_decoder("genrun:greedy")).__name__ == "Greedy"
    assert type(registry.make_decoder("acme:greedy")).__name__ == "Lowest"


def test_a_name_that_two_distributions_offer_must_be_qualified(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    installed.install("Other.Maker", {"genrun.decoders": {"lowest": "other_maker:Lowest"}}, other_maker=DECODER)
    with pytest.raises(PluginError) as caught:
        registry.find("decoder", "lowest")
    assert one_line_of(caught) == (
        "decoder 'lowest' is offered by more than one distribution; ask for 'acme:lowest' or 'other-maker:lowest'"
    )
    assert type(registry.make_decoder("acme:lowest")).__module__ == "acme_decoders"
    assert type(registry.make_decoder("other-maker:lowest")).__module__ == "other_maker"


def test_names_belong_to_their_kind() -> None:
    with pytest.raises(UnknownPluginError, match="unknown reader 'greedy'"):
        registry.find("reader", "greedy")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gredy", "did you mean 'greedy'?"),
        ("topk", "did you mean 'top-k' or 'top-p'?"),
        ("xyz", "accepted: "),
        ("", "accepted: "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownPluginError) as caught:
        registry.make_decoder(name)
    assert one_line_of(caught).startswith(f"unknown decoder {name!r}; {hint}")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "failed to import: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise RuntimeError('no\\n luck')", "failed to import: RuntimeError: no luck"),
        ("raise SystemExit('goodbye')", "failed to import: SystemExit: goodbye"),
        ("def Lowest(:", "failed to import: SyntaxError: "),
        ("Other = int", "failed to import: AttributeError: "),
        (
            "def Lowest(logits): ...",
            f"{NO_METHOD}; acme_decoders:Lowest is not",
        ),
        (
            "class Lowest: ...",
            f"{NO_METHOD}; acme_decoders:Lowest is not",
        ),
        (
            "class Lowest:\n    def choose(self): ...",
            "must be a dataclass, whose fields are its options; acme_decoders:Lowest is not",
        ),
        (
            "Lowest = 3",
            f"{NO_METHOD}; acme_decoders:Lowest is not",
        ),
    ],
)
def test_a_broken_plugin_raises_when_it_is_asked_for_and_names_its_owner(
    installed: Site, source: str, reason: str
) -> None:
    installed.install("acme", LOWEST, version="2.3", acme_decoders=source)
    with pytest.raises(PluginError) as caught:
        registry.make_decoder("lowest")
    assert one_line_of(caught).startswith(f"decoder 'lowest' of acme 2.3 {reason}")
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"


@pytest.mark.parametrize("raised", ["SystemExit(3)", "BaseException('b')", "GeneratorExit", "OptionError('o')"])
def test_whatever_is_raised_at_import_is_a_plugin_error(installed: Site, raised: str) -> None:
    source = f"from genrun import OptionError\nraise {raised}"
    installed.install("acme", LOWEST, acme_decoders=source)
    with pytest.raises(PluginError, match=rf"^decoder 'lowest' of acme 1\.0 failed to import: {raised[:8]}"):
        registry.make_decoder("lowest")


def test_an_interruption_at_import_interrupts(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.make_decoder("lowest")


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal that nobody else uses")
def test_what_a_handler_of_a_signal_raises_at_import_is_not_the_plugins_fault(installed: Site) -> None:
    def stop(*_: object) -> NoReturn:
        sys.exit(143)

    installed.install("acme", LOWEST, acme_decoders="import signal\nsignal.raise_signal(signal.SIGUSR1)")
    before = signal.signal(signal.SIGUSR1, stop)
    try:
        with pytest.raises(SystemExit) as caught:
            registry.make_decoder("lowest")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value.code == 143


def test_a_name_that_one_distribution_offers_twice_is_an_error_that_says_so(installed: Site) -> None:
    installed.install("acme", acme_decoders=DECODER)
    entries = (
        "[genrun.decoders]\nlowest = acme_decoders:Lowest\nlowest = other:Lowest\nlowest = acme_decoders:Lowest\n"
    )
    (installed.folder / "acme-1.0.dist-info" / "entry_points.txt").write_text(entries, "utf-8")
    registry.refresh()
    with pytest.raises(PluginError) as caught:
        registry.make_decoder("lowest")
    assert one_line_of(caught) == (
        "decoder 'lowest' is offered more than once by acme: acme_decoders:Lowest and other:Lowest"
    )


def test_of_two_versions_of_a_distribution_the_first_on_the_path_counts(installed: Site, tmp_path: Path) -> None:
    installed.install("acme", {"genrun.decoders": {"old": "acme_decoders:Lowest"}}, acme_decoders=DECODER)
    first = Site(tmp_path / "first", pytest.MonkeyPatch())
    first.folder.mkdir()
    first.install("acme", LOWEST, version="2.0")
    sys.path.insert(0, str(first.folder))  # the fixture restores the path
    registry.refresh()
    assert registry.find("decoder", "lowest").version == "2.0"
    with pytest.raises(UnknownPluginError):
        registry.find("decoder", "old")


def test_names_in_metadata_are_told_without_control_characters(installed: Site) -> None:
    installed.install(
        "acme", {"genrun.decoders": {"low\x1b[31m\x07est": "acme_decoders:Low\x1bcest"}}, version="1\x1b[2J"
    )
    [info] = [info for info in registry.plugins("decoder") if info.distribution == "acme"]
    assert (info.name, info.version, info.value) == ("low�est", "1", "acme_decoders:Lowest")
    with pytest.raises(PluginError) as caught:
        registry.load(info)
    assert one_line_of(caught) == (
        "decoder 'low�est' of acme 1 cannot be used: a name has 1 to 100 printable characters, and no colon"
    )


def test_a_constructor_that_fails_is_the_plugins_error(installed: Site) -> None:
    source = DECODER + "\n    def __post_init__(self):\n        raise ZeroDivisionError('by\\n zero')\n"
    installed.install("acme", LOWEST, acme_decoders=source)
    with pytest.raises(PluginError) as caught:
        registry.make_decoder("lowest")
    assert one_line_of(caught) == "decoder 'lowest' of acme: ZeroDivisionError: by zero"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_reader_needs_a_method_read(installed: Site) -> None:
    installed.install("acme", {"genrun.readers": {"lowest": "acme_decoders:Lowest"}}, acme_decoders=DECODER)
    with pytest.raises(PluginError, match=r"reader 'lowest' of acme 1\.0 must be a class with a method 'read'"):
        registry.make_reader("lowest")


def test_readers_are_made_by_name_too() -> None:
    assert type(registry.make_reader("text")).__name__ == "Text"


def test_what_was_installed_meanwhile_is_found_after_refresh(installed: Site) -> None:
    assert "lowest" not in {info.name for info in registry.plugins("decoder")}
    installed.install("acme", LOWEST, acme_decoders=DECODER)  # refreshes
    assert "lowest" in {info.name for info in registry.plugins("decoder")}


DAMAGE = {
    "no section": ("entry_points.txt", b"lowest = acme_decoders:Lowest\n"),
    "a section left open": ("entry_points.txt", b"[genrun.decoders\nlowest\n"),
    "no value": ("entry_points.txt", b"[genrun.decoders]\nlowest\n"),
    "no text": ("entry_points.txt", b"[genrun.decoders]\nlowest = \xff\xfe:X\n"),
    "zeros": ("entry_points.txt", bytes(50)),
    "metadata that are no text": ("METADATA", b"\xff\xfe\x00"),
    "metadata without a name": ("METADATA", b"Metadata-Version: 2.1\n"),
    "empty metadata": ("METADATA", b""),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("offers", [LOWEST, {"console_scripts": {"acme": "acme_decoders:main"}}])
def test_damaged_metadata_of_any_package_disturb_nothing(
    installed: Site, damage: str, offers: dict[str, dict[str, str]]
) -> None:
    installed.install("broken", offers, acme_decoders=DECODER)
    installed.install("good", {"genrun.decoders": {"fine": "good_d:Lowest"}}, good_d=DECODER)
    name, content = DAMAGE[damage]
    (installed.folder / "broken-1.0.dist-info" / name).write_bytes(content)
    registry.refresh()
    assert type(registry.make_decoder("fine")).__name__ == "Lowest"
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"
    assert {"generate", "score"} <= {info.name for info in registry.plugins("command")}


def test_the_remains_of_an_uninstall_disturb_nothing(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    (installed.folder / "acme-1.0.dist-info" / "METADATA").unlink()
    (installed.folder / "empty-1.0.dist-info").mkdir()
    registry.refresh()
    assert "lowest" not in {info.name for info in registry.plugins("decoder")}
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"


@pytest.mark.parametrize(
    "source",
    [
        "import click\n\n\nclass Made: ...\n",
        "Made = 3",
        "def Made(): ...",
        "Made = str",
        "class Made:\n    main = print\n",
    ],
)
def test_a_command_is_one_of_clicks(installed: Site, source: str) -> None:
    installed.install("acme", {"genrun.commands": {"made": "acme_c:Made"}}, acme_c=source)
    with pytest.raises(PluginError) as caught:
        registry.load(registry.find("command", "made"))
    assert one_line_of(caught) == "command 'made' of acme 1.0 must be a click command; acme_c:Made is not"


def test_a_command_of_clicks_is_loaded(installed: Site) -> None:
    source = "import click\n\n\n@click.command()\ndef made(): ...\n"
    installed.install("acme", {"genrun.commands": {"made": "acme_c:made"}}, acme_c=source)
    assert registry.load(registry.find("command", "made")).name == "made"


def test_a_name_is_answered_with_none_where_nothing_is_offered() -> None:
    assert nearest("x", []) == "accepted: none"
    assert nearest("x", iter(["b", "a"])) == "accepted: a, b"


def test_what_is_built_in_is_found_without_reading_what_others_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking through every installed distribution takes the longer the more there are."""

    def everything() -> None:
        pytest.fail("all distributions were read")

    registry.refresh()
    monkeypatch.setattr(metadata, "distributions", everything)
    assert registry.find("decoder", "greedy").qualified_name == "genrun:greedy"
    assert registry.find("command", "genrun:generate").version == genrun.__version__
    registry.refresh()


def test_what_is_built_in_is_found_where_only_all_distributions_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    registry.refresh()
    expected = registry.find("decoder", "top-k")
    registry.refresh()
    monkeypatch.setattr(metadata, "distribution", not_there)
    assert registry.find("decoder", "top-k") == expected
    registry.refresh()


def test_genruns_own_entry_points_are_those_of_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file beside the package is read, and the plugins are the same."""
    expected, own = registry.plugins("decoder"), metadata.distribution("genrun")
    beside = tmp_path / f"genrun-{genrun.__version__}.dist-info"
    beside.mkdir()
    (beside / "entry_points.txt").write_text(own.read_text("entry_points.txt") or "", encoding="utf-8")
    monkeypatch.setattr(genrun, "__file__", str(tmp_path / "genrun" / "__init__.py"))
    registry.refresh()
    entries = own_entries()
    assert {(each.group, each.name, each.value) for each in entries} == {
        (each.group, each.name, each.value) for each in own.entry_points
    }
    for info in (each for each in expected if each.built_in):
        found = registry.find("decoder", info.name)
        assert isinstance(found.entry_point, OwnEntry)
        assert (found.title, found.value, found.fault, found.contract) == (
            info.title,
            info.value,
            None,
            info.contract,
        )
        assert registry.load(found) is registry.load(info)
        assert found.entry_point.module == info.entry_point.module
        assert found.entry_point.attr == info.entry_point.attr
    registry.refresh()
