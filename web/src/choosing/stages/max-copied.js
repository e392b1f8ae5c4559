// The stage `max-copied`: no text copies more than n words in a row from the training text.

import { OptionError } from "../../errors.js";
import { endsOf } from "../../originality/steering.js";
import { checkLeast, whole } from "../options.js";

/** Leaves out each word with which the text would have `n` + 1 words in a row from the training text. */
export class MaxCopied {
  static options = { n: whole(4) };

  constructor({ n }) {
    checkLeast("n", n, 1);
    this.n = n;
  }

  bind({ trainingRuns }) {
    if (trainingRuns === null) {
      throw new OptionError("max-copied needs a model file that was exported with originality; export it again");
    }
    return new BoundMaxCopied(endsOf(trainingRuns, this.n));
  }
}

class BoundMaxCopied {
  constructor(ends) {
    this._ends = ends;
  }

  first(prompt) {
    return prompt.reduce((state, token) => this.follow(state, token), []);
  }

  follow(state, token) {
    return this._ends.follow(state, token);
  }

  apply(candidates, state) {
    return candidates.without(this._ends.banned(state));
  }
}
