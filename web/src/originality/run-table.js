// A set of runs of words as sorted, truncated hashes; see "genrun.originality" in docs/model-file.md.

import { ModelFileError } from "../errors.js";

const BITS = 10; // of a run, in its bucket
const MOST_RUNS = 1 << 23;
const ONES = (1n << BigInt(BITS)) - 1n;

/** The table of a model file: `runs`, `buckets`, and `table` as base64. */
export class RunTable {
  constructor({ runs, buckets, table }) {
    const whole = Number.isInteger(runs) && Number.isInteger(buckets);
    if (!whole || runs < 0 || runs > buckets || buckets > MOST_RUNS || typeof table !== "string") {
      throw new ModelFileError("genrun.originality needs 'runs', 'buckets' and 'table'");
    }
    const bits = new Bits(table);
    if (bits.bytes !== Math.ceil((buckets + runs + runs * BITS) / 8)) {
      throw new ModelFileError(`genrun.originality: its table is not that of ${runs} runs`);
    }
    this._buckets = buckets;
    this._offsets = new Int32Array(buckets + 1);
    let bucket = 0;
    for (let found = 0; bucket < buckets; ) {
      if (bits.next() === 1) {
        found += 1;
      } else {
        bucket += 1;
        this._offsets[bucket] = found;
      }
    }
    this._fingerprints = Uint16Array.from({ length: runs }, () => bits.number(BITS));
  }

  /** Return the bits of the hash of a word that `lasts` returns. */
  last(word) {
    return Number(word >> BigInt(64 - BITS));
  }

  /** Return the bits of each last word of a run with this beginning. */
  lasts(beginning) {
    const own = Number(beginning & ONES);
    return Array.from(this._bucketOf(beginning), (bits) => bits ^ own);
  }

  /** Return whether the table has the run with this beginning and hash of its last word, or one taken for it. */
  has(beginning, word) {
    return this._bucketOf(beginning).includes(Number(beginning & ONES) ^ this.last(word));
  }

  _bucketOf(beginning) {
    const bucket = Number(((beginning >> 32n) * BigInt(this._buckets)) >> 32n);
    return this._fingerprints.subarray(this._offsets[bucket], this._offsets[bucket + 1]);
  }
}

/** Bits of base64, the highest of a byte first. */
class Bits {
  constructor(base64) {
    try {
      this._text = atob(base64);
    } catch {
      throw new ModelFileError("genrun.originality: its table is not base64");
    }
    this.bytes = this._text.length;
    this._at = 0;
  }

  next() {
    const bit = (this._text.charCodeAt(this._at >> 3) >> (7 - (this._at & 7))) & 1;
    this._at += 1;
    return bit;
  }

  /** Return a number of some bits, the lowest first. */
  number(count) {
    let value = 0;
    for (let place = 0; place < count; place += 1) {
      value |= this.next() << place;
    }
    return value;
  }
}
