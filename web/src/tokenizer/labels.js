// The labels of a model: conditions such as section=Opinion, each a token that stands before a text.

import { ModelFileError, OptionError, shown } from "../errors.js";

/** The labels of a model file, in the order in which their tokens stand before a text. */
export class Labels {
  constructor(value) {
    this.first = value?.first ?? 0;
    this._all = (value?.names ?? []).map((label) => ({ ...label, tokens: new Map() }));
    let at = this.first;
    for (const label of this._all) {
      if (typeof label.name !== "string" || !Array.isArray(label.values) || typeof label.rare !== "boolean") {
        throw new ModelFileError("a tokenizer's 'labels' have a 'first' token, and 'names' with 'values' and 'rare'");
      }
      label.none = at;
      at += label.rare ? 2 : 1;
      for (const given of label.values) {
        label.tokens.set(given, at);
        at += 1;
      }
    }
    this.end = at;
  }

  /** The number of labels. */
  get size() {
    return this._all.length;
  }

  /** The labels with their values, as an object of lists by name. */
  get values() {
    return Object.fromEntries(this._all.map((label) => [label.name, [...label.values]]));
  }

  /** Return whether the id `token` is that of a label. */
  has(token) {
    return token >= this.first && token < this.end;
  }

  /** Return a token for each label: that of its value in `given`; without one, or if it is empty, that of none. */
  ids(given = {}) {
    for (const [name, value] of Object.entries(given ?? {})) {
      const label = this._all.find((each) => each.name === name);
      if (label === undefined) {
        const known = this._all.map((each) => each.name).join(", ") || "none: it was trained without labels";
        throw new OptionError(`the model has no label ${shown(name)}; it has ${known}`);
      }
      if (value !== "" && !label.tokens.has(value)) {
        throw new OptionError(`the label ${shown(name)} has no value ${shown(value)}`);
      }
    }
    return this._all.map((label) => label.tokens.get(given?.[label.name]) ?? label.none);
  }
}
