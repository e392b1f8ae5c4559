"""Ways in which the files of a run folder get damaged, and what commands then make of it."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Damage", "damages"]

_JSON = ("tokenizer.json", "corpus.json", "card.json", "base/tokenizer.json", "base/card.json")
_ARCHIVES = ("checkpoint/latest.npz", "model.keras", "base/model.keras")
_OTHERS = ("run.toml", "tokens/ids.int32", "tokens/offsets.int64", "metrics.csv", "loss.png")
_WRONG: tuple[object, ...] = (None, True, -1, 10**30, 0.5, "x", [], {}, [[]], {"a": 1})


class Damage(NamedTuple):
    """A way to damage a run folder; ``hidden``: the digests were taken away, so that only its content can tell."""

    name: str
    apply: Callable[[Path], object]
    hidden: bool = False


def damages(run: Path, seed: int) -> Iterator[Damage]:
    """Yield damages of every file of ``run`` without end: first each plain one, then ever other bytes and values."""
    draw = random.Random(seed)
    for name in (*_OTHERS, *_JSON, *_ARCHIVES):
        yield from _plain(name, (run / name).stat().st_size)
    for name in ("tokens", "checkpoint", "base"):
        yield Damage(f"{name} deleted", partial(_delete, name))
        yield Damage(f"{name} a file", partial(_replace, name, b"no folder"))
    yield from _crafted()
    while True:
        for name in (*_OTHERS, *_JSON, *_ARCHIVES):
            at, bit = draw.randrange((run / name).stat().st_size), 1 << draw.randrange(8)
            yield Damage(f"{name} byte {at} xor {bit}", _flip(name, at, bit))
        for name in _JSON:
            keys, value = sorted(json.loads((run / name).read_text("utf-8"))), draw.choice(_WRONG)
            key = draw.choice(keys)
            yield Damage(f"{name} {key}={value!r}", _set_value(name, key, value), hidden=True)
        for name in _ARCHIVES:
            at, bit = draw.randrange((run / name).stat().st_size - 60), 1 << draw.randrange(8)
            yield Damage(f"{name} unsealed, byte {at} xor {bit}", _flip(name, at, bit, unseal=True), hidden=True)


def _plain(name: str, size: int) -> Iterator[Damage]:
    for kept in sorted({0, 1, size // 3, size - 60, size - 1} & set(range(size))):
        yield Damage(f"{name} cut to {kept}", partial(_cut, name, kept))
    yield Damage(f"{name} deleted", partial(_delete, name))
    yield Damage(f"{name} a folder", partial(_to_folder, name))
    if name.endswith(".json"):
        for text in ("[]", "3", "null", "{}", '{"a": ' * 100_000):
            yield Damage(f"{name} {text[:10]}", partial(_replace, name, text.encode()))


def _crafted() -> Iterator[Damage]:
    for at, token in ((3, 1), (3, 10_000), (0, -1), (0, 2**31 - 1)):
        yield Damage(f"token {at} is {token}", partial(_set_token, at, token))
    yield Damage("token out of range", partial(_without_digests, partial(_set_token, 3, 10_000)), hidden=True)
    yield Damage("offsets fall", partial(_without_digests, _turn_offsets), hidden=True)
    wrong: list[tuple[str, object]] = [("units", 100_000), ("input_dim", 2**31), ("output_dim", 10**12)]
    for key, value in (*wrong, ("class_name", "Lambda")):
        yield Damage(f"network {key}", partial(_configure, key, value), hidden=True)
    for content in (b'{"a": ' * 100_000, b"", b"[]", b"\xff"):
        yield Damage(f"config {content[:6]!r}", partial(_member, "config.json", content), hidden=True)
    yield Damage("no weights", partial(_member, "model.weights.h5", None), hidden=True)
    yield Damage("weights are text", partial(_member, "model.weights.h5", b"text"), hidden=True)
    yield Damage("weights are huge", partial(_member, "model.weights.h5", _huge()), hidden=True)
    numbers: list[tuple[str, object]] = [("epoch", -1), ("epoch", "1"), ("epoch", 10**9), ("step", 10**9)]
    rows: list[tuple[str, object]] = [("history", []), ("history", [1]), ("history", [{}])]
    for key, value in (*numbers, ("seconds", None), *rows, ("state", {}), ("state", {"best": 1})):
        yield Damage(f"{key} is {value}", partial(_position, key, value), hidden=True)


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.unlink()  # it may be shared with the cache
    path.write_bytes(content)


def _delete(name: str, run: Path) -> None:
    shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()


def _replace(name: str, content: bytes, run: Path) -> None:
    _delete(name, run)
    (run / name).write_bytes(content)


def _to_folder(name: str, run: Path) -> None:
    _delete(name, run)
    (run / name).mkdir()


def _cut(name: str, kept: int, run: Path) -> None:
    _write(run / name, _bytes(run / name)[:kept])


def _without_digests(apply: Callable[[Path], object], run: Path) -> None:
    apply(run)
    content: dict[str, Any] = json.loads(_bytes(run / "corpus.json"))
    del content["digest"], content["digests"]
    _write(run / "corpus.json", json.dumps(content).encode())


def _flip(name: str, at: int, bit: int, *, unseal: bool = False) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        content = bytearray(_bytes(run / name))
        content[at] ^= bit
        if unseal:
            content[-47:] = b""
            content[-2:] = b"\0\0"
        _write(run / name, bytes(content))

    return apply


def _set_value(name: str, key: str, value: object) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        content: dict[str, Any] = json.loads(_bytes(run / name))
        content[key] = value
        content.pop("digest", None)
        _write(run / name, json.dumps(content).encode())

    return apply


def _set_token(at: int, value: int, run: Path) -> None:
    ids = np.frombuffer(_bytes(run / "tokens" / "ids.int32"), "<i4").copy()
    ids[at] = value if ids[at] != value else value + 1
    _write(run / "tokens" / "ids.int32", ids.tobytes())


def _turn_offsets(run: Path) -> None:
    offsets = np.frombuffer(_bytes(run / "tokens" / "offsets.int64"), "<i8").copy()
    offsets[1:-1] = offsets[-2:0:-1]
    _write(run / "tokens" / "offsets.int64", offsets.tobytes())


def _member(name: str, content: bytes | None, run: Path) -> None:
    """Replace a member of model.keras, or take it away."""
    made = io.BytesIO()
    with zipfile.ZipFile(run / "model.keras") as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        if content is not None:
            new.writestr(name, content)
    _write(run / "model.keras", made.getvalue())


def _configure(key: str, value: object, run: Path) -> None:
    with zipfile.ZipFile(run / "model.keras") as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
    for layer in config["config"]["layers"]:
        if key in layer:
            layer[key] = value
        if key in layer["config"]:
            layer["config"][key] = value
    _member("config.json", json.dumps(config).encode(), run)


def _huge() -> bytes:
    """Weights of a few bytes that describe a terabyte."""
    import h5py  # type: ignore[import-untyped]

    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file.create_dataset("layers/embedding/vars/0", (2**20, 2**18), "f4", chunks=(1024, 1024))
        file.create_dataset("filling", data=np.zeros(200_000, np.uint8))
    return made.getvalue()


def _position(key: str, value: object, run: Path) -> None:
    with np.load(run / "checkpoint" / "latest.npz") as arrays:
        content = dict(arrays)
    position = json.loads(content["position"].tobytes())
    content["position"] = np.frombuffer(json.dumps({**position, key: value}).encode(), np.uint8)
    np.savez(run / "checkpoint" / "latest.npz", **content)
