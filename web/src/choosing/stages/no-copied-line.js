// The stage `no-copied-line`: no text ends as a whole document of the training text.

import { OptionError } from "../../errors.js";
import { linesOf } from "../../originality/lines.js";
import { probabilities } from "../numbers.js";
import { checkProbability, number } from "../options.js";

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
    return Object.assign(new NoCopiedLine(this), { _lines: linesOf(runs), _endIds: vocabulary.endIds });
  }

  first(prompt) {
    return this._lines.first(prompt);
  }

  follow(state, token) {
    return this._lines.follow(state, token);
  }

  apply(candidates, state) {
    if (!this._lines.isLine(state)) {
      return candidates;
    }
    const shares = probabilities(candidates.logits);
    const end = candidates.columnsOf(this._endIds).reduce((sum, column) => sum + shares[column], 0);
    return end <= this.certain ? candidates.without(this._endIds) : candidates;
  }
}
