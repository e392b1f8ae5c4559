"""How a text came about: of each word the candidates, and what each stage of the chain did to them."""

from genrun.generating.explaining.explanation import (
    ExplainedCandidate,
    ExplainedStage,
    ExplainedWord,
    Explanation,
)
from genrun.generating.explaining.tracing import explained

__all__ = ["ExplainedCandidate", "ExplainedStage", "ExplainedWord", "Explanation", "explained"]
