// Stages that leave out the unlikely candidates, or the most likely ones.

import { entropy, exactSum, exactWeights, f32, highest, logProbabilities, probabilities, sum } from "../numbers.js";
import { checkNumber, checkProbability, number } from "../options.js";
import { OptionError, shown } from "../../errors.js";
import { ownDraw } from "./chance.js";

/** Keeps the candidates whose probability is at least p times that of the likeliest one. */
export class MinP {
  static options = { p: number(0.05) };

  constructor({ p }) {
    checkProbability("p", p);
    this._log = f32(Math.log(p));
  }

  apply(candidates) {
    const bound = f32(highest(candidates.logits) + this._log);
    return candidates.keep(Array.from(candidates.logits, (logit) => logit >= bound));
  }
}

/** Keeps the candidates within n standard deviations of the highest logit. */
export class TopNSigma {
  static options = { n: number(1) };

  constructor({ n }) {
    checkNumber("n", n, { above: 0 });
    this.n = n;
  }

  apply(candidates) {
    const { logits } = candidates;
    const top = highest(logits);
    const left = Array.from(logits, (logit) => logit > -Infinity);
    const count = Math.max(sum(left.map(Number)), 1);
    const below = Float64Array.from(logits, (logit) => (logit > -Infinity ? top - logit : 0));
    const mean = exactSum(below) / count;
    const deviation = Math.sqrt(exactSum(below.map((value, at) => (left[at] ? (value - mean) ** 2 : 0))) / count);
    return candidates.keep(left.map((here, at) => here && below[at] <= this.n * deviation));
  }
}

/** Keeps the candidates that are nearest to the expected surprise and have the probability `mass` together. */
export class Typical {
  static options = { mass: number(0.95) };

  constructor({ mass }) {
    checkProbability("mass", mass);
    this.mass = mass;
  }

  apply(candidates) {
    const weights = exactWeights(candidates.logits);
    const expected = entropy(candidates.logits);
    const distances = logProbabilities(candidates.logits).map((log) => Math.abs(log + expected));
    const order = Array.from(distances.keys());
    order.sort((left, right) => {
      const near = distances[left] < distances[right] ? -1 : Number(distances[left] > distances[right]);
      return near || left - right;
    });
    const bound = this.mass * sum(weights);
    let cumulative = 0;
    let last = 0;
    while (last < order.length - 1) {
      cumulative += weights[order[last]];
      if (cumulative >= bound) {
        break;
      }
      last += 1;
    }
    const farthest = distances[order[last]];
    return candidates.keep(Array.from(distances, (distance) => distance <= farthest));
  }
}

function above(candidates, least) {
  const top = highest(candidates.logits);
  const shares = probabilities(candidates.logits);
  return candidates.keep(Array.from(shares, (share, at) => share >= least || candidates.logits[at] === top));
}

/** Keeps the candidates whose probability is at least epsilon, and the likeliest in any case. */
export class Epsilon {
  static options = { epsilon: number(0.0009) };

  constructor({ epsilon }) {
    checkProbability("epsilon", epsilon);
    this.epsilon = epsilon;
  }

  apply(candidates) {
    return above(candidates, this.epsilon);
  }
}

/** Keeps the candidates whose probability is at least min(epsilon, √epsilon · exp(-entropy)). */
export class Eta {
  static options = { epsilon: number(0.002) };

  constructor({ epsilon }) {
    checkProbability("epsilon", epsilon);
    this.epsilon = epsilon;
  }

  apply(candidates) {
    const { epsilon } = this;
    return above(candidates, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(candidates.logits))));
  }
}

/** Excludes top choices now and then: of the candidates from `threshold` on, only the least likely one stays. */
export class Xtc {
  static options = { threshold: number(0.1), probability: number(0.5) };

  constructor({ threshold, probability }) {
    if (!(threshold > 0 && threshold <= 0.5)) {
      throw new OptionError(`threshold must be above 0 and at most 0.5, not ${shown(threshold)}`);
    }
    checkProbability("probability", probability, true);
    Object.assign(this, { threshold, probability });
  }

  apply(candidates, state, draw) {
    if (ownDraw(draw, "xtc") >= f32(this.probability)) {
      return candidates;
    }
    const shares = probabilities(candidates.logits);
    const likely = Array.from(shares, (share) => share >= this.threshold);
    if (sum(likely.map(Number)) < 2) {
      return candidates;
    }
    let stays = -1; // the last of the least likely ones
    likely.forEach((is, at) => {
      if (is && (stays < 0 || shares[at] <= shares[stays])) {
        stays = at;
      }
    });
    return candidates.keep(likely.map((is, at) => !is || at === stays));
  }
}
