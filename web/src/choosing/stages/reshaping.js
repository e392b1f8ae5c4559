// Stages that reweigh the candidates by rules of their own, and the chooser `mirostat`.

import { OptionError, shown } from "../../errors.js";
import { entropy, f32, highest, inverseCdf, logProbabilities, sum } from "../numbers.js";
import { checkLeast, checkNumber, number, whole } from "../options.js";
import { divided } from "./drawing.js";

/** Divides the logits by a temperature between low and high that follows from the entropy. */
export class DynamicTemperature {
  static options = { low: number(0.5), high: number(1.5), exponent: number(1) };

  constructor({ low, high, exponent }) {
    for (const [name, value] of Object.entries({ low, high, exponent })) {
      checkNumber(name, value, { above: 0 });
    }
    if (high < low) {
      throw new OptionError(`high must not be below low, ${low}, not ${shown(high)}`);
    }
    Object.assign(this, { low, high, exponent });
  }

  apply(candidates) {
    const left = sum(Array.from(candidates.logits, (logit) => Number(logit > -Infinity)));
    const share = Math.min(Math.max(entropy(candidates.logits) / Math.log(Math.max(left, 2)), 0), 1);
    return divided(candidates, this.low + (this.high - this.low) * share ** this.exponent, true);
  }
}

/** Adds a bias to the logits of rare words: the tokens from an id on. */
export class Rare {
  static options = { from_id: whole(undefined), bias: number(undefined) };

  constructor({ from_id: fromId, bias }) {
    checkLeast("from_id", fromId, 0);
    checkNumber("bias", bias);
    Object.assign(this, { fromId, bias: f32(bias) });
  }

  apply(candidates) {
    const logits = candidates.logits.map((logit, at) =>
      candidates.idAt(at) >= this.fromId ? f32(logit + this.bias) : logit,
    );
    return candidates.withLogits(logits);
  }
}

/** Draws from the candidates whose surprise is at most a bound, which follows the surprise of the text. */
export class Mirostat {
  static options = { tau: number(5), eta: number(0.1) };

  constructor({ tau, eta }) {
    checkNumber("tau", tau, { above: 0 });
    checkNumber("eta", eta, { least: 0 });
    Object.assign(this, { tau, eta });
  }

  first() {
    return 2 * this.tau;
  }

  follow(state) {
    return state;
  }

  pick(candidates, state, draw) {
    const left = this._left(candidates, state);
    return left.idAt(inverseCdf(left.logits, draw));
  }

  /** Return the state after the choice of the id `token`. */
  adapt(candidates, state, token) {
    const left = this._left(candidates, state);
    const [column] = left.columnsOf([token]);
    const surprise = logProbabilities(left.logits)[column] / -Math.LN2;
    return state - this.eta * (surprise - this.tau);
  }

  _left(candidates, state) {
    const bound = state * -Math.LN2;
    const top = highest(candidates.logits);
    const logs = logProbabilities(candidates.logits);
    return candidates.keep(Array.from(logs, (log, at) => log >= bound || candidates.logits[at] === top));
  }
}
