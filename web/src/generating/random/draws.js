// The random numbers of generation: one uniform draw for each new token. They follow from the seed, the number of the
// sample and the ids of the prompt, and are those of the Python package to the bit.

import { OptionError, shown } from "../../errors.js";
import { blake2b64 } from "./blake2b.js";
import { philox } from "./philox.js";

const LIMIT = 1n << 64n;

/** Return `seed` as a BigInt, or a fresh one if it is undefined or null; throws OptionError outside 0 … 2**64 - 1. */
export function checkSeed(seed) {
  if (seed === undefined || seed === null) {
    return crypto.getRandomValues(new BigUint64Array(1))[0] >> 1n;
  }
  const whole = typeof seed === "bigint" || Number.isSafeInteger(seed);
  if (!whole || BigInt(seed) < 0n || BigInt(seed) >= LIMIT) {
    throw new OptionError(`seed must be a whole number from 0 to 2**64 - 1, above 2**53 as a BigInt, not ${shown(seed)}`);
  }
  return BigInt(seed);
}

/** The draws of one text, one after another. */
export class Draws {
  constructor(seed, sample, promptIds) {
    this._key = [seed, BigInt(sample)];
    this._prompt = blake2b64(new Uint8Array(BigInt64Array.from(promptIds, BigInt).buffer));
    this._counter = 0n;
    this._words = [];
  }

  /** Return the next uniform number in [0, 1): a multiple of 2**-24. */
  next() {
    if (this._words.length === 0) {
      this._counter += 1n; // NumPy adds one before it draws
      for (const word of philox([this._counter, 0n, 0n, this._prompt], this._key)) {
        this._words.push(Number(word & 0xffffffffn), Number(word >> 32n));
      }
    }
    return (this._words.shift() >>> 8) / 2 ** 24;
  }
}
