"""What a recipe is made of: frozen, checked tables of options, one for each part of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from genrun.contracts import options
from genrun.errors import OptionError, nearest
from genrun_core.architectures import Architecture
from genrun_core.recipes.architectures import made_architecture, own_options
from genrun_core.recipes.checks import check, check_choice

__all__ = ["ModelSettings", "PluginChoice", "TrainingSettings"]

DEFAULT_ARCHITECTURE = "lstm"
ORDERS = range(2, 6)  # of an n-gram model: how many tokens its longest sequences have
RECENT = range(2, 10_001)  # tokens of the text so far that are likelier to come again
_WIDEST = 65_536
_OBJECT = "class:"
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine", "plateau")
PRECISIONS = ("float32", "bfloat16", "float16")
DEVICES = ("one", "all")


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """A plugin by name, with its options; or the class of a reader that a program gave as an object."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of_object(cls, plugin: object) -> PluginChoice:
        """Return what a run folder can record of an object: the path of its class, after a word that no plugin has.

        >>> PluginChoice.of_object(PluginChoice("text")).name
        'class:genrun_core.recipes.sections.PluginChoice'
        """
        return cls(f"{_OBJECT}{type(plugin).__module__}.{type(plugin).__qualname__}")

    @property
    def class_path(self) -> str | None:
        """The path of the object's class; None for a plugin by name."""
        return self.name.removeprefix(_OBJECT) if self.name.startswith(_OBJECT) else None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The network: embedding → ``layers`` recurrent layers (or one window layer) → logits, dropout after each.

    ``architecture``: lstm, gru, simple-rnn, or window (a feed-forward model of the last ``window`` tokens; Bengio et
    al., "A Neural Probabilistic Language Model", 2003), or one that a plugin brings, with ``options`` of its own. Or
    no network: ngram counts sequences of up to ``order`` tokens (Kneser-Ney; :mod:`genrun_core.counting`) and uses no
    other option. ``counting``: such a model is mixed with the network, where that makes held-out documents likelier;
    ``recent``: so are the last tokens of the text so far, this many of them (:mod:`genrun_core.counting.recent`).
    ``plugin``: the architecture itself.

    ``tied``: the logits use the embedding's vectors (Press & Wolf, "Using the Output Embedding to Improve Language
    Models", 2017; Inan et al., "Tying Word Vectors and Word Classifiers", 2017); where the last layer is not as wide
    as the embedding, a linear projection comes between (Sak et al., "Long Short-Term Memory Based Recurrent Neural
    Network Architectures for Large Vocabulary Speech Recognition", 2014).

    Dropout, each the share that is set to zero (Srivastava et al., 2014): ``dropout`` of a layer's outputs,
    ``input_dropout`` of the embedded tokens, ``recurrent_dropout`` of the state that a recurrent layer takes from the
    step before, ``embedding_dropout`` of the words of the vocabulary, each in all its places. The last two, and with
    ``locked_dropout`` all of them, keep one mask for a whole sequence (variational dropout: Gal & Ghahramani, "A
    Theoretically Grounded Application of Dropout in Recurrent Neural Networks", 2016).
    """

    architecture: str = DEFAULT_ARCHITECTURE
    embedding_size: int = 64
    hidden_size: int = 128
    layers: int = 1
    tied: bool = False
    dropout: float = 0.0
    input_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    embedding_dropout: float = 0.0
    locked_dropout: bool = False
    window: int = 4
    order: int = 3
    counting: bool = False
    recent: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    plugin: Architecture = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        plugin = made_architecture(self.architecture, self.options, self.common_options())
        object.__setattr__(self, "plugin", plugin)
        object.__setattr__(self, "options", options.to_json(plugin))
        for name, most in (("embedding_size", _WIDEST), ("hidden_size", _WIDEST), ("layers", 64), ("window", 64)):
            value = getattr(self, name)
            check(name, value >= 1, "1 or more", value)
            check(name, value <= most, f"at most {most:,}", value)
        for name in ("dropout", "input_dropout", "recurrent_dropout", "embedding_dropout"):
            check(name, 0 <= getattr(self, name) < 1, "from 0 to below 1", getattr(self, name))
        check("recent", self.recent in (0, *RECENT), f"0, or from {RECENT[0]} to {RECENT[-1]:,}", self.recent)
        check("order", self.order in ORDERS, f"from {ORDERS[0]} to {ORDERS[-1]}", self.order)
        plugin.check(self)

    @classmethod
    def common_options(cls) -> tuple[str, ...]:
        """Return the names of the options that stand in the section ``model`` whatever the architecture is.

        >>> ModelSettings.common_options()[:2]
        ('architecture', 'embedding_size')
        """
        return tuple(each.name for each in fields(cls) if each.name not in ("options", "plugin"))

    @classmethod
    def from_table(cls, values: Mapping[str, Any]) -> ModelSettings:
        """Return the settings of a recipe's section ``model``, with the architecture's own options beside others.

        >>> ModelSettings.from_table({"architecture": "gru", "hidden_size": "16"}).hidden_size
        16
        """
        name = values.get("architecture", DEFAULT_ARCHITECTURE)
        own = own_options(name) if isinstance(name, str) else ()
        common = {key: value for key, value in values.items() if key not in own}
        given = {key: values[key] for key in own if key in values}
        return options.build(cls, common, what="model", as_is={"options": given})

    def to_table(self) -> dict[str, Any]:
        """Return the section ``model``, the inverse of :meth:`from_table`."""
        table = options.to_json(self)
        own: dict[str, Any] = table.pop("options")
        return {**table, **own}

    @property
    def trained_layers(self) -> tuple[str, ...]:
        """The names of the layers that have weights, first to last.

        >>> ModelSettings("gru", layers=2, tied=True).trained_layers
        ('embedding', 'recurrent_1', 'recurrent_2', 'projection', 'logits')
        """
        projects = self.tied and self.embedding_size != self.hidden_size
        return ("embedding", *self.plugin.weights(self), *(("projection",) if projects else ()), "logits")

    def check_frozen(self, names: Sequence[str]) -> None:
        """Raise OptionError for a name that no layer with weights has, and if nothing is left to train."""
        for name in names:
            if name not in self.trained_layers:
                hint = nearest(name, self.trained_layers)
                raise OptionError(f"freeze: the network has no layer {name!r} to train; {hint}")
        if not set(self.trained_layers) - set(names):
            raise OptionError(f"freeze: with {', '.join(names)} nothing is left to train")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the network is trained.

    ``batch_size``: sequences a step. ``sequence_length``: longer documents are cut into sequences of this many
    predicted tokens. ``running_text``: the documents are one text, in their order; the state is carried from each
    batch to the next and the document before is known (truncated backpropagation through time: Mikolov et al.,
    "Recurrent neural network based language model", 2010).

    ``optimizer``: adam (Kingma & Ba, 2015), adamw (Loshchilov & Hutter, "Decoupled Weight Decay Regularization",
    2019), rmsprop, sgd. ``weight_decay``: what each step takes off the weights, times the learning rate.
    ``clip_norm``: gradients are scaled down to this norm, all together, 0 for never (Pascanu et al., "On the
    difficulty of training recurrent neural networks", 2013). ``averaging``: the network that is kept is a moving
    average of the weights, each step's share 1 - ``averaging``, 0 for none (Polyak & Juditsky, 1992).

    ``learning_rate`` is reached over ``warmup_steps``; ``schedule``: constant; cosine, down to 0 at the last epoch
    (Loshchilov & Hutter, "SGDR", 2017); or plateau, times ``plateau_factor`` whenever the monitored loss has not
    fallen for ``plateau_patience`` epochs.

    ``sampled_softmax``: this many words, drawn by rank, stand for all others in the loss, 0 for never
    (Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation", 2015); the last
    ``full_softmax`` share of the epochs, and every validation, uses all words.

    ``validation``: share of the documents held out, those that a hash of ``split_seed`` and the document chooses; of
    a running text, the last ones. ``label_dropout``: the share of labels that an epoch hides, so that the model is
    good without them, too. ``unknown_rate``: in each epoch, this share of the places of words that occur once
    are read as ``<unk>``, so that a network learns where new words come (Dyer et al., "Transition-Based Dependency
    Parsing with Stack Long Short-Term Memory", 2015, section 3.4). ``noise``: how often a word that is read is
    replaced by another, 0 for never (Xie et al., "Data Noising as Smoothing in Neural Network Language Models", 2017;
    :mod:`genrun_core.training.batching.noise`). ``balance_output``: after training, the logits of
    groups of tokens are set right by held-out documents (:mod:`genrun_core.training.adjusting.output_bias`).
    ``patience``: epochs without improvement before training stops, 0 for never. ``freeze``: layers that are not
    trained.
    ``extend_vocabulary``: how many new words fine-tuning adds, the most frequent ones of the new corpus.
    ``calibrate``: fine-tuning begins with the
    frequencies of the new corpus, and with flatter logits, where that suits it better. ``precision``: what is
    computed with; weights and the exported model stay float32. ``xla``: compile the steps. ``devices``: one, or
    all GPUs of the machine.
    """

    epochs: int = 20
    batch_size: int = 32
    sequence_length: int = 256
    running_text: bool = False
    optimizer: str = "adam"
    learning_rate: float = 0.001
    warmup_steps: int = 0
    schedule: str = "constant"
    plateau_factor: float = 0.5
    plateau_patience: int = 1
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    averaging: float = 0.0
    sampled_softmax: int = 0
    full_softmax: float = 0.2
    validation: float = 0.0
    split_seed: int = 0
    unknown_rate: float = 0.0
    noise: float = 0.0
    balance_output: bool = False
    patience: int = 0
    freeze: tuple[str, ...] = ()
    extend_vocabulary: int = 0
    calibrate: bool = True
    label_dropout: float = 0.1
    precision: str = "float32"
    xla: bool = False
    devices: str = "one"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("devices", self.devices, DEVICES)
        for name in ("epochs", "batch_size", "sequence_length", "plateau_patience"):
            check(name, getattr(self, name) >= 1, "1 or more", getattr(self, name))
            check(name, getattr(self, name) < 2**31, "below 2**31", getattr(self, name))
        for name in ("warmup_steps", "patience", "sampled_softmax", "extend_vocabulary"):
            check(name, getattr(self, name) >= 0, "0 (off) or more", getattr(self, name))
        for name in ("clip_norm", "weight_decay"):
            check(name, 0 <= getattr(self, name) < float("inf"), "0 (off) or more", getattr(self, name))
        for name in ("validation", "averaging", "label_dropout"):
            check(name, 0 <= getattr(self, name) < 1, "from 0 to below 1", getattr(self, name))
        check("learning_rate", 0 < self.learning_rate < float("inf"), "above 0", self.learning_rate)
        check("plateau_factor", 0 < self.plateau_factor < 1, "between 0 and 1", self.plateau_factor)
        check("full_softmax", 0 <= self.full_softmax <= 1, "from 0 to 1", self.full_softmax)
        for name in ("unknown_rate", "noise"):
            check(name, 0 <= getattr(self, name) <= 1, "from 0 to 1", getattr(self, name))
        for name in ("seed", "split_seed"):
            check(name, 0 <= getattr(self, name) < 2**32, "from 0 to 2**32 - 1", getattr(self, name))
        if self.weight_decay and self.optimizer != "adamw":
            raise OptionError(f"weight_decay is for optimizer=adamw, not {self.optimizer!r}")
