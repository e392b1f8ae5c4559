// The presets `huggingface` and `llama.cpp`: their stages in their orders.

import { number, whole } from "./options.js";
import { Epsilon, Eta, MinP, TopNSigma, Typical, Xtc } from "./stages/cutting.js";
import { Temperature, TopK, TopP } from "./stages/drawing.js";
import { Dry, Frequency, NoRepeatNgram, Presence, Repetition } from "./stages/repeating.js";
import { MinLength } from "./stages/wording.js";

/** Return what the functions of the pairs make whose first part is true. */
function used(pairs) {
  return pairs.filter(([is]) => is).map(([, made]) => made());
}

/** The sampling of Hugging Face transformers. */
export class HuggingFace {
  static options = {
    temperature: number(1),
    top_k: whole(50),
    top_p: number(1),
    min_p: number(0),
    typical_p: number(1),
    epsilon_cutoff: number(0),
    eta_cutoff: number(0),
    repetition_penalty: number(1),
    no_repeat_ngram_size: whole(0),
    min_new_tokens: whole(0),
  };

  constructor(options) {
    this._options = options;
  }

  stages() {
    const o = this._options;
    return used([
      [o.repetition_penalty !== 1, () => new Repetition({ penalty: o.repetition_penalty, window: 0 })],
      [o.no_repeat_ngram_size !== 0, () => new NoRepeatNgram({ n: o.no_repeat_ngram_size })],
      [o.min_new_tokens !== 0, () => new MinLength({ n: o.min_new_tokens })],
      [o.temperature !== 1, () => new Temperature({ temperature: o.temperature })],
      [o.top_k !== 0, () => new TopK({ k: o.top_k })],
      [o.top_p !== 1, () => new TopP({ p: o.top_p })],
      [o.min_p !== 0, () => new MinP({ p: o.min_p })],
      [o.typical_p !== 1, () => new Typical({ mass: o.typical_p })],
      [o.epsilon_cutoff !== 0, () => new Epsilon({ epsilon: o.epsilon_cutoff })],
      [o.eta_cutoff !== 0, () => new Eta({ epsilon: o.eta_cutoff })],
    ]);
  }
}

/** The sampling of llama.cpp. */
export class LlamaCpp {
  static options = {
    temp: number(0.8),
    top_k: whole(40),
    top_p: number(0.95),
    min_p: number(0.05),
    typical: number(1),
    top_nsigma: number(-1),
    xtc_probability: number(0),
    xtc_threshold: number(0.1),
    repeat_last_n: whole(64),
    repeat_penalty: number(1),
    presence_penalty: number(0),
    frequency_penalty: number(0),
    dry_multiplier: number(0),
    dry_base: number(1.75),
    dry_allowed_length: whole(2),
  };

  constructor(options) {
    this._options = options;
  }

  stages() {
    const o = this._options;
    const window = o.repeat_last_n;
    const dry = { multiplier: o.dry_multiplier, base: o.dry_base, allowed: o.dry_allowed_length };
    return used([
      [o.repeat_penalty !== 1, () => new Repetition({ penalty: o.repeat_penalty, window })],
      [o.frequency_penalty !== 0, () => new Frequency({ penalty: o.frequency_penalty, window })],
      [o.presence_penalty !== 0, () => new Presence({ penalty: o.presence_penalty, window })],
      [o.dry_multiplier !== 0, () => new Dry(dry)],
      [o.top_nsigma > 0, () => new TopNSigma({ n: o.top_nsigma })],
      [o.top_k > 0, () => new TopK({ k: o.top_k })],
      [o.typical !== 1, () => new Typical({ mass: o.typical })],
      [o.top_p !== 1, () => new TopP({ p: o.top_p })],
      [o.min_p !== 0, () => new MinP({ p: o.min_p })],
      [o.xtc_probability !== 0, () => new Xtc({ threshold: o.xtc_threshold, probability: o.xtc_probability })],
      [o.temp !== 1, () => new Temperature({ temperature: o.temp })],
    ]);
  }
}
