/** Generates text from a genrun model file, in a browser or in Node. */

/** Anything that this package refuses. */
export class GenrunError extends Error {}
/** A file that is no model file, or a damaged one. */
export class ModelFileError extends GenrunError {}
/** An argument that is not accepted. */
export class OptionError extends GenrunError {}
/** A prompt with nothing to begin from. */
export class PromptError extends OptionError {}
/** What the Python package has, and this one has not. */
export class UnsupportedError extends OptionError {}

/** The names of all decoders, stages and choosers. */
export const DECODERS: readonly string[];
/** The names of all casings. */
export const CASINGS: readonly Casing[];

export type Casing = "none" | "corpus" | "title" | "sentence" | "upper";
export type OptionValue = string | number | boolean | readonly string[];
/** A stage of a chain, as a model file has it. */
export interface StageObject {
  name: string;
  options?: Record<string, OptionValue>;
}
/** A name, a chain as text ("min-p:0.05,temperature:0.8"), or a list of texts and objects. */
export type Decoder = string | readonly (string | StageObject)[];

/** How to generate; what is left out is taken from the model. */
export interface Choices {
  /** 1 to 1,000,000. */
  maxNewTokens?: number;
  decoder?: Decoder;
  /** Options of the decoder by name; "top-k.temperature" where several stages have one. */
  options?: Record<string, OptionValue>;
  /** 0 to 2**64 - 1, above 2**53 as a bigint; a fresh one if it is left out. */
  seed?: number | bigint;
  /** Texts that end the continuation. */
  stop?: string | readonly string[];
  casing?: Casing;
  /** Values of the model's labels; those left out are no condition. */
  labels?: Record<string, string>;
  /** The most words in a row that a text copies from the training text; 0 for any number. */
  maxCopied?: number;
  /** Ends the generation, with its reason as the error. */
  signal?: AbortSignal;
}

/** One generated text. */
export interface Result {
  prompt: string;
  /** The prompt and its continuation. */
  text: string;
  continuation: string;
  /** The new token ids, an end token included. */
  ids: number[];
  finishReason: "end" | "stop" | "length";
  /** Natural logarithm of the model's own probability of all new tokens. */
  logProbability: number;
  /** Prompt words outside the vocabulary. */
  unknown: string[];
  seed: bigint;
  sample: number;
  /** The words of the longest run from the training text; 0 for fewer than the file counts, null if it has none. */
  copiedRun: number | null;
  /** Whether its words are those of a training document; null if the file does not know its training text. */
  isTrainingLine: boolean | null;
  /** The run is `text.slice(...copiedSpan)`; null without a run. */
  copiedSpan: [number, number] | null;
}

/** A possible next word of a text, or a possible completion of its unfinished word. */
export interface Suggestion {
  /** The word as it would be written there; empty for the end of the text. */
  text: string;
  probability: number;
  id: number;
  /** The part of the word that is in the text already. */
  completes: string;
}

/** How likely a text is. */
export interface Score {
  text: string;
  /** Natural logarithms, one for each token but the first. */
  tokenLogProbabilities: number[];
  unknown: string[];
  tokens: number;
  logProbability: number;
  /** NaN for a text without predicted tokens. */
  perplexity: number;
}

export interface SuggestChoices {
  /** How many; 5 if it is left out. */
  n?: number;
  /** Whether the end of the text may be suggested. */
  end?: boolean;
}

/** Suggests words for a text that grows, shrinks and changes. */
export interface TypingSession {
  /** Words of the last text that are not in the vocabulary. */
  readonly unknown: readonly string[];
  suggest(text: string, choices?: SuggestChoices): Promise<Suggestion[]>;
}

/** A language model that generates text. */
export interface Model {
  /** The defaults for generating, as the model file has them. */
  readonly defaults: Record<string, unknown>;
  /** The description by the model's maker. */
  readonly card: Record<string, unknown>;
  /** The labels with their values. */
  readonly labels: Record<string, string[]>;
  /** Whether the digest in the file was compared. */
  readonly digestChecked: boolean;
  generate(prompt?: string, choices?: Choices): Promise<string>;
  generateMany(prompts: Iterable<string> | AsyncIterable<string>, choices?: Choices & { n?: number }): Promise<Result[]>;
  generateEach(prompts: Iterable<string> | AsyncIterable<string>, choices?: Choices & { n?: number }): AsyncGenerator<Result, void>;
  /** Yields the continuation piece by piece, and returns its result. */
  stream(prompt?: string, choices?: Choices): AsyncGenerator<string, Result>;
  suggest(
    text: string,
    choices?: SuggestChoices & { casing?: Casing; labels?: Record<string, string> },
  ): Promise<Suggestion[]>;
  typing(choices?: { casing?: Casing; labels?: Record<string, string>; keep?: number }): TypingSession;
  score(text: string, choices?: { labels?: Record<string, string> }): Promise<Score>;
  /** Frees the memory of the model. */
  release(): Promise<void>;
}

export interface LoadOptions {
  /** The module onnxruntime-web; imported if it is left out. */
  ort?: object;
  /** Options of its InferenceSession. */
  sessionOptions?: object;
  /** Called with a message about words that are not in the vocabulary; console.warn if it is left out. */
  warn?: (message: string) => void;
}

/** Opens a model file: its address, or its bytes; in Node also its path. */
export function load(source: string | URL | Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model>;
