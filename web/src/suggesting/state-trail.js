// A model's states after each token of a text, so that it can continue from any of them while a text is typed.

/** Keeps the states of at most `keep` tokens; tokens that texts have in common cost no step. */
export class StateTrail {
  constructor(session, keep) {
    this._session = session;
    this._keep = keep;
    this._tokens = [];
    this._states = new Map(); // by the number of tokens before them
    this._last = null;
  }

  /** Resolves to the logits after the tokens `ids`, at least one. */
  async logitsAfter(ids) {
    if (this._last !== null && isSame(this._last.ids, ids)) {
      return this._last.logits;
    }
    let shared = 0;
    while (shared < ids.length && shared < this._tokens.length && ids[shared] === this._tokens[shared]) {
      shared += 1;
    }
    if (shared < ids.length) {
      this._tokens.length = shared;
      this._states = new Map([...this._states].filter(([count]) => count <= shared));
    }
    const most = Math.min(shared, ids.length - 1); // the last token is always fed: its step gives the logits
    const from = Math.max(0, ...[...this._states.keys()].filter((count) => count <= most));
    let found = { logits: null, states: from > 0 ? this._states.get(from) : this._session.initialStates() };
    for (let at = from; at < ids.length; at += 1) {
      found = await this._session.step(ids[at], found.states);
      this._remember(at, ids[at], found.states);
    }
    this._last = { ids, logits: found.logits };
    return found.logits;
  }

  _remember(at, token, states) {
    this._tokens[at] = token;
    this._states.delete(at + 1);
    this._states.set(at + 1, states);
    if (this._states.size > this._keep) {
      this._states.delete(this._states.keys().next().value);
    }
  }
}

function isSame(left, right) {
  return left.length === right.length && left.every((id, at) => id === right[at]);
}
