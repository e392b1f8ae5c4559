// The errors of this package. A message is one line: what was wrong, and what is accepted.

/** Anything that this package refuses. */
export class GenrunError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** A file that is no model file, or a damaged one. */
export class ModelFileError extends GenrunError {}

/** An argument that is not accepted. */
export class OptionError extends GenrunError {}

/** A prompt with nothing to begin from. */
export class PromptError extends OptionError {}

/** What the Python package has, and this one has not: a stage, or a kind of tokenizer. */
export class UnsupportedError extends OptionError {}

/** Return `value` as it is shown in a message. */
export function shown(value) {
  const text = typeof value === "bigint" ? `${value}` : (JSON.stringify(value) ?? String(value));
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
