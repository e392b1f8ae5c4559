"""Options as dataclasses: conversion from text and JSON, what is refused, and the way back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.contracts import options
from genrun.errors import OptionError


@dataclass(frozen=True)
class Sample:
    """Every kind of option there is."""

    column: str
    k: int = 40
    share: float = 0.5
    fast: bool = False
    limit: int | None = None
    name: str | None = "x"
    drop: tuple[str, ...] = ("Unknown",)
    seen: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.k < 0:
            raise OptionError(f"k must be 0 or more,\n not {self.k}")


def build(**values: object) -> Sample:
    return options.build(Sample, {"column": "c", **values}, what="reader 'sample'")


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"k": "7"}, "k", 7),
        ({"k": 7.0}, "k", 7),
        ({"share": "1e-3"}, "share", 0.001),
        ({"share": 1}, "share", 1.0),
        ({"fast": "Yes"}, "fast", True),
        ({"fast": "off"}, "fast", False),
        ({"fast": True}, "fast", True),
        ({"limit": "3"}, "limit", 3),
        ({"limit": "none"}, "limit", None),
        ({"limit": ""}, "limit", None),
        ({"limit": None}, "limit", None),
        ({"name": "none"}, "name", None),
        ({"name": "n"}, "name", "n"),
        ({"column": ""}, "column", ""),
        ({"drop": "a, b ,,c"}, "drop", ("a", "b", "c")),
        ({"drop": ["a", "b"]}, "drop", ("a", "b")),
        ({"drop": ""}, "drop", ()),
    ],
)
def test_text_and_json_values_become_what_the_field_says(
    values: dict[str, object], name: str, expected: object
) -> None:
    value = getattr(build(**values), name)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": "many"}, "reader 'sample': k must be a whole number, not 'many'"),
        ({"k": "7.5"}, "k must be a whole number, not '7.5'"),
        ({"k": 7.5}, "k must be a whole number, not 7.5"),
        ({"k": float("inf")}, "k must be a whole number, not inf"),
        ({"k": "9" * 5000}, "k must be a whole number"),
        ({"k": True}, "k must be a whole number, not True"),
        ({"k": None}, "k must be a whole number, not None"),
        ({"k": [1]}, "k must be a whole number, not [1]"),
        ({"share": "half"}, "share must be a number, not 'half'"),
        ({"share": 10**400}, "share must be a number"),
        ({"fast": "maybe"}, "fast must be true or false, not 'maybe'"),
        ({"fast": 1}, "fast must be true or false, not 1"),
        ({"name": 3}, "name must be text, not 3"),
        ({"drop": [1]}, "drop must be a comma-separated list, not [1]"),
        ({"drop": {"a": 1}}, "drop must be a comma-separated list, not {'a': 1}"),
        ({"colum": "x"}, "reader 'sample' has no option 'colum'; did you mean 'column'?"),
        ({"seen": "x"}, "reader 'sample' has no option 'seen'; accepted: column, drop, fast"),
        ({"k": -1}, "reader 'sample': k must be 0 or more, not -1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        build(**values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_required_option_is_asked_for() -> None:
    with pytest.raises(OptionError, match="reader 'sample' needs the option 'column': --set column=…"):
        options.build(Sample, {}, what="reader 'sample'")


@given(
    st.builds(
        Sample,
        column=st.text(),
        k=st.integers(0),
        share=st.floats(allow_nan=False),
        fast=st.booleans(),
        limit=st.none() | st.integers(),
        name=st.none() | st.text().filter(lambda text: text not in ("", "none")),
        drop=st.lists(st.text().map(str.strip).filter(bool)).map(tuple),
    )
)
def test_options_come_back_from_json_the_same(sample: Sample) -> None:
    written = json.loads(json.dumps(options.to_json(sample)))
    assert options.build(Sample, written, what="sample") == sample


def test_describe_gives_every_default_as_json_can_write_it() -> None:
    @dataclass(frozen=True)
    class Made:
        needed: int
        k: int = 3
        words: tuple[str, ...] = field(default_factory=lambda: ("a",))

    described = options.describe(Made)
    assert json.loads(json.dumps(described)) == described == {"needed": None, "k": 3, "words": ["a"]}


def test_a_type_that_no_option_may_have_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        where: dict[str, int] = field(default_factory=dict)

    with pytest.raises(
        OptionError, match=r"where has the type dict\[str, int\]; an option may be int, float, bool, str"
    ):
        options.describe(Odd)


@pytest.mark.parametrize("value", [object(), Sample, 3])
def test_only_instances_of_dataclasses_can_be_written(value: object) -> None:
    with pytest.raises(OptionError, match="is not a dataclass instance"):
        options.to_json(value)


def test_a_class_that_is_no_dataclass_has_no_options() -> None:
    class Plain:
        pass

    with pytest.raises(OptionError, match="Plain is not a dataclass, so it has no options"):
        options.build(Plain, {}, what="decoder 'plain'")


@pytest.mark.parametrize(
    ("pairs", "values"),
    [
        ([], {}),
        (["k=5"], {"k": "5"}),
        ([" k = 5 "], {"k": " 5 "}),
        (["stop=a=b", "empty="], {"stop": "a=b", "empty": ""}),
        (["k=1", "k=2"], {"k": "2"}),
    ],
)
def test_assignments_are_split_at_the_first_equals_sign(pairs: list[str], values: dict[str, str]) -> None:
    assert options.parse_assignments(pairs) == values


@pytest.mark.parametrize("pair", ["k", "", "=5", " =5"])
def test_what_is_no_assignment_is_refused(pair: str) -> None:
    with pytest.raises(OptionError, match=f"--set takes key=value, not '{pair}'"):
        options.parse_assignments([pair])


@given(st.sampled_from([int, float, bool, str]), st.text() | st.integers() | st.floats())
def test_conversion_gives_the_type_or_an_option_error(kind: Any, value: object) -> None:
    refusal = converted = None
    try:
        converted = options.convert(value, kind, what="x")
    except OptionError as error:
        refusal = str(error)
    assert type(converted) is kind if refusal is None else refusal.startswith("x must be ")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (np.int64(7), int, 7),
        (np.uint8(7), int, 7),
        (np.float32(7.0), int, 7),
        (np.float64(0.5), float, 0.5),
        (np.float32(0.5), float, 0.5),
        (np.float16(0.5), float, 0.5),
        (np.int32(3), float, 3.0),
    ],
)
def test_numpys_numbers_are_numbers(value: object, kind: type[object], expected: object) -> None:
    converted = options.convert(value, kind, what="x")
    assert converted == expected
    assert type(converted) is kind


@pytest.mark.parametrize("value", [np.float32(7.5), np.float64("nan"), np.float32("inf"), np.array([7, 8]), np.True_])
def test_numpys_other_values_are_no_whole_numbers(value: object) -> None:
    with pytest.raises(OptionError, match="x must be a whole number"):
        options.convert(value, int, what="x")
