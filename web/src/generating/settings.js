// How one call generates: the model's defaults with the caller's wishes on top, checked once.

import { OptionError, UnsupportedError, shown } from "../errors.js";
import { make } from "../choosing/catalogue.js";
import { defaultChain, makeChain } from "../choosing/chain.js";
import { checkCasing } from "../tokenizer/detokenizer.js";
import { checkSeed } from "./random/draws.js";

const LONGEST = 1_000_000;
const KNOWN = ["maxNewTokens", "decoder", "options", "seed", "stop", "casing", "labels", "maxCopied", "n", "signal"];
const ONLY_IN_PYTHON = ["constraint", "particles", "beam", "lengthPenalty", "distinct", "spread"];

/** Return checked settings; what is undefined is taken from `defaults`, the document genrun.generation. */
export function resolveSettings(defaults, choices = {}) {
  for (const name of Object.keys(choices)) {
    if (ONLY_IN_PYTHON.includes(name)) {
      throw new UnsupportedError(`'${name}' has no JavaScript form; use the Python package, or its server`);
    }
    if (!KNOWN.includes(name)) {
      throw new OptionError(`there is no choice ${shown(name)}; there are ${KNOWN.join(", ")}`);
    }
  }
  const { decoder, options = {}, stop = [], labels = {}, signal } = choices;
  const chosen = isOwn(decoder, defaults) ? defaultChain(defaults, options) : makeChain(decoder, options);
  const most = checkCount("maxCopied", choices.maxCopied ?? defaults.max_copied ?? 0, LONGEST, 0);
  return {
    chain: most > 0 ? chosen.after(make("max-copied", { n: most })) : chosen,
    maxNewTokens: checkCount("maxNewTokens", choices.maxNewTokens ?? defaults.max_new_tokens, LONGEST),
    seed: checkSeed(choices.seed),
    stops: checkStops(typeof stop === "string" ? [stop] : stop),
    casing: checkCasing(choices.casing ?? defaults.casing),
    n: checkCount("n", choices.n ?? 1, LONGEST),
    labels,
    signal,
  };
}

/** Return whether `decoder` is that of the model, whose options stay unless they are changed. */
function isOwn(decoder, defaults) {
  const bare = (name) => (typeof name === "string" ? name.replace(/^genrun:/, "") : null);
  return decoder === undefined || (bare(decoder) !== null && bare(decoder) === bare(defaults.decoder));
}

/** Return `value` if it is a whole number from `least` to `most`; throws OptionError otherwise. */
export function checkCount(name, value, most = Number.MAX_SAFE_INTEGER, least = 1) {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new OptionError(`${name} must be a whole number from ${least} to ${most.toLocaleString("en")}, not ${shown(value)}`);
  }
  return value;
}

function checkStops(stops) {
  if (!Array.isArray(stops) || !stops.every((text) => typeof text === "string" && text !== "")) {
    throw new OptionError(`a stop must be a text that is not empty, or a list of these, not ${shown(stops)}`);
  }
  return stops;
}
