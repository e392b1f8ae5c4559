// Normalization: the steps of a model file that change a text before it is split into tokens.

import { ModelFileError, OptionError, UnsupportedError, shown } from "../errors.js";
import { inClass, length, trimEnd, trimStart } from "./characters.js";
import { edges, markEdges } from "./marks.js";

const MOST_STEPS = 64;
const MOST_GROWTH = 16;
const SHORT = 1024;

function replacing(characters, change) {
  const pattern = new RegExp(`[${inClass(characters)}]`, "gu");
  return (text) => text.replace(pattern, change);
}

function isolateEdges(leading, trailing) {
  const pattern = edges(leading, trailing);
  return (text) => text.replace(pattern, (match) => ` ${Array.from(match).join(" ")} `);
}

function keep(characters) {
  const pattern = new RegExp(`[^${inClass(characters)}]+`, "gu");
  return (text) => text.replace(pattern, " ");
}

// name → what makes the function, and the names of its sets of characters
const STEPS = new Map([
  ["lowercase", [() => (text) => text.toLowerCase(), []]],
  ["nfc", [() => (text) => text.normalize("NFC"), []]],
  ["drop_non_ascii", [() => (text) => text.replace(/[^\x00-\x7f]/gu, ""), []]],
  ["strip", [() => (text) => trimEnd(trimStart(text)), []]],
  ["collapse_spaces", [() => (text) => text.replace(/ {2,}/g, " "), []]],
  ["remove", [(characters) => replacing(characters, ""), ["characters"]]],
  ["space_out", [(characters) => replacing(characters, " "), ["characters"]]],
  ["isolate", [(characters) => replacing(characters, (mark) => ` ${mark} `), ["characters"]]],
  ["isolate_edges", [isolateEdges, ["leading", "trailing"]]],
  ["mark_edges", [markEdges, ["leading", "trailing"]]],
  ["keep", [keep, ["characters"]]],
]);

/** A checked list of steps, applied in order. */
export class Normalization {
  constructor(steps) {
    if (!Array.isArray(steps) || steps.length > MOST_STEPS) {
      throw new ModelFileError(`a tokenizer has a list of at most ${MOST_STEPS} normalization steps`);
    }
    this._transforms = steps.map((step) => {
      const known = STEPS.get(step?.step);
      if (known === undefined) {
        throw new UnsupportedError(`unknown normalization step ${shown(step?.step)}`);
      }
      const [make, names] = known;
      const given = Object.keys(step).filter((key) => key !== "step");
      const valid = names.every((name) => typeof step[name] === "string" && step[name] !== "");
      if (!valid || given.length !== names.length) {
        throw new ModelFileError(`the normalization step '${step.step}' takes ${names.join(" and ") || "nothing else"}`);
      }
      return make(...names.map((name) => step[name]));
    });
    const marking = steps.filter((step) => step.step === "mark_edges").map((step) => step.leading);
    this.openingMarks = marking.length > 0 ? new Set(marking.join("")) : null;
  }

  /** Return `text` after all steps; throws OptionError for a text that becomes more than 16 times as long. */
  apply(text) {
    const most = mostGrowth(text);
    return this._transforms.reduce((changed, transform) => {
      const next = transform(changed);
      checkGrowth(next.length <= most ? 0 : length(next), most);
      return next;
    }, text);
  }
}

/** Return the most characters that `text` may grow to. */
export function mostGrowth(text) {
  return MOST_GROWTH * Math.max(length(text), SHORT);
}

/** Throw OptionError if a text has become too long. */
export function checkGrowth(size, most) {
  if (size > most) {
    throw new OptionError(`the tokenizer's normalization makes a text more than ${MOST_GROWTH} times as long`);
  }
}
