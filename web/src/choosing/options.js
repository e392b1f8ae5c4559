// The options of stages: their names, types and defaults, and their values as text or as JSON.

import { OptionError, shown } from "../errors.js";

const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const FLAGS = new Map([
  ...["true", "yes", "on", "1"].map((text) => [text, true]),
  ...["false", "no", "off", "0"].map((text) => [text, false]),
]);

/** An option that is a number, with its default; one without is required. */
export const number = (value) => ({ value, convert: toNumber, kind: "a number" });

/** An option that is a whole number. */
export const whole = (value) => ({ value, convert: toWhole, kind: "a whole number" });

/** An option that is true or false. */
export const flag = (value) => ({ value, convert: toFlag, kind: "true or false" });

/** An option that is a list of texts. */
export const texts = (value) => ({ value, convert: toTexts, kind: "a list of texts" });

/** Return all options of a stage, checked: the `given` ones (text or JSON values by name), and defaults for others. */
export function resolved(name, known, given) {
  const values = {};
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, key)) {
      throw new OptionError(`decoder '${name}' has no option ${shown(key)}; it has ${Object.keys(known).join(", ") || "none"}`);
    }
    values[key] = known[key].convert(value);
    if (values[key] === undefined) {
      throw new OptionError(`decoder '${name}': ${key} must be ${known[key].kind}, not ${shown(value)}`);
    }
  }
  for (const [key, { value }] of Object.entries(known)) {
    values[key] ??= value;
    if (values[key] === undefined) {
      throw new OptionError(`decoder '${name}' needs the option '${key}'`);
    }
  }
  return values;
}

function toNumber(value) {
  const written = typeof value === "string" && NUMBER.test(value.trim()) ? Number(value) : value;
  return typeof written === "number" && !Number.isNaN(written) ? written : undefined;
}

function toWhole(value) {
  const found = toNumber(value);
  return Number.isInteger(found) ? found : undefined;
}

function toFlag(value) {
  return typeof value === "boolean" ? value : FLAGS.get(String(value).toLowerCase());
}

function toTexts(value) {
  const list = typeof value === "string" ? value.split(",").map((part) => part.trim()).filter(Boolean) : value;
  return Array.isArray(list) && list.every((part) => typeof part === "string") ? list : undefined;
}

/** Throw OptionError unless `value` is a finite number, at least `least` and above `above`. */
export function checkNumber(name, value, { least = -Infinity, above = -Infinity } = {}) {
  if (!(Number.isFinite(value) && value >= least && value > above)) {
    const limit = above > -Infinity ? ` above ${above}` : least > -Infinity ? ` from ${least}` : "";
    throw new OptionError(`${name} must be a number${limit}, not ${shown(value)}`);
  }
}

/** Throw OptionError unless `value` is at most 1 and above 0, or 0 if `zero`. */
export function checkProbability(name, value, zero = false) {
  if (!(value >= 0 && value <= 1 && (zero || value > 0))) {
    throw new OptionError(`${name} must be ${zero ? "from 0 to 1" : "above 0 and at most 1"}, not ${shown(value)}`);
  }
}

/** Throw OptionError unless `value` is at least `least`. */
export function checkLeast(name, value, least) {
  if (!(value >= least)) {
    throw new OptionError(`${name} must be ${least} or more, not ${shown(value)}`);
  }
}
