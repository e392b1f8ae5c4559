"""The architecture ``attention``: its options, and which layers it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrun.errors import OptionError
from genrun_core.architectures import Architecture

if TYPE_CHECKING:
    import keras

    from genrun_core.recipes.sections import ModelSettings

__all__ = ["Attention"]


@dataclass(frozen=True, slots=True)
class Attention(Architecture):
    """A causal transformer of ``layers`` blocks (Vaswani et al., "Attention Is All You Need", 2017).

    Each token looks at itself and the ``context`` - 1 tokens before it, with ``heads`` heads. Where a token stands
    is a learned number for each head and distance (Raffel et al., "Exploring the Limits of Transfer Learning with a
    Unified Text-to-Text Transformer", 2020). So a text may be of any length, and every step costs the same.

    >>> from genrun_core.recipes.sections import ModelSettings
    >>> dict(Attention(heads=2, context=8).weights(ModelSettings(embedding_size=4, hidden_size=4)))
    {'entry_norm': 4, 'block_1': 216, 'final_norm': 4}
    """

    heads: int = 4
    context: int = 64

    def check(self, model: ModelSettings) -> None:
        """Refuse heads that do not divide the width, and a context without a token before."""
        if self.heads < 1 or model.hidden_size % self.heads:
            raise OptionError(f"heads must divide hidden_size={model.hidden_size}, and {self.heads} does not")
        if not 2 <= self.context <= 4096:
            raise OptionError(f"context must be from 2 to 4,096, not {self.context}")

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        """Return the numbers of each layer."""
        size, width = model.embedding_size, model.hidden_size
        widened = {"widened": size * width} if size != width else {}
        block = 12 * width * width + 2 * width + self.heads * self.context
        blocks = {f"block_{number}": block for number in range(1, model.layers + 1)}
        return {"entry_norm": size, **widened, **blocks, "final_norm": width}

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        """Yield the layers: a norm, a product if the widths differ, the blocks, a norm."""
        import keras

        from genrun_plugin_attention.block import Block, Norm

        yield Norm(name="entry_norm", dtype=dtype)
        if model.embedding_size != model.hidden_size:
            yield keras.layers.Dense(model.hidden_size, use_bias=False, name="widened", dtype=dtype)
        for number in range(1, model.layers + 1):
            yield Block(self.heads, self.context, model.dropout, name=f"block_{number}", dtype=dtype)
        yield Norm(name="final_norm", dtype=dtype)

    def describe(self, model: ModelSettings) -> str:
        """Return the sizes in words."""
        heads = f"{self.heads} heads, context {self.context}"
        return f"{model.layers} × attention {model.hidden_size} ({heads}), embedding {model.embedding_size}"
