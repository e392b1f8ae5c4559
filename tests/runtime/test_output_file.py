"""``genrun generate -o OUT --resume``: whatever ends a command, the file ends up with the bytes of one whole run."""

from __future__ import annotations

import fcntl
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.cli.io.output_file import OutputFile, Unfinished
from genrun.errors import GenrunError, OptionError

PATIENCE_SECONDS = 300
SETTINGS = {"seed": 1, "n": 2}
notes: list[str] = []


class Killed(BaseException):
    """Ends a run at once."""


def generate(output: Path, prompts: list[str], *, kill_after: int = 10**9, every: int = 1) -> None:
    """Write two texts for each prompt, as the command does; a record is made ``every`` so many prompts."""
    ticks = itertools.count()
    unfinished = Unfinished.read(output)
    file = OutputFile(output, SETTINGS, unfinished, notes.append, clock=lambda: next(ticks) / every)
    actions = 0
    try:
        with file:
            for prompt in prompts:
                if file.skip(prompt):
                    continue
                for sample in range(2):
                    file.write(f"{prompt} {sample}" * 300)
                    actions += 1
                    if actions > kill_after:
                        file._file.close()
                        raise Killed
                file.complete(prompt)
    except ValueError:  # writing is impossible after the kill
        assert actions > kill_after


@given(
    st.lists(st.text(max_size=3), max_size=30),
    st.lists(st.integers(0, 25), max_size=6),
    st.integers(1, 9),
)
@settings(max_examples=25)
def test_runs_that_are_killed_make_the_bytes_of_one_run(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[str], kills: list[int], every: int
) -> None:
    folder = tmp_path_factory.mktemp("out")
    generate(folder / "whole", prompts)
    for kill in kills:
        if not (folder / "pieces").exists():
            generate(folder / "pieces", prompts, kill_after=kill, every=every)
    if not (folder / "pieces").exists():
        generate(folder / "pieces", prompts)
    assert (folder / "pieces").read_bytes() == (folder / "whole").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"pieces", "whole"}


def command(model: Path, output: Path | None, *arguments: object) -> list[str]:
    named = [] if output is None else ["-o", str(output)]
    return [sys.executable, "-m", "genrun", "generate", str(model), *map(str, arguments), *named]


def run(model: Path, output: Path | None, *arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(command(model, output, *arguments), capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def lines() -> itertools.chain[str]:
    return itertools.chain.from_iterable(itertools.repeat([f"word{i} the\n" for i in range(350)]))


def done_so_far(output: Path) -> int:
    record = output.with_name(f"{output.name}.partial.json")
    found: dict[str, Any] = json.loads(record.read_text("utf-8")) if record.exists() else {"done": 0}
    return int(found["done"])


def test_a_killed_command_is_continued_with_the_same_bytes(talker_file: Path, tmp_path: Path) -> None:
    output, prompts, whole = tmp_path / "out.txt", tmp_path / "prompts.txt", tmp_path / "whole.txt"
    process = subprocess.Popen(
        command(talker_file, output, "--prompts", "-", "-n", 2, "-q"), stdin=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdin is not None
    given, patience = lines(), time.monotonic() + PATIENCE_SECONDS
    with process, process.stdin:
        while not done_so_far(output):
            assert time.monotonic() < patience
            process.stdin.writelines(itertools.islice(given, 50))
            process.stdin.flush()
            time.sleep(0.05)  # so that there are not too many
        process.kill()
    assert not output.exists()
    seed = json.loads((tmp_path / "out.txt.partial.json").read_text("utf-8"))["settings"]["seed"]
    prompts.write_text("".join(itertools.islice(lines(), done_so_far(output) + 300)), "utf-8")
    assert run(talker_file, output, "--prompts", prompts, "-n", 2, "-q", "--resume") == (0, "", "")
    assert run(talker_file, whole, "--prompts", prompts, "-n", 2, "-q", "--seed", seed) == (0, "", "")
    assert output.read_bytes() == whole.read_bytes()


def test_after_an_error_the_texts_before_it_stay_and_the_rest_is_added(talker_file: Path, tmp_path: Path) -> None:
    output, prompts = tmp_path / "out.jsonl", tmp_path / "prompts.txt"
    arguments = ("--prompts", prompts, "--json", "-q")
    prompts.write_text("the council\nthe mayor\n\n", "utf-8")
    prompts.write_bytes(prompts.read_bytes() + b"\xff\n")
    status, out, err = run(talker_file, output, *arguments, "--seed", 5)
    note = f"note: the texts of 3 prompts are in {output}.partial; --resume goes on behind them\n"
    assert (status, out) == (1, "")
    assert err == f"{note}error: {prompts}, line 4: a text must be UTF-8\n"
    assert run(talker_file, output, *arguments) == (
        1,
        "",
        f"error: {output}.partial is unfinished: go on with --resume, or delete it\n",
    )
    prompts.write_text("the council\nthe mayor\n\nthe ferry\n", "utf-8")
    status, out, err = run(talker_file, output, *arguments, "--seed", 6, "--resume")
    assert (status, out) == (2, "")
    assert err == f"error: {output}.partial was begun with another seed: 5, now 6\n"
    assert run(talker_file, output, *arguments, "--resume") == (0, "", "")
    _, printed, _ = run(talker_file, None, *arguments, "--seed", 5)
    wanted = [json.loads(line)["text"] for line in printed.splitlines()]
    assert [json.loads(line)["text"] for line in output.read_text("utf-8").splitlines()] == wanted
    assert run(talker_file, output, "--resume") == (0, "", f"{output} is finished\n")


def test_other_prompts_are_refused_and_spoil_nothing(tmp_path: Path) -> None:
    output = tmp_path / "out"
    generate(output, ["a", "b", "c", "d"], kill_after=5)
    before = [(tmp_path / name).read_bytes() for name in ("out.partial", "out.partial.json")]
    for other in (["a", "x", "c"], ["a"]):
        with pytest.raises(GenrunError, match="was begun with other prompts: the first 2 are not the same"):
            generate(output, other)
        assert [(tmp_path / name).read_bytes() for name in ("out.partial", "out.partial.json")][1] == before[1]
    generate(output, ["a", "b", "c", "d", "e"])
    generate(tmp_path / "whole", ["a", "b", "c", "d", "e"])
    assert output.read_bytes() == (tmp_path / "whole").read_bytes()


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    output = tmp_path / "a" / "b" / "out"
    generate(output, ["a", "b"])
    assert output.read_bytes().count(b"\n") >= 2


def test_what_cannot_be_continued_is_refused(tmp_path: Path) -> None:
    output, partial, record = (tmp_path / name for name in ("out", "out.partial", "out.partial.json"))
    with pytest.raises(OptionError, match="is not an ordinary file"):
        OutputFile(tmp_path, SETTINGS, None, notes.append)
    generate(output, ["a", "b"], kill_after=2)
    whole = record.read_text("utf-8")
    longer = whole.replace('"bytes": ', '"bytes": 9')
    for damaged in ("", "{}", "[]", whole.replace('"done": 1', '"done": "1"'), longer):
        record.write_text(damaged, "utf-8")
        with pytest.raises(GenrunError, match="does not say how far"):
            Unfinished.read(output)
    record.write_text(whole, "utf-8")
    with partial.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(GenrunError, match="is being written by another process"):
            OutputFile(output, SETTINGS, Unfinished.read(output), notes.append)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume",), "--resume goes on with the file of -o; name it"),
        (("--stream", "-o", "out"), "--stream prints one text for each prompt; it does not go with -n, -o or --json"),
    ],
)
def test_options_that_do_not_go_together(
    alphabet_file: Path, arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    status, out, err = run(alphabet_file, None, *arguments)
    assert (status, out, err.splitlines()[-1]) == (2, "", f"Error: {message}")
