// Bytes as printable letters, one for each of the 256: a vocabulary of byte sequences is then a list of texts.

const printable = (byte) => (byte >= 0x21 && byte < 0x7f) || (byte >= 0xa1 && byte < 0xad) || byte >= 0xae;

/** The letter of each byte. */
export const LETTERS = [];

let others = 0;
for (let byte = 0; byte < 256; byte += 1) {
  LETTERS.push(String.fromCharCode(printable(byte) ? byte : 0x100 + others++));
}

const BYTES = new Map(LETTERS.map((letter, byte) => [letter, byte]));

/** Return the letters of `text`, one for each byte of its UTF-8. */
export function lettersOf(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => LETTERS[byte]).join("");
}

/** Return the bytes, Uint8Array, that `letters` stand for. */
export function bytesOf(letters) {
  return Uint8Array.from(letters, (letter) => BYTES.get(letter));
}

/** Return whether `text` is letters of bytes only, and not empty. */
export function isBytes(text) {
  return text !== "" && Array.from(text).every((letter) => BYTES.has(letter));
}
