// The fields of a protobuf message, as far as ONNX files need them.

import { ModelFileError } from "../errors.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * Yield the fields of the message in `bytes` from `start` to `end`: number, start and end of the whole field, and for
 * a field of bytes start and end of its content. Throws ModelFileError where the bytes are no message.
 */
export function* fields(bytes, start = 0, end = bytes.length) {
  let at = start;
  while (at < end) {
    const begin = at;
    const tag = varint(bytes, at, end);
    at = tag.after;
    const kind = tag.value & 7;
    const field = { number: Math.floor(tag.value / 8), begin, from: at, to: at, after: at };
    if (kind === VARINT) {
      at = varint(bytes, at, end).after;
    } else if (kind === BYTES) {
      const length = varint(bytes, at, end);
      field.from = length.after;
      at = length.after + length.value;
      field.to = at;
    } else if (kind === FIXED64 || kind === FIXED32) {
      at += kind === FIXED64 ? 8 : 4;
    } else {
      throw malformed();
    }
    if (at > end) {
      throw malformed();
    }
    field.after = at;
    yield field;
  }
}

function varint(bytes, at, end) {
  let value = 0;
  let factor = 1;
  for (let count = 0; count < 10 && at < end; count += 1) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 127) * factor;
    if (byte < 128) {
      return { value, after: at };
    }
    factor *= 128;
  }
  throw malformed();
}

function malformed() {
  return new ModelFileError("the file is not a readable ONNX model");
}
