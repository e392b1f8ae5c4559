// NumPy's Philox generator: 4x64 with ten rounds. (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011)

const MASK = (1n << 64n) - 1n;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;

/** Return the four numbers (BigInt, 64 bits) that Philox makes of a counter (four) and a key (two). */
export function philox(counter, key) {
  let [a, b, c, d] = counter;
  let [left, right] = key;
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = MULTIPLIERS[0] * a;
    const second = MULTIPLIERS[1] * c;
    [a, b, c, d] = [(second >> 64n) ^ b ^ left, second & MASK, (first >> 64n) ^ d ^ right, first & MASK];
    left = (left + WEYL[0]) & MASK;
    right = (right + WEYL[1]) & MASK;
  }
  return [a, b, c, d];
}
