// A chain: stages that narrow and reweigh the candidates one after another, and the chooser at its end. A chain that
// is one decoder by itself chooses as that decoder does.

import { OptionError, shown } from "../errors.js";
import { Candidates } from "./candidates.js";
import { isFullName, make, optionsOf } from "./catalogue.js";
import { hasMarks, parse } from "./grammar.js";
import { inverseCdf } from "./numbers.js";

const MOST_STAGES = 64;

/** Chooses the next token of one row after another. The states of a row are a list: one for each link. */
export class Chain {
  constructor(links) {
    this._links = links;
    const last = links.at(-1);
    const chooser = last !== undefined && typeof last.apply !== "function" ? last : null;
    this._alone = links.length === 1 && typeof last.choose === "function" ? last : null;
    this._stages = chooser === null ? links : links.slice(0, -1);
    this._chooser = chooser;
    // A temperature that stands last before the draw is a part of it, and is not rounded to float32.
    this._temperature = chooser === null ? 1 : drawnAt(chooser);
    this._applied = this._stages.length;
    const before = this._stages.length > 0 ? drawnAt(this._stages.at(-1)) : null;
    if (this._temperature === 1 && before !== null) {
      this._applied -= 1;
      this._temperature = before;
    }
  }

  /** Return this chain for a model, whose vocabulary has `words`, `endIds` and `encodings(phrase)`. */
  bind(vocabulary) {
    return new Chain(this._links.map((link) => link.bind?.(vocabulary) ?? link));
  }

  /** Return the chain that begins with `stage`. */
  after(stage) {
    return new Chain([stage, ...this._links]);
  }

  /** Return the states of a row that has the ids of its prompt and no new token. */
  first(prompt) {
    return this._links.map((link) => link.first?.(prompt));
  }

  /** Return the states of a row after one more token. */
  follow(states, token) {
    return this._links.map((link, number) => link.follow?.(states[number], token));
  }

  /**
   * Return the chosen id, and the `states` after it. `logits`: Float32Array, minus infinity for what must not be
   * chosen; `tokens`: the ids of the row so far; `draw`: a uniform number in [0, 1).
   */
  choose(logits, tokens, states, draw) {
    if (this._alone !== null) {
      const token = checked(this._alone.choose(logits, tokens, draw), logits);
      return { token, states };
    }
    let candidates = new Candidates(null, logits);
    this._stages.slice(0, this._applied).forEach((stage, number) => {
      candidates = stage.apply(candidates, states[number], draw);
    });
    if (this._temperature !== null) {
      const column = inverseCdf(candidates.logits, draw, this._temperature);
      const token = checked(column < 0 ? column : candidates.idAt(column), logits);
      return { token, states: this.follow(states, token) };
    }
    const own = states.at(-1);
    const token = checked(this._chooser.pick(candidates, own, draw), logits);
    const following = this.follow(states, token);
    if (this._chooser.adapt !== undefined) {
      following[following.length - 1] = this._chooser.adapt(candidates, own, token);
    }
    return { token, states: following };
  }
}

/** Return the chain of a model's defaults: a decoder's name with options, or a list of stages. */
export function defaultChain({ decoder, options }, changed = {}) {
  if (Array.isArray(decoder)) {
    return chainOf(dealt(decoder.map(({ name, options: own }) => ({ name, options: own ?? {} })), changed));
  }
  return chainOf([{ name: decoder, options: { ...options, ...changed } }]);
}

/**
 * Return the chain of one of the spellings: a name with `options`, a text such as "min-p:0.05,temperature:0.8", or a
 * list of such texts and of objects with `name` and `options`.
 */
export function makeChain(given, options = {}) {
  if (typeof given === "string") {
    return chainOf(dealt(linksOf(given), options));
  }
  if (!Array.isArray(given)) {
    throw new OptionError(`a decoder is a text, or a list of texts and objects, not ${shown(given)}`);
  }
  const links = given.flatMap((part) => {
    if (typeof part === "string") {
      return linksOf(part);
    }
    if (part === null || typeof part !== "object" || typeof part.name !== "string") {
      throw new OptionError(`a stage is a text, or an object with a name and options, not ${shown(part)}`);
    }
    return [{ name: part.name, options: part.options ?? {} }];
  });
  return chainOf(dealt(links, options));
}

function linksOf(text) {
  return hasMarks(text) && !isFullName(text) ? parse(text, isFullName) : [{ name: text, options: {} }];
}

function chainOf(links) {
  const made = links.map(({ name, options }) => make(name, options)).flatMap((each) => each.stages?.() ?? [each]);
  if (made.length > MOST_STAGES) {
    throw new OptionError(`a chain has at most ${MOST_STAGES} stages, not ${made.length}`);
  }
  made.slice(0, -1).forEach((link, number) => {
    if (typeof link.apply !== "function" && typeof link.bind !== "function") {
      throw new OptionError(`stage ${number + 1} of the chain chooses, so it must be the last`);
    }
  });
  return new Chain(made);
}

/** Return the links with `options` dealt to those that have options of these names. */
function dealt(links, options) {
  const found = links.map(({ name, options: own }) => ({ name, options: { ...own } }));
  for (const [key, value] of Object.entries(options)) {
    const point = key.lastIndexOf(".");
    const stage = key.slice(0, Math.max(point, 0));
    const option = key.slice(point + 1);
    const meant = found.filter(({ name }) => Object.hasOwn(optionsOf(name), option) && (!stage || stage === name));
    if (meant.length !== 1) {
      const many = meant.map(({ name }) => `${name}.${option}`).join(" or ");
      throw new OptionError(
        meant.length > 1 ? `name the stage of the option ${shown(key)}: ${many}` : `there is no option ${shown(key)}`,
      );
    }
    meant[0].options[option] = value;
  }
  return found;
}

/** Return the temperature of what only draws from all candidates; null for anything else. */
function drawnAt(link) {
  const given = link.parameters?.();
  return given?.k === -1 ? given.temperature : null;
}

function checked(token, logits) {
  if (!(token >= 0) || !(logits[token] > -Infinity)) {
    throw new OptionError("the stages of the chain have left no candidate, or not a number");
  }
  return token;
}
