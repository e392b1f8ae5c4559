// BLAKE2b with a digest of eight bytes, without a key (RFC 7693).

const MASK = (1n << 64n) - 1n;
const BLOCK = 128;
const START = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const COLUMNS = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];

/** Return the digest of `bytes` (Uint8Array), its lowest byte first, as a BigInt of 64 bits. `person`: 16 bytes. */
export function blake2b64(bytes, person = new Uint8Array(16)) {
  const hash = [...START];
  const [first, second] = new BigUint64Array(person.buffer);
  hash[6] ^= first;
  hash[7] ^= second;
  hash[0] ^= 0x01010008n; // eight bytes of digest, no key, no tree
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK));
  for (let number = 0; number < blocks; number += 1) {
    const block = new Uint8Array(BLOCK);
    block.set(bytes.subarray(number * BLOCK, (number + 1) * BLOCK));
    const last = number === blocks - 1;
    compress(hash, new BigUint64Array(block.buffer), BigInt(last ? bytes.length : (number + 1) * BLOCK), last);
  }
  return hash[0];
}

/** Mix one block, of 16 words, into the hash. (Typed arrays have the lowest byte first wherever browsers run.) */
function compress(hash, words, count, last) {
  const v = [...hash, ...START];
  v[12] ^= count;
  if (last) {
    v[14] ^= MASK;
  }
  for (let round = 0; round < 12; round += 1) {
    const order = SIGMA[round % 10];
    COLUMNS.forEach((places, number) => {
      mix(v, places, words[order[2 * number]], words[order[2 * number + 1]]);
    });
  }
  for (let at = 0; at < 8; at += 1) {
    hash[at] ^= v[at] ^ v[at + 8];
  }
}

function mix(v, [a, b, c, d], first, second) {
  v[a] = (v[a] + v[b] + first) & MASK;
  v[d] = rotated(v[d] ^ v[a], 32n);
  v[c] = (v[c] + v[d]) & MASK;
  v[b] = rotated(v[b] ^ v[c], 24n);
  v[a] = (v[a] + v[b] + second) & MASK;
  v[d] = rotated(v[d] ^ v[a], 16n);
  v[c] = (v[c] + v[d]) & MASK;
  v[b] = rotated(v[b] ^ v[c], 63n);
}

function rotated(word, by) {
  return (word >> by) | ((word << (64n - by)) & MASK);
}
