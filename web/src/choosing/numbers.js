// Choosing tokens from logits, number by number as the Python package does it: the same order of operations, float32
// where NumPy has float32, and sums of whole numbers, which are exact in any order.

const UNITS = 2 ** 32;
const ENTROPY_UNITS = 2 ** 40; // of whole numbers: their sums are exact, and hide the last bits of an exp
const BITS = 31; // of a number in an exact sum

export const f32 = Math.fround;

/** Return `x` rounded to a whole number, halves to the even one. */
export function rint(x) {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) {
    return rest > 0.5 ? floor + 1 : floor;
  }
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Return the highest of `values`; minus infinity if there is none, NaN if one is NaN. */
export function highest(values) {
  let found = -Infinity;
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] > found) {
      found = values[i];
    } else if (Number.isNaN(values[i])) {
      return NaN;
    }
  }
  return found;
}

/** Return the place of the first of the highest `values`. */
export function argmax(values) {
  let at = 0;
  for (let i = 1; i < values.length; i += 1) {
    if (values[i] > values[at]) {
      at = i;
    }
  }
  return at;
}

/** Return the sum of `values`. */
export function sum(values) {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) {
    total += values[i];
  }
  return total;
}

/** Return softmax(logits / temperature) times 2**32 over the highest one, as whole numbers: Float64Array. */
export function exactWeights(logits, temperature = 1) {
  const top = highest(logits);
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i += 1) {
    const below = f32(logits[i] - top);
    weights[i] = below === -Infinity ? 0 : rint(Math.exp(temperature === 1 ? below : below / temperature) * UNITS);
  }
  return weights;
}

/** Return the first place whose cumulative probability exceeds the `draw`; -1 for logits that are not numbers. */
export function inverseCdf(logits, draw, temperature = 1) {
  const weights = exactWeights(logits, temperature);
  const bound = draw * sum(weights);
  if (Number.isNaN(bound)) {
    return -1;
  }
  let cumulative = 0;
  for (let i = 0; i < weights.length; i += 1) {
    cumulative += weights[i];
    if (cumulative > bound) {
      return i;
    }
  }
  return -1;
}

/** Return the places of the `k` highest logits: the highest first, equal ones in their order. */
export function topK(logits, k) {
  const count = Math.min(k, logits.length);
  const least = Float32Array.from(logits).sort()[logits.length - count];
  const places = [];
  for (let at = 0; at < logits.length; at += 1) {
    if (logits[at] >= least) {
      places.push(at);
    }
  }
  // A difference of infinities is not a number, and no difference.
  return places.sort((left, right) => logits[right] - logits[left] || left - right).slice(0, count);
}

/** Return for each of `weights` whether it is among the largest that add up to the share `p` or just more. */
export function nucleus(weights, p) {
  const total = sum(weights);
  // Those below this weight have at most 1 - p together, so they are never needed.
  const falling = weights.filter((weight) => weight * weights.length >= (1 - p) * total).sort().reverse();
  let cumulative = 0;
  let last = 0;
  while (last < falling.length - 1) {
    cumulative += falling[last];
    if (cumulative >= p * total) {
      break;
    }
    last += 1;
  }
  const least = Math.max(falling[last], 1);
  return Array.from(weights, (weight) => weight >= least);
}

/** Return log Σ exp(logits). */
export function logNormalizer(logits) {
  const top = highest(logits);
  let total = 0;
  for (let i = 0; i < logits.length; i += 1) {
    total += f32(Math.exp(f32(logits[i] - top)));
  }
  return Math.log(total) + top;
}

/** Return log softmax(logits), Float64Array; minus infinity for what is out. */
export function logProbabilities(logits) {
  const normalizer = Math.log(sum(exactWeights(logits)) / UNITS);
  const top = highest(logits);
  return Float64Array.from(logits, (logit) => logit - top - normalizer);
}

/** Return softmax(logits), Float64Array; 0 where 2**33 times below the highest. */
export function probabilities(logits) {
  const weights = exactWeights(logits);
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** Return the entropy of softmax(logits) in nats. */
export function entropy(logits) {
  const terms = logProbabilities(logits).map((log) => (log > -Infinity ? Math.exp(log) * -log : 0));
  return sum(terms.map((term) => rint(term * ENTROPY_UNITS))) / ENTROPY_UNITS;
}

/** Return the sum of `values`, rounded to multiples of about a two-billionth of the largest one. */
export function exactSum(values) {
  const exponent = exponentOf(highest(values.map(Math.abs)));
  const scale = 2 ** (BITS - exponent);
  return sum(values.map((value) => rint(value * scale))) / scale;
}

/** Return e with 2**(e - 1) <= x < 2**e; 0 for 0. */
function exponentOf(x) {
  if (x === 0 || !Number.isFinite(x)) {
    return 0;
  }
  let exponent = Math.floor(Math.log2(x)) + 1;
  while (2 ** exponent <= x) {
    exponent += 1;
  }
  while (2 ** (exponent - 1) > x) {
    exponent -= 1;
  }
  return exponent;
}
