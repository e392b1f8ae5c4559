import assert from "node:assert/strict";
import { test } from "node:test";
import { ownDraw } from "../src/choosing/stages/chance.js";
import { blake2b64 } from "../src/generating/random/blake2b.js";
import { Draws, checkSeed } from "../src/generating/random/draws.js";
import { recorded } from "./vectors.js";

const { draws, own } = recorded("draws");

for (const { seed, sample, ids, draws: expected } of draws) {
  test(`the draws of seed ${seed}, sample ${sample} and ${ids.length} ids are NumPy's`, () => {
    const numbers = new Draws(checkSeed(BigInt(seed)), sample, ids);
    assert.deepEqual(expected.map(() => numbers.next()), expected);
  });
}

test("a stage's own draws are those of Python", () => {
  assert.deepEqual(own.draws.map((draw) => ownDraw(draw, "xtc")), own.xtc);
});

test("BLAKE2b of the text abc begins as with Python's hashlib", () => {
  assert.equal(blake2b64(new TextEncoder().encode("abc")).toString(16), "5995d533d814bbd8");
});

test("a seed outside 64 bits, or one that a number cannot hold, is refused", () => {
  for (const seed of [-1, 2 ** 64, 1.5, "7", -1n, 1n << 64n]) {
    assert.throws(() => checkSeed(seed), /seed must be a whole number/);
  }
});
