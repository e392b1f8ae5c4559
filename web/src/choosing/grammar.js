// A chain as text: min-p:0.05,temperature:0.8.
//
//     chain  = stage { "," stage }
//     stage  = name [ ":" option { ";" option } ]
//     option = [ option name "=" ] value            without its name: the first option of the stage
//     value  = text, or "text in quotation marks", or ["a list", "of texts"] as in JSON

import { OptionError } from "../errors.js";

/** Return whether `text` has a mark of the grammar, and so is a chain or a full name. */
export function hasMarks(text) {
  return /[,:;="]/.test(text);
}

/** Return the links of a chain: names with their options; the key "" is the first option of a stage. */
export function parse(text, isFullName) {
  return split(text, ",").map((part, number) => link(part, `stage ${number + 1} of '${text}'`, isFullName));
}

function link(part, where, isFullName) {
  const pieces = split(part, ":");
  let name = pieces.shift().trim();
  if (name === "") {
    throw new OptionError(`${where}: the name of a stage is missing`);
  }
  if (pieces.length > 0 && isFullName(`${name}:${pieces[0].trim()}`)) {
    name = `${name}:${pieces.shift().trim()}`;
  }
  if (pieces.length > 1) {
    throw new OptionError(`${where}: a colon stands between a name and its options; write other ones in quotation marks`);
  }
  const options = {};
  (pieces.length > 0 ? split(pieces[0], ";") : []).forEach((option, position) => {
    const [key, ...rest] = split(option, "=");
    const named = rest.length > 0;
    const own = named ? key.trim() : "";
    if (own === "" && (position > 0 || named)) {
      throw new OptionError(`${where}: only the first option may be without its name=`);
    }
    if (Object.hasOwn(options, own)) {
      throw new OptionError(`${where}: the option '${own}' is there twice`);
    }
    options[own] = value((named ? rest.join("=") : option).trim(), where);
  });
  return { name, options };
}

/** Return the pieces of `part` between `mark` outside quotation marks and brackets. */
function split(part, mark) {
  const pieces = [];
  let begin = 0;
  let depth = 0;
  let quoted = false;
  let escaped = false;
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at];
    if (quoted) {
      quoted = escaped || character !== '"';
      escaped = character === "\\" && !escaped;
    } else if (character === '"') {
      quoted = true;
    } else if (character === "[") {
      depth += 1;
    } else if (character === "]") {
      depth -= 1;
    } else if (character === mark && depth === 0) {
      pieces.push(part.slice(begin, at));
      begin = at + 1;
    }
  }
  if (quoted || depth !== 0) {
    throw new OptionError(`'${part}': ${quoted ? "a quotation mark is missing" : "the brackets do not match"}`);
  }
  return [...pieces, part.slice(begin)];
}

function value(written, where) {
  if (written === "") {
    throw new OptionError(`${where}: a value is missing`);
  }
  if (written.startsWith("[")) {
    let parts = null;
    try {
      parts = JSON.parse(written);
    } catch {
      // the message below says what is accepted
    }
    if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string")) {
      throw new OptionError(`${where}: a list is written ["one", "two"]`);
    }
    return parts;
  }
  if (!written.startsWith('"')) {
    return written;
  }
  if (!/^"(?:[^"\\]|\\["\\])*"$/s.test(written)) {
    throw new OptionError(`${where}: a value ends with its quotation mark`);
  }
  return written.slice(1, -1).replace(/\\(["\\])/g, "$1");
}
