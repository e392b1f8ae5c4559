// The stage `no-copied-line`: no text ends as a whole document of the training text.

import { OptionError } from "../../errors.js";
import { extended } from "../../originality/training-runs.js";
import { probabilities } from "../numbers.js";
import { checkProbability, number } from "../options.js";

const OTHER = -1n; // the state of a text that no document can be: a special token is between its words

/** Leaves out the end while the text is such a document, unless the end is more likely than `certain`. */
export class NoCopiedLine {
  static options = { certain: number(0.8) };

  constructor({ certain }) {
    checkProbability("certain", certain);
    this.certain = certain;
  }

  bind(vocabulary) {
    const runs = vocabulary.trainingRuns;
    if (runs === null) {
      throw new OptionError("no-copied-line needs a model file that was exported with originality; export it again");
    }
    if (runs.tokenizer.kind !== "word") {
      throw new OptionError("no-copied-line needs a model whose tokens are words");
    }
    return Object.assign(new NoCopiedLine(this), { _runs: runs, _endIds: vocabulary.endIds });
  }

  first(prompt) {
    return prompt.reduce((state, token) => this.follow(state, token), 0n);
  }

  follow(state, token) {
    const words = this._runs.wordsOfToken(token);
    if (words === null) {
      return state === 0n ? state : OTHER;
    }
    return state === OTHER ? state : words.reduce(extended, state);
  }

  apply(candidates, state) {
    if (state <= 0n || !this._runs.hasLine(state)) {
      return candidates;
    }
    const shares = probabilities(candidates.logits);
    const end = candidates.columnsOf(this._endIds).reduce((sum, column) => sum + shares[column], 0);
    return end <= this.certain ? candidates.without(this._endIds) : candidates;
  }
}
