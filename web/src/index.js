// Generates text from a genrun model file, in a browser or in Node.

export { GenrunError, ModelFileError, OptionError, PromptError, UnsupportedError } from "./errors.js";
export { NAMES as DECODERS } from "./choosing/catalogue.js";
export { CASINGS } from "./tokenizer/detokenizer.js";
export { load } from "./model.js";
