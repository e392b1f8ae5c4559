// How the corpus writes its lower-cased words: capitalized, in upper case, or in another way.

import { capitalized } from "./characters.js";

/** The forms of a model file, for the casing `corpus`. */
export class WrittenForms {
  constructor(value) {
    this._forms = value?.forms ?? "";
    this._others = value?.others ?? {};
    this.capitalizeFirst = Boolean(value?.capitalize_first);
  }

  /** Return `word`, with the id `token`, as the corpus writes it. */
  write(token, word) {
    switch (this._forms[token]) {
      case "C":
        return capitalized(word);
      case "U":
        return word.toUpperCase();
      case "*":
        return this._others[token] ?? word;
      default:
        return word;
    }
  }
}
