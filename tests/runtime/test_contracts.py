"""The contracts of plugins, and the tree of errors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import genrun
from genrun import errors, registry
from genrun.checks.installation import pip_line, requirement
from genrun.contracts import Chooser, Decoder, ForModel, Preset, Reader, ReadReport, Stage


def test_a_report_counts_rows_files_and_what_was_dropped_by_reason() -> None:
    report = ReadReport()
    report.file()
    report.row()
    report.row(4)
    report.drop("empty")
    report.drop("placeholder", 2)
    report.drop("empty", 2)
    report.drop("never", 0)
    assert (report.files, report.rows, report.dropped) == (1, 5, {"empty": 3, "placeholder": 2})


def test_a_report_counts_by_its_methods_and_by_whole_numbers_alone() -> None:
    report = ReadReport()
    report.drop("two\n\x1b[31mlines\x1b[0m", np.int64(2))  # type: ignore[arg-type]
    report.drop("two\n\x1b[31mlines\x1b[0m")
    report.row(np.int64(3))  # type: ignore[arg-type]
    assert json.dumps([report.rows, report.dropped]) == '[3, {"two lines": 3}]'
    for name in ("rows", "dropped", "files"):
        with pytest.raises(AttributeError):
            setattr(report, name, None)
    report.dropped.clear()
    for count in (-1, "2", 1.5, None):
        with pytest.raises((TypeError, ValueError)):
            report.row(count)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError)):
            report.drop("empty", count)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a reason must be text, not NoneType"):
        report.drop(None)  # type: ignore[arg-type]
    assert (report.files, report.rows, report.dropped) == (0, 3, {"two lines": 3})


@pytest.mark.parametrize("kind", ["decoder", "reader"])
def test_every_built_in_plugin_has_the_shape_of_its_contract(kind: str) -> None:
    contract: Any = {"decoder": (Decoder, Stage, Chooser, ForModel, Preset), "reader": Reader}[kind]
    built_in = [info for info in registry.plugins(kind) if info.built_in]
    assert built_in
    for info in built_in:
        loaded = registry.load(info)
        assert issubclass(loaded, contract)
        assert loaded.__dataclass_params__.frozen, f"{info.name} is not frozen"


def test_what_lacks_the_method_does_not_fit() -> None:
    assert not isinstance(object(), Decoder)
    assert not isinstance(object(), Reader)


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (errors.ModelFileError, Exception),
        (errors.CorpusError, Exception),
        (errors.OptionError, ValueError),
        (errors.UnknownPluginError, LookupError),
        (errors.PluginError, Exception),
        (errors.DeviceError, Exception),
        (errors.RunFolderError, Exception),
        (errors.TrainingError, Exception),
        (errors.TrainingInterrupted, errors.TrainingError),
        (errors.ExportError, Exception),
        (errors.MissingExtraError, ImportError),
    ],
)
def test_every_error_is_a_genrun_error_and_what_python_calls_it(
    error: type[Exception], also: type[Exception]
) -> None:
    assert issubclass(error, errors.GenrunError)
    assert issubclass(error, also)
    assert getattr(genrun, error.__name__) is error


def test_every_error_is_public() -> None:
    defined = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    assert defined <= set(genrun.__all__)


def test_a_missing_extra_gives_the_pip_lines() -> None:
    both = errors.MissingExtraError("running a model needs onnxruntime", "cpu", "gpu")
    assert str(both) == f"running a model needs onnxruntime: {pip_line('cpu')} (or {requirement('gpu')})"
    assert both.extra == "cpu"
    assert str(errors.MissingExtraError("training", "train")) == f"training: {pip_line('train')}"


def test_nearest_names_come_first_and_all_names_otherwise() -> None:
    assert errors.nearest("titel", ["title", "upper"]) == "did you mean 'title'?"
    assert errors.nearest("?", ["title", "upper"]) == "accepted: title, upper"
    assert errors.nearest("?", []) == "accepted: none"


def test_of_very_many_names_the_first_are_told() -> None:
    names = [f"n{number:05}" for number in range(20_000)]
    hint = errors.nearest("?", names)
    assert hint.startswith("accepted: n00000, n00001, ")
    assert hint.endswith(", n00099 and 19,900 more")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a\n\t b"), "a b"),
        (KeyError("k"), "'k'"),
        (RuntimeError(), "RuntimeError"),
        (ValueError("\n"), "ValueError"),
        (ValueError("\x1b[1mbold\x1b[0m\x1b]0;title\x07 \u202e\x85\ud800"), "bold � �"),
        (ValueError("a" * 200 + "b" * 200), "a" * 149 + " … " + "b" * 148),
        (errors.OptionError("a" * 2000), "a" * 2000),
        (errors.OptionError("a" * 2000 + "b"), "a" * 999 + " … " + "a" * 997 + "b"),
    ],
)
def test_a_message_is_folded_onto_one_line(error: Exception, line: str) -> None:
    assert errors.one_line(error) == line


def test_an_exception_whose_class_does_not_say_its_name_has_one() -> None:
    class Odd(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise RuntimeError("odd")

    class Nameless(Exception, metaclass=Odd):
        pass

    assert errors.cause(Nameless("x")) == "Nameless: x"
    assert errors.cause(Nameless()) == "Nameless"


def test_every_public_name_is_there_and_nothing_else_is_promised() -> None:
    assert sorted(genrun.__all__) == genrun.__all__
    assert dir(genrun) == genrun.__all__
    assert all(hasattr(genrun, name) for name in genrun.__all__)
    with pytest.raises(AttributeError, match="module 'genrun' has no attribute 'lode'"):
        _ = genrun.lode
