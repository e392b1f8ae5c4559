// One decoding step of a model file, run by onnxruntime-web: a token and states in, logits and states out.

import { ModelFileError, OptionError } from "../errors.js";

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
};

/** An open model; it holds no state of any text. */
export class StepSession {
  constructor(ort, onnx, vocabulary) {
    this._ort = ort;
    this._onnx = onnx;
    this.vocabulary = vocabulary;
    this._states = onnx.inputMetadata.filter((input) => input.name.startsWith("state.")).map(checkedState);
    const outputs = ["logits", ...this._states.map((state) => `${state.name}.next`)];
    const names = new Set(onnx.outputNames);
    const missing = outputs.find((name) => !names.has(name));
    if (missing !== undefined || !onnx.inputNames.includes("token")) {
      throw new ModelFileError(`the graph has no '${missing ?? "token"}': it is not a genrun decoding step`);
    }
    const known = new Set(["token", ...this._states.map((state) => state.name)]);
    const unknown = onnx.inputNames.find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new ModelFileError(`the graph needs an input '${unknown}' that this genrun does not know`);
    }
    this._outputs = outputs;
  }

  /** Open the model file `bytes` with the module `ort`, onnxruntime-web; `options` are those of its session. */
  static async open(ort, bytes, vocabulary, options = {}) {
    let onnx;
    try {
      onnx = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3, ...options });
    } catch (error) {
      throw new ModelFileError(`onnxruntime cannot open the model: ${firstLine(error)}`);
    }
    if (onnx.inputMetadata === undefined) {
      throw new OptionError("this onnxruntime-web is too old: genrun needs 1.21 or newer");
    }
    return new StepSession(ort, onnx, vocabulary);
  }

  /** Return the states before the first token: zeros. */
  initialStates() {
    return this._states.map(({ type, shape, Values }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return new this._ort.Tensor(type, new Values(size), [1, ...shape]);
    });
  }

  /** Feed one token: resolves to the logits, Float32Array of the size of the vocabulary, and the next states. */
  async step(token, states) {
    const feed = { token: new this._ort.Tensor("int64", BigInt64Array.of(BigInt(token)), [1]) };
    this._states.forEach((state, number) => {
      feed[state.name] = states[number];
    });
    let found;
    try {
      found = await this._onnx.run(feed, this._outputs);
    } catch (error) {
      throw new ModelFileError(`the decoding step failed: ${firstLine(error)}`);
    }
    const logits = found.logits.data;
    if (!(logits instanceof Float32Array) || logits.length !== this.vocabulary) {
      throw new ModelFileError(`the graph does not return ${this.vocabulary} logits, one for each token`);
    }
    return { logits, states: this._states.map((state) => found[`${state.name}.next`]) };
  }

  /** Feed several tokens, one after another: resolves to what `step` gives for the last one. */
  async read(tokens, states = this.initialStates()) {
    let found = { logits: null, states };
    for (const token of tokens) {
      found = await this.step(token, found.states);
    }
    return found;
  }

  /** Free the memory of the model. */
  async release() {
    await this._onnx.release();
  }
}

function checkedState(input) {
  const shape = input.shape?.slice(1) ?? [];
  const Values = ARRAYS[input.type];
  if (Values === undefined || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new ModelFileError(`the state '${input.name}' has the type ${input.type} and the shape [${input.shape}]`);
  }
  return { name: input.name, type: input.type, shape, Values };
}

function firstLine(error) {
  return String(error?.message ?? error).split("\n")[0];
}
