// Chance for stages: numbers that follow from a row's draw, but are independent of the choice that it makes.

import { blake2b64 } from "../../generating/random/blake2b.js";

const MASK = (1n << 64n) - 1n;
const salts = new Map();

/** Return for a `draw` another uniform number in [0, 1), always the same for one `name` (SplitMix64). */
export function ownDraw(draw, name) {
  if (!salts.has(name)) {
    salts.set(name, blake2b64(new TextEncoder().encode(name)));
  }
  let bits = BigInt(Math.floor(draw * 2 ** 24)) ^ salts.get(name);
  bits = (bits + 0x9e3779b97f4a7c15n) & MASK;
  bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & MASK;
  bits ^= bits >> 31n;
  return Number(bits >> 40n) / 2 ** 24;
}
