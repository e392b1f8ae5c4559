// The open end of a prompt of subwords while its first new tokens are chosen: they repeat it, and the last one may go
// beyond.

/** The tokens that one row may choose next: those that begin with the rest of the prompt, or its usual next one. */
export class OpenPrompt {
  constructor(tokenizer, ids) {
    this._tokenizer = tokenizer;
    this._ids = [...ids];
    this._rest = ids.map((token) => tokenizer.vocabulary[token]).join("");
    this.letters = this._rest.length;
  }

  /** Return a set of the tokens that may be chosen; null for all, once the prompt is repeated. */
  allowed() {
    if (this._ids.length === 0) {
      return null;
    }
    return new Set([...this._tokenizer.subwords.beginningWith(this._rest), this._ids[0]]);
  }

  /** Go on with a chosen `token`. */
  push(token) {
    if (this._ids.length > 0 && token === this._ids[0]) {
      this._rest = this._rest.slice(this._tokenizer.vocabulary[token].length);
      this._ids.shift();
    } else {
      this._ids = []; // it begins with all the rest
    }
  }
}
