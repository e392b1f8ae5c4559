// All decoders, stages and choosers that this package has, by name.

import { UnsupportedError, shown } from "../errors.js";
import { resolved } from "./options.js";
import { HuggingFace, LlamaCpp } from "./presets.js";
import { Epsilon, Eta, MinP, TopNSigma, Typical, Xtc } from "./stages/cutting.js";
import { Draw, Greedy, Temperature, TopK, TopP } from "./stages/drawing.js";
import { MaxCopied } from "./stages/max-copied.js";
import { NoCopiedLine } from "./stages/no-copied-line.js";
import { Quotation } from "./stages/quotation.js";
import { Dry, Frequency, NoRepeatNgram, Presence, Repetition } from "./stages/repeating.js";
import { DynamicTemperature, Mirostat, Rare } from "./stages/reshaping.js";
import { Banned, MinLength, Wanted } from "./stages/wording.js";

const DECODERS = new Map([
  ["banned", Banned],
  ["draw", Draw],
  ["dry", Dry],
  ["dynamic-temperature", DynamicTemperature],
  ["epsilon", Epsilon],
  ["eta", Eta],
  ["frequency", Frequency],
  ["greedy", Greedy],
  ["huggingface", HuggingFace],
  ["llama.cpp", LlamaCpp],
  ["max-copied", MaxCopied],
  ["min-length", MinLength],
  ["min-p", MinP],
  ["mirostat", Mirostat],
  ["no-copied-line", NoCopiedLine],
  ["no-repeat-ngram", NoRepeatNgram],
  ["presence", Presence],
  ["quotation", Quotation],
  ["rare", Rare],
  ["repetition", Repetition],
  ["temperature", Temperature],
  ["top-k", TopK],
  ["top-n-sigma", TopNSigma],
  ["top-p", TopP],
  ["typical", Typical],
  ["wanted", Wanted],
  ["xtc", Xtc],
]);

/** The names of all decoders, stages and choosers. */
export const NAMES = [...DECODERS.keys()];

/** Return the options of the decoder `name` with their defaults; undefined for a required one. */
export function optionsOf(name) {
  return Object.fromEntries(Object.entries(find(name).options).map(([key, { value }]) => [key, value]));
}

/** Return the decoder `name` with some options by name; "" is its first option. */
export function make(name, given = {}) {
  const Decoder = find(name);
  const { "": first, ...named } = given;
  const [key] = Object.keys(Decoder.options);
  const values = first === undefined ? named : { [key ?? "value"]: first, ...named };
  return new Decoder(resolved(name, Decoder.options, values));
}

/** Return whether `name` is a decoder of the Python package's own distribution, written as genrun:name. */
export function isFullName(name) {
  return name.startsWith("genrun:") && DECODERS.has(name.slice("genrun:".length));
}

function find(name) {
  const found = DECODERS.get(isFullName(name) ? name.slice("genrun:".length) : name);
  if (found === undefined) {
    throw new UnsupportedError(`the decoder ${shown(name)} has no JavaScript form; there are ${NAMES.join(", ")}`);
  }
  return found;
}
