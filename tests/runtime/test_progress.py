"""What is said on stderr of a generation of many texts: seldom, briefly, and only what is known."""

from __future__ import annotations

import pytest

from genrun.cli.io.progress import Progress
from genrun.cli.io.unknown_words import UnknownWords


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def run(total: int | None, texts: int, seconds: float, *, shown: bool = True) -> None:
    """Generate so many texts of twelve tokens, each taking so many seconds."""
    clock = Clock()
    with Progress(total, shown=shown, clock=clock) as progress:
        for _ in range(texts):
            clock.seconds += seconds
            progress.advance(12)


def test_lines_come_less_and_less_often_and_the_last_one_tells_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    run(1000, 1000, 0.125)
    assert capsys.readouterr().err.splitlines() == [
        "80 of 1,000 texts, 8 texts/s, 96 tokens/s, 0:01:55 left",
        "240 of 1,000 texts, 8 texts/s, 96 tokens/s, 95 s left",
        "560 of 1,000 texts, 8 texts/s, 96 tokens/s, 55 s left",
        "1,000 texts in 0:02:05, 8 texts/s, 96 tokens/s",
    ]


def test_without_a_total_nothing_is_said_of_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    run(None, 150, 0.125)
    assert capsys.readouterr().err.splitlines() == [
        "80 texts, 8 texts/s, 96 tokens/s",
        "150 texts in 19 s, 8 texts/s, 96 tokens/s",
    ]


def test_nothing_is_said_of_what_is_soon_over_or_not_to_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    run(1000, 1000, 0.009)
    run(1000, 1000, 1.0, shown=False)
    assert capsys.readouterr().err == ""


def test_a_long_run_is_told_every_five_minutes_or_so(capsys: pytest.CaptureFixture[str]) -> None:
    run(None, 36_000, 1.0)
    assert len(capsys.readouterr().err.splitlines()) == pytest.approx(36_000 / 320, abs=5)


def test_unknown_words_are_noted_for_the_first_prompts_and_told_together_at_the_end() -> None:
    said: list[str] = []
    unknown = UnknownWords(said.append)
    unknown.note("fine", [])
    for number in range(5):
        unknown.note(f"w{number} x", [f"w{number}"])
    unknown.summarize()
    assert said == [f"note: not in the model's vocabulary: 'w{number}' (in 'w{number} x')" for number in range(5)]
    for number in range(3, 30):
        unknown.note("…", [f"w{number}", "w0"])
    assert len(said) == 5
    unknown.summarize()
    listed = ", ".join(f"'w{number}'" for number in range(10))
    assert said[5:] == [
        f"note: 30 words in 32 prompts are not in the model's vocabulary: {listed} and 20 more",
    ]


def test_one_word_in_many_prompts_is_one_word() -> None:
    said: list[str] = []
    unknown = UnknownWords(said.append)
    for _ in range(6000):
        unknown.note("a dragon", ["dragon", "dragon"])
    unknown.summarize()
    assert said[5:] == ["note: 1 word in 6,000 prompts is not in the model's vocabulary: 'dragon'"]


def test_unknown_words_do_not_fill_the_memory() -> None:
    said: list[str] = []
    unknown = UnknownWords(said.append)
    for number in range(20_000):
        unknown.note("…", [f"{number}", "x" * 1000])
    unknown.summarize()
    assert len(unknown._words) <= 10_001
    assert said[5].startswith(
        "note: more than 10,000 words in 20,000 prompts are not in the model's vocabulary: '0', "
    )
    assert len(said[5]) < 300
