// The documents in a model file: the JSON in its metadata, and the digest of its bytes.

import { ModelFileError } from "../errors.js";
import { fields } from "./protobuf.js";

const METADATA = 14; // field of a ModelProto: entries of key (1) and value (2)
const PREFIX = "genrun.";
const FORMAT = 1;

/** Return the documents of a model file, Uint8Array: `tokenizer`, `generation`, `card` and `originality`, or null. */
export function readDocuments(bytes) {
  const { texts } = readEntries(bytes);
  const version = texts.get("format_version");
  if (version === undefined) {
    throw new ModelFileError("the file is not one that genrun exported: it has no genrun metadata");
  }
  if (!/^[0-9]{1,9}$/.test(version)) {
    throw new ModelFileError("genrun.format_version is not a whole number");
  }
  if (Number(version) > FORMAT) {
    throw new ModelFileError(`the file has model format ${version}; this genrun reads formats up to ${FORMAT}`);
  }
  const found = { tokenizer: json(texts, "tokenizer"), generation: json(texts, "generation"), card: json(texts, "card") };
  return { ...found, originality: texts.has("originality") ? json(texts, "originality") : null };
}

/**
 * Throw ModelFileError if `bytes` are not what their digest says. Resolves to false if there is no digest, or if the
 * page cannot compute one (browsers offer SHA-256 to secure pages only).
 */
export async function checkDigest(bytes) {
  const { texts, signed } = readEntries(bytes);
  const given = texts.get("digest");
  if (given === undefined || globalThis.crypto?.subtle === undefined) {
    return false;
  }
  let covered = bytes.subarray(0, signed.begin);
  if (signed.after < bytes.length) {
    const rest = bytes.subarray(signed.after);
    covered = new Uint8Array(signed.begin + rest.length);
    covered.set(bytes.subarray(0, signed.begin));
    covered.set(rest, signed.begin);
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", covered));
  const found = `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  if (found !== given) {
    throw new ModelFileError("the file is damaged: its content is not what its digest (genrun.digest) says");
  }
  return true;
}

function readEntries(bytes) {
  const texts = new Map();
  let signed = null;
  for (const field of fields(bytes)) {
    if (field.number !== METADATA) {
      continue;
    }
    const parts = new Map();
    for (const part of fields(bytes, field.from, field.to)) {
      parts.set(part.number, bytes.subarray(part.from, part.to));
    }
    const key = text(parts.get(1) ?? new Uint8Array(0));
    if (!key.startsWith(PREFIX)) {
      continue;
    }
    const name = key.slice(PREFIX.length);
    if (texts.has(name)) {
      throw new ModelFileError(`the file has the metadata ${key} twice`);
    }
    texts.set(name, text(parts.get(2) ?? new Uint8Array(0)));
    if (name === "digest") {
      signed = field;
    }
  }
  return { texts, signed };
}

function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ModelFileError("the metadata of the file is not UTF-8");
  }
}

function json(texts, name) {
  const written = texts.get(name);
  if (written === undefined) {
    throw new ModelFileError(`${PREFIX}${name} is missing`);
  }
  let value;
  try {
    value = JSON.parse(written);
  } catch {
    throw new ModelFileError(`${PREFIX}${name} is not valid JSON`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new ModelFileError(`${PREFIX}${name} must be a JSON object`);
  }
  return value;
}
