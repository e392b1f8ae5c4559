"""A report in words: a line with the main figures, the table of all, and what to try where a figure is poor."""

from __future__ import annotations

import math

from genrun_core.reporting.report import Report
from genrun_core.reporting.two_samples import LEAST_TEXTS

__all__ = ["MEASURES", "advice", "copies_stand_out", "main_line", "shown", "table", "verdict"]

MEASURES = (  # name in JSON, in words, and what it is: a share, a number of words, or a ratio
    ("training_lines", "training lines", "share"),
    ("copied_run", "median copied run", "words"),
    ("empty", "empty", "share"),
    ("very_short", "two words or fewer", "share"),
    ("doubled_words", "doubled words", "share"),
    ("odd_quotation_marks", "odd quotation marks", "share"),
    ("distinct_1", "distinct words", "ratio"),
    ("distinct_2", "distinct runs of 2", "ratio"),
    ("distinct_3", "distinct runs of 3", "ratio"),
    ("length_5", "length, 5 %", "words"),
    ("length_median", "length, median", "words"),
    ("length_95", "length, 95 %", "words"),
)
_MAIN = ("training_lines", "copied_run", "empty", "doubled_words")
_OF_UNITS = ("very_short", "distinct_1")  # which count characters where the documents are names
_NOTICEABLE = 0.005  # a smaller difference of shares is no reason for advice
_UNLIKELY = 2.5  # standard errors that a difference must exceed
_TELLS_APART = 0.8  # AUC
_TWINS = 0.4  # AUC
_NARROW = 0.85  # distinct words, as a part of those of the documents
_NOT_HELD_OUT = 0.5  # of the documents
_LONGER_RUN = 2  # words that a median copied run is longer than the documents'


def main_line(report: Report) -> str:
    r"""Return the main figures as one line for people.

    >>> from genrun_core.reporting.report import compare
    >>> print(main_line(compare(["the the sea"], ["a sea"])).replace("; ", "\n"))
    texts beside documents, 1 of each: too few for a classifier, which takes 100
    empty 0.0 % (documents 0.0 %), doubled words 100.0 % (documents 0.0 %)
    """
    texts, documents = report.texts.to_json(), report.documents.to_json()
    named = [name for name in _MAIN if texts[name] is not None]
    parts = [
        f"{words} {shown(texts[name], kind)} (documents {shown(documents[name], kind)})"
        for name, words, kind in MEASURES
        if name in named
    ]
    return f"{_classifier(report)}; {', '.join(parts)}"


def table(report: Report) -> list[str]:
    """Return the lines of a table: every measure of the texts, and of the documents beside it."""
    texts, documents = report.texts.to_json(), report.documents.to_json()
    lines = [
        f"{'':28}{'texts':>10}{'documents':>12}",
        _row("number", f"{texts['texts']:,}", f"{documents['texts']:,}"),
    ]
    for name, words, kind in MEASURES:
        if name in _OF_UNITS:
            words = words.replace("words", report.units)
        lines.append(_row(words, shown(texts[name], kind), shown(documents[name], kind)))
    return lines


def shown(value: float | None, kind: str) -> str:
    """Return a figure as text; ``kind`` is share, words or ratio. A dash stands for what was not measured.

    >>> shown(0.0123, "share"), shown(4.0, "words"), shown(0.5, "ratio"), shown(None, "share")
    ('1.2 %', '4', '0.50', '-')
    """
    if value is None:
        return "-"
    return {"share": f"{value:.1%}".replace("%", " %"), "words": f"{value:g}", "ratio": f"{value:.2f}"}[kind]


def advice(report: Report, *, from_all: bool = False, counted: bool = False) -> list[str]:
    """Return a line for each figure that is poor beside the documents', with what to try; never no line.

    ``from_all``: the decoder draws from all words by the probabilities of the model, so another one is no remedy.
    ``counted``: the model is an n-gram model, which is not trained longer.
    """
    texts, documents = report.texts.to_json(), report.documents.to_json()
    lines = []
    if (documents["training_lines"] or 0.0) > _NOT_HELD_OUT:
        share = shown(documents["training_lines"], "share")
        lines.append(
            f"{share} of the documents are lines of the training corpus: name held-out ones, or the AUC says little"
        )
    elif report.auc is not None and report.auc < _TWINS:
        lines.append(f"AUC {report.auc:.2f}: perhaps the model was trained on these documents; name held-out ones")
    is_narrow = _is_narrow(report)
    if is_narrow:
        remedy = (
            "try more text" if from_all else "try a decoder that cuts fewer away (--decoder temperature cuts none)"
        )
        ratios = (
            f"distinct {shown(texts['distinct_1'], 'ratio')}, documents {shown(documents['distinct_1'], 'ratio')}"
        )
        lines.append(f"the texts use few different {report.units}: {ratios}; {remedy}")
    for name, what, remedy in _FAULTS:
        if _stands_out(report, name):
            if remedy == _LESS_TRAINING:
                remedy = _less_copied(report, counted)
            elif counted and "training" in remedy:
                remedy = _FOR_COUNTS
            what = what.replace("two words", f"two {report.units}")
            lines.append(
                f"{what}: {shown(texts[name], 'share')}, documents {shown(documents[name], 'share')}; {remedy}"
            )
    if _copies_long_runs(report):
        runs = f"{texts['copied_run']:g} {report.units}, documents {documents['copied_run']:g}"
        remedy = _less_copied(report, counted)
        lines.append(f"long runs are copied from the training corpus: {runs}; {remedy}")
    if report.auc is not None and report.auc > _TELLS_APART and not is_narrow:
        remedy = _FOR_COUNTS if counted else "the network needs more training or text"
        lines.append(f"a classifier tells texts from documents: AUC {report.auc:.2f}; {remedy}")
    return lines or [_nothing(report)]


def copies_stand_out(report: Report) -> bool:
    """Return whether the texts copy the training corpus noticeably more than the held-out documents repeat it."""
    return _copies_long_runs(report) or _stands_out(report, "training_lines")


def verdict(report: Report, *, from_all: bool = False, counted: bool = False) -> list[str]:
    """Return :func:`main_line` and :func:`advice`: what texts are like, in a few lines without the table."""
    return [main_line(report), *advice(report, from_all=from_all, counted=counted)]


_LESS_LEARNT = "try fewer epochs or more dropout, or more text"
_LESS_TRAINING = "try fewer epochs or more dropout, or --max-copied 4"
_FOR_COUNTS = "try more text, or a network (--recipe default)"
_NO_COPIES = "try --max-copied 4, or more text"
_MORE_TRAINING = "try a longer training (epochs, patience)"
_FAULTS = (
    ("training_lines", "many texts are lines of the training corpus", _LESS_TRAINING),
    ("empty", "texts are empty", _MORE_TRAINING),
    ("very_short", "many texts have two words or fewer", _MORE_TRAINING),
    ("doubled_words", "many texts double a word", "try --decoder temperature, or a longer training"),
    (
        "odd_quotation_marks",
        "many texts have an odd quotation mark",
        "try a longer training, or the normalization step remove",
    ),
)


def _stands_out(report: Report, name: str) -> bool:
    """Return whether a share is noticeably larger for texts, and by more than chance (a test of two proportions)."""
    more, less = report.texts.to_json()[name], report.documents.to_json()[name]
    if more is None or more - less <= _NOTICEABLE:
        return False
    sizes = report.texts.measures.texts, report.documents.measures.texts
    pooled = (more * sizes[0] + less * sizes[1]) / sum(sizes)
    error = math.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    return bool(more - less > _UNLIKELY * error)


def _less_copied(report: Report, counted: bool) -> str:
    """Return what to try against copies; of names, no few words are copied."""
    if counted:
        return _NO_COPIES if report.units == "words" else _FOR_COUNTS
    return _LESS_TRAINING if report.units == "words" else _LESS_LEARNT


def _copies_long_runs(report: Report) -> bool:
    texts, documents = report.texts.copied_run, report.documents.copied_run
    return texts is not None and documents is not None and texts > documents + _LONGER_RUN


def _is_narrow(report: Report) -> bool:
    texts, documents = report.texts.measures.distinct_1, report.documents.measures.distinct_1
    if texts is None or documents is None or report.compared < LEAST_TEXTS:
        return False
    return texts < _NARROW * documents


def _nothing(report: Report) -> str:
    if report.auc is None:
        return f"nothing stands out, but there are few texts to judge by: {report.compared} of each"
    return "the texts are much like the documents: no figure stands out"


def _classifier(report: Report) -> str:
    if report.auc is None:
        number = f"{report.compared} of each"
        return f"texts beside documents, {number}: too few for a classifier, which takes {LEAST_TEXTS}"
    beside = "" if report.training_auc is None else f", training lines {report.training_auc:.2f}"
    return f"a classifier tells texts from documents with AUC {report.auc:.2f} (0.5: it cannot{beside})"


def _row(words: str, texts: str, documents: str) -> str:
    return f"{words:28}{texts:>10}{documents:>12}"
