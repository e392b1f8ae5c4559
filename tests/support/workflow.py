"""The workflow of the example of GitHub Pages, read as GitHub reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["WORKFLOW", "commands_of", "read_workflow"]

WORKFLOW = Path(__file__).parents[2] / "examples" / "github-pages" / "pages.yml"


def read_workflow() -> dict[str, Any]:
    """Return the workflow as an object."""
    found: dict[str, Any] = yaml.load(WORKFLOW.read_text("utf-8"), yaml.BaseLoader)  # ``on`` is no truth value
    return found


def commands_of(workflow: dict[str, Any], job: str = "build") -> dict[str, str]:
    """Return the commands of a job by the names of their steps, in order."""
    return {step["name"]: step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step}
