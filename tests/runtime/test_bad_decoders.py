"""Decoders and readers that misbehave when they are made or used: one line that names them, whatever they do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pytest

import genrun
from genrun import registry
from genrun.errors import CorpusError, GenrunError, OptionError, PluginError
from genrun.model import Model
from support.alphabet import write_model
from support.distributions import DECODER, Site


class Mute(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise SystemExit("mute")


class MuteOurs(GenrunError):
    """One of ours, that has no text."""

    def __str__(self) -> str:
        raise SystemExit("mute")


class Hostile(np.ndarray[Any, Any]):
    """An array that answers as it likes."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Shown:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("repr")


@dataclass(frozen=True)
class Bad:
    """Does whatever it is told to do, when it is to choose."""

    act: Callable[[Any], Any]

    def choose(self, logits: Any, tokens: Any, draws: Any) -> Any:
        return self.act(len(logits))


def raising(error: BaseException) -> Callable[[Any], NoReturn]:
    def act(_: Any) -> NoReturn:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (SystemExit(), "SystemExit"),
        (BaseException("base"), "BaseException: base"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration("no more"), "StopIteration: no more"),
        (MemoryError(), "MemoryError"),
        (Mute(), "Mute"),
        (MuteOurs(), "MuteOurs"),
        (ValueError("one\n\ntwo\tthree"), "ValueError: one two three"),
        (ValueError("\x1b[31mred\x1b[0m\x9b2J\x00"), "ValueError: red�"),
        (ValueError("\ud800 ‮"), "ValueError: � �"),
        (OptionError("one\ntwo"), "OptionError: one two"),
        (CorpusError("x" * 5000), "CorpusError: " + "x" * 998),
        (ExceptionGroup("g", [ValueError("v")]), "ExceptionGroup: g (1 sub-exception)"),
    ],
)
def test_whatever_a_decoder_raises_is_one_short_line(alphabet: Model, error: BaseException, said: str) -> None:
    with pytest.raises(PluginError) as caught:
        alphabet.generate_many(["a", "b"], decoder=Bad(raising(error)))
    assert str(caught.value).startswith(f"decoder Bad failed: {said}")
    assert len(str(caught.value)) < 2100
    assert str(caught.value).isprintable()


def test_a_megabyte_of_message_is_cut(alphabet: Model) -> None:
    with pytest.raises(PluginError) as caught:
        alphabet.generate("a", decoder=Bad(raising(ValueError("begin " + "x" * 10**6 + " end"))))
    line = str(caught.value)
    assert line.startswith("decoder Bad failed: ValueError: begin xxx")
    assert line.endswith("xxx end")
    assert len(line) < 400


def test_an_error_of_ours_that_a_decoder_raises_stays_what_it_is(alphabet: Model) -> None:
    with pytest.raises(OptionError) as caught:
        alphabet.generate("a", decoder=Bad(raising(OptionError("the window is too wide"))))
    assert str(caught.value) == "the window is too wide"


def test_an_interruption_while_a_decoder_chooses_interrupts(alphabet: Model) -> None:
    with pytest.raises(KeyboardInterrupt):
        alphabet.generate("a", decoder=Bad(raising(KeyboardInterrupt())))


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal that nobody else uses")
@pytest.mark.parametrize("error", [SystemExit(143), TimeoutError("too long")])
def test_what_the_handler_of_a_signal_raises_is_not_the_decoders_fault(alphabet: Model, error: BaseException) -> None:
    class Program:
        def __call__(self, *_: object) -> NoReturn:
            raise error

    handler = Program() if isinstance(error, SystemExit) else Program().__call__
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(type(error)) as caught:
            alphabet.generate("a", decoder=Bad(lambda _: signal.raise_signal(signal.SIGUSR1)))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value is error


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (lambda n: np.ma.masked_array(np.full(n, 4), mask=True), "not MaskedArray"),
        (lambda n: np.ma.masked_array(np.full(n, 4)), "not MaskedArray"),
        (lambda n: np.full(n, 4).view(Hostile), "not Hostile"),
        (lambda n: np.full((n, 1), 4).view(np.matrix), "not matrix"),
        (lambda n: np.array(4), "not int64 []"),
        (lambda n: np.full(n, 4, object), "not object [2]"),
        (lambda n: np.array([Shown()] * n), "not object [2]"),
        (lambda n: np.full(n, 4.0), "not float64 [2]"),
        (lambda n: np.full(n, 4, np.complex128), "not complex128 [2]"),
        (lambda n: np.full(n, "4"), "not <U1 [2]"),
        (lambda n: np.full(n, 4, "m8[s]"), "not timedelta64[s] [2]"),
        (lambda n: np.zeros(n, [("id", np.int64)]), "not [('id', '<i8')] [2]"),
        (lambda n: np.zeros((n, 0), np.int64), "not int64 [2, 0]"),
        (lambda n: np.zeros(0, np.int64), "not int64 [0]"),
        (lambda n: Shown(), "not an object of the class Shown"),
        (lambda n: range(n), "not range(0, 2)"),
        (lambda n: "x" * 10**6, "not 'xxxx"),
        (lambda n: [4] * 10**5, "not [4, 4, "),
    ],
)
def test_whatever_a_decoder_returns_but_ids_is_an_error(alphabet: Model, answer: Any, shown: str) -> None:
    with pytest.raises(PluginError) as caught:
        alphabet.generate_many(["a", "b"], decoder=Bad(answer))
    assert str(caught.value).startswith(f"decoder Bad must return 2 token ids as an integer array, {shown}")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.uint64, np.dtype(">i8")])
def test_whole_numbers_of_any_width_are_ids(alphabet: Model, kind: Any) -> None:
    four = Bad(lambda n: np.full(n, 4, kind))
    assert alphabet.generate("a", decoder=four, max_new_tokens=2) == "aaa"


def test_an_id_beyond_64_bits_is_outside(alphabet: Model) -> None:
    with pytest.raises(PluginError, match=r"chose the token 18446744073709551615, outside 0 … 29"):
        alphabet.generate("a", decoder=Bad(lambda n: np.full(n, 2**64 - 1, np.uint64)))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("sys.exit(3)", " failed: SystemExit: 3"),
        ("3", " failed: TypeError: "),
        ("{}", " failed: KeyError: 'k'"),
        ("{'k': float('nan')}", " failed: ValueError: cannot convert float NaN to integer"),
        ("{'k': 1, 'x' * 10**6: 1}", ": parameters() must return 'k'"),
        ("{'k': 1, Shown(): 1}", ": parameters() must return 'k'"),
    ],
)
def test_a_decoder_that_misleads_the_graph_is_named_with_its_distribution(
    installed: Site, tmp_path_factory: pytest.TempPathFactory, parameters: str, said: str
) -> None:
    source = DECODER.replace(
        "    def choose", f"    def parameters(self):\n        return {parameters}\n\n    def choose"
    )
    source += "\nclass Shown:\n    def __repr__(self):\n        raise RuntimeError('repr')\n"
    installed.install("acme", {"genrun.decoders": {"low": "acme_d:Lowest"}}, acme_d=f"{source}\nimport sys\n")
    model = genrun.load(write_model(tmp_path_factory.mktemp("model") / "graph.onnx", choosing=True), device="cpu")
    with pytest.raises(PluginError) as caught:
        model.generate("a", decoder="low")
    assert str(caught.value).startswith(f"decoder Lowest ('low' of acme 1.0){said}")
    assert len(str(caught.value)) < 500


FUTURE = "from __future__ import annotations\n"
MADE = {
    "exits when it is made": ("def __post_init__(self): sys.exit(3)", "SystemExit: 3"),
    "raises when it is made": ("def __post_init__(self): raise ValueError('no\\n\\x1b[1mway')", "ValueError: no way"),
    "raises a base exception": ("def __post_init__(self): raise BaseException", "BaseException"),
    "is made of nothing": (
        "def __new__(cls, *_, **__): return None",
        "acme 1.0 makes an object of the class NoneType",
    ),
    "is made of another": ("def __new__(cls, *_, **__): return 3", "acme 1.0 makes an object of the class int"),
    "cannot be set": ("def __setattr__(self, *_): sys.exit(5)", "SystemExit: 5"),
    "has a method that exits": (
        "def __getattribute__(self, name): return super().__getattribute__(name) if name[0] == '_' else sys.exit(6)",
        "SystemExit: 6",
    ),
    "has a default that exits the second time": (
        "bad: int = field(default_factory=lambda: sys.exit(7) if made else made.append(1))",
        "SystemExit: 7",
    ),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("kind", ["decoder", "reader"])
def test_a_plugin_that_cannot_be_made_is_named_in_one_short_line(installed: Site, name: str, kind: str) -> None:
    body, said = MADE[name]
    source = DECODER if kind == "decoder" else DECODER.replace("def choose(", "def read(").replace("choose", "read")
    body = body.replace("choose", "read") if kind == "reader" else body
    source = source.replace("frozen=True", "frozen=False").replace(
        "    offset: int = 0", f"    offset: int = 0\n    {body}"
    )
    head = "from __future__ import annotations\nimport sys\nfrom dataclasses import field\nmade = []\n"
    installed.install("acme", {registry.GROUPS[kind]: {"low": "acme_d:Lowest"}}, acme_d=source.replace(FUTURE, head))
    make = registry.make_decoder if kind == "decoder" else registry.make_reader
    with pytest.raises(PluginError) as caught:
        make("low", {"offset": 1})
    assert said in str(caught.value)
    assert "'low' of acme" in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_option_of_the_users_that_is_huge_is_cut() -> None:
    with pytest.raises(OptionError) as caught:
        registry.make_decoder("top-k", {"k": "x" * 10**6})
    assert len(str(caught.value)) < 400


def test_a_decoder_that_was_asked_for_by_name_is_named_when_it_fails(alphabet: Model, installed: Site) -> None:
    source = DECODER.replace("return np", "raise SystemExit('no\\n way')\n        return np")
    installed.install("acme", {"genrun.decoders": {"low": "acme_d:Lowest"}}, acme_d=source)
    with pytest.raises(PluginError) as caught:
        alphabet.generate("a", decoder="low")
    assert str(caught.value) == "decoder Lowest ('low' of acme 1.0) failed: SystemExit: no way"
