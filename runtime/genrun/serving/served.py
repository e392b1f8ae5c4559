"""The models of a server, by name."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from genrun.errors import OptionError, nearest
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.serving.names import FreshSeeds
from genrun.serving.refusals import Refused

__all__ = ["Served", "ServedModels"]


class Served:
    """A model and the name that requests give for it."""

    def __init__(self, name: str, model: Model) -> None:
        self.name, self.model, self.seeds = name, model, FreshSeeds()
        self.settings = OrderedDict[str, GenerationSettings]()  # of the last requests
        self.created = int(os.stat(model.path).st_mtime) if model.path.is_file() else int(time.time())
        self.fingerprint = model.digest.removeprefix("sha256:")[:16] or "unknown"

    def to_json(self) -> dict[str, Any]:
        """Return the model as ``/v1/models`` lists it."""
        model, tokenizer = self.model, self.model.tokenizer
        about = {
            "vocabulary": len(tokenizer),
            "tokens": tokenizer.kind,
            "device": model.device,
            "digest": model.digest,
            "max_new_tokens": model.defaults.max_new_tokens,
            "decoder": model.defaults.decoder,
            "casing": model.defaults.casing,
            "labels": {label.name: list(label.values) for label in tokenizer.labels.all},
            "licence": model.card.get("licence"),
        }
        return {"id": self.name, "object": "model", "created": self.created, "owned_by": "genrun", "genrun": about}


class ServedModels:
    """Models by name; raises OptionError for none, and for a name that cannot stand in an address."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        if not models:
            raise OptionError("a server needs at least one model")
        for name in models:
            if not name or not name.isprintable() or "/" in name:
                raise OptionError(f"a model's name must be text without '/', not {name!r}")
        self._served = {name: Served(name, model) for name, model in models.items()}

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    def named(self, name: str | None) -> Served:
        """Return the model ``name``; None for the only one. Raises Refused (404; 400 if a name is needed)."""
        if name is None:
            if len(self._served) > 1:
                raise Refused(
                    400, f"this server has several models; name one: {', '.join(self._served)}", param="model"
                )
            return next(iter(self._served.values()))
        if name not in self._served:
            message = f"there is no model {name[:100]!r}; {nearest(name, self._served)}"
            raise Refused(404, message, param="model", code="model_not_found")
        return self._served[name]
