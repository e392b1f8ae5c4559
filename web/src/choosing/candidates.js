// The candidates of one row: what the stages of a chain hand on.

import { highest, topK } from "./numbers.js";

const FEW = 128; // columns that are not worth packing into fewer
const PACKED = 4; // the candidates are packed if this part of them, or less, is left

/**
 * The tokens that a row may choose from. `logits`: Float32Array, minus infinity for what is out. `ids`: the id of each
 * column; null if the columns are the ids of the whole vocabulary. A draw goes through the columns in their order.
 */
export class Candidates {
  constructor(ids, logits) {
    this.ids = ids;
    this.logits = logits;
  }

  /** Return the same candidates with other logits. */
  withLogits(logits) {
    return new Candidates(this.ids, logits);
  }

  /** Return those candidates for which `kept` is true, in the same order; all of them if none would be left. */
  keep(kept) {
    const places = [];
    for (let i = 0; i < kept.length; i += 1) {
      if (kept[i]) {
        places.push(i);
      }
    }
    if (kept.length > FEW && places.length * PACKED <= kept.length) {
      const packed = this.at(places);
      if (highest(packed.logits) > -Infinity) {
        return packed;
      }
    }
    return this._unlessEmpty(this.logits.map((logit, at) => (kept[at] ? logit : -Infinity)));
  }

  /** Return the candidates but those with the given `ids`; all of them if none would be left. */
  without(ids) {
    const columns = this.columnsOf(ids);
    if (columns.length === 0) {
      return this;
    }
    const left = this.logits.slice();
    for (const column of columns) {
      left[column] = -Infinity;
    }
    return this._unlessEmpty(left);
  }

  /** Return the candidates at some `places`, in the order of these. */
  at(places) {
    const ids = this.ids === null ? places : places.map((place) => this.ids[place]);
    return new Candidates(ids, Float32Array.from(places, (place) => this.logits[place]));
  }

  /** Return the `k` highest candidates, the highest first, of equal ones the first. */
  top(k) {
    return this.at(topK(this.logits, k));
  }

  /** Return the columns of those `ids` that are here. */
  columnsOf(ids) {
    return this.pairsOf(ids).map(([, column]) => column);
  }

  /** Return for each of the `ids` that is here its number in `ids`, and its column. */
  pairsOf(ids) {
    const found = [];
    Array.from(ids).forEach((id, number) => {
      const column = this.ids === null ? id : this.ids.indexOf(id);
      if (column >= 0) {
        found.push([number, column]);
      }
    });
    return found;
  }

  /** Return the id in a column. */
  idAt(column) {
    return this.ids === null ? column : this.ids[column];
  }

  _unlessEmpty(logits) {
    return highest(logits) === -Infinity ? this : this.withLogits(logits);
  }
}
