// The decoders `draw`, `greedy`, `temperature`, `top-k` and `top-p`. Each is a stage or chooser of a chain; all but
// `draw` are decoders by themselves too (`choose`), which do not round between their parts.

import { f32, argmax, exactWeights, highest, inverseCdf, nucleus, topK } from "../numbers.js";
import { checkLeast, checkNumber, checkProbability, flag, number, whole } from "../options.js";

const FAR = 1e30; // beyond it, differences of logits would be lost

/** Return the candidates with their logits divided by a temperature, in float32 or, if `double`, rounded to it. */
export function divided(candidates, temperature, double = false) {
  const divisor = double ? temperature : f32(temperature);
  const scaled = candidates.logits.map((logit) => f32(logit / divisor));
  const top = highest(scaled);
  if (Number.isFinite(top) && Math.abs(top) <= FAR) {
    return candidates.withLogits(scaled);
  }
  const above = highest(candidates.logits);
  return candidates.withLogits(candidates.logits.map((logit) => f32(f32(logit - above) / temperature)));
}

/** Draws by inverse CDF over the candidates, in the order in which the stages leave them. */
export class Draw {
  static options = {};

  pick(candidates, state, draw) {
    return candidates.idAt(inverseCdf(candidates.logits, draw));
  }

  parameters() {
    return { k: -1, temperature: 1 };
  }
}

/** Chooses the highest candidate; of equal ones, the first. */
export class Greedy {
  static options = {};

  choose(logits) {
    return argmax(logits);
  }

  pick(candidates) {
    return candidates.idAt(argmax(candidates.logits));
  }

  parameters() {
    return { k: 1, temperature: 1 };
  }
}

/** Divides the logits. */
export class Temperature {
  static options = { temperature: number(1) };

  constructor({ temperature }) {
    checkNumber("temperature", temperature, { above: 0 });
    this.temperature = temperature;
  }

  choose(logits, tokens, draw) {
    return inverseCdf(logits, draw, this.temperature);
  }

  apply(candidates) {
    return divided(candidates, this.temperature);
  }

  parameters() {
    return { k: -1, temperature: this.temperature };
  }
}

/** Keeps the k highest candidates, the highest first. */
export class TopK {
  static options = { k: whole(40), temperature: number(1) };

  constructor({ k, temperature = 1 }) {
    checkLeast("k", k, 1);
    checkNumber("temperature", temperature, { above: 0 });
    this.k = k;
    this.temperature = temperature;
  }

  choose(logits, tokens, draw) {
    const places = topK(logits, this.k);
    return places[inverseCdf(Float32Array.from(places, (place) => logits[place]), draw, this.temperature)];
  }

  apply(candidates) {
    const kept = candidates.top(this.k);
    return this.temperature === 1 ? kept : divided(kept, this.temperature);
  }

  parameters() {
    return { k: this.k, temperature: this.temperature };
  }
}

/** Keeps the most likely candidates that together have the probability p. */
export class TopP {
  static options = { p: number(0.95), temperature: number(1), repeats: flag(true) };

  constructor({ p, temperature = 1, repeats = true }) {
    checkProbability("p", p);
    checkNumber("temperature", temperature, { above: 0 });
    Object.assign(this, { p, temperature, repeats });
    if (!repeats) {
      this.first = (prompt) => prompt.at(-1) ?? -1;
      this.follow = (state, token) => token;
    }
  }

  choose(logits, tokens, draw) {
    const last = tokens.at(-1);
    let left = logits;
    if (!this.repeats && last !== undefined) {
      left = logits.slice();
      left[last] = -Infinity;
      left = highest(left) === -Infinity ? logits : left;
    }
    const kept = nucleus(exactWeights(left, this.temperature), this.p);
    return inverseCdf(left.map((logit, at) => (kept[at] ? logit : -Infinity)), draw, this.temperature);
  }

  apply(candidates, last) {
    let left = this.repeats || last < 0 ? candidates : candidates.without([last]);
    if (this.temperature !== 1) {
      left = divided(left, this.temperature);
    }
    return left.keep(nucleus(exactWeights(left.logits), this.p));
  }
}
