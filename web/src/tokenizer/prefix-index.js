// Finds the entries of a vocabulary that begin with a text.

/** The words of `vocabulary` with the given `ids`, sorted, so that words with the same beginning are neighbours. */
export class PrefixIndex {
  constructor(vocabulary, ids) {
    this._entries = ids.map((token) => [vocabulary[token], token]);
    this._entries.sort(([left], [right]) => (left < right ? -1 : Number(left > right)));
  }

  /** Return the ids of the words that begin with `prefix`, rising. */
  startingWith(prefix) {
    let low = 0;
    let high = this._entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this._entries[middle][0] < prefix) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const found = [];
    while (low < this._entries.length && this._entries[low][0].startsWith(prefix)) {
      found.push(this._entries[low][1]);
      low += 1;
    }
    return found.sort((left, right) => left - right);
  }
}
