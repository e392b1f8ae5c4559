"""What a model file knows of its training text: a table of hashed runs of words, which cannot be read as text."""

from genrun.loading.originality.training_runs import Copied, TrainingRuns

__all__ = ["Copied", "TrainingRuns"]
