"""genrun model files for lm-eval: importing this module registers the model ``genrun``.

lm-eval has no entry points for models, so a program imports this module, and ``lm-eval-genrun`` is the command
``lm-eval`` with it. ``TASKS`` is the folder of the task ``genrun_documents``, for ``TaskManager(include_path=…)``.
"""

from __future__ import annotations

from pathlib import Path

from lm_eval_genrun.likelihood import Likelihood
from lm_eval_genrun.model import GenrunLM

__all__ = ["TASKS", "GenrunLM", "Likelihood"]

TASKS = Path(__file__).parent / "tasks"
