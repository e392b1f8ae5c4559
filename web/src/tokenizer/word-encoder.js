// Encodes words or characters: each piece of a text is one entry of the vocabulary, or unknown.

const LINE_BREAK = "\n";

/** Encodes by `ids`, a Map; unknown pieces become `unk`, or are left out if it is undefined. */
export class WordEncoder {
  constructor(ids, unk) {
    this._ids = ids;
    this._unk = unk;
  }

  /** Return the ids of `pieces`, and the pieces that are unknown. */
  encode(pieces) {
    const ids = [];
    const unknown = [];
    for (const piece of pieces) {
      const token = this._ids.get(piece);
      if (token === undefined) {
        unknown.push(piece);
      }
      const known = token ?? this._unk;
      if (known !== undefined) {
        ids.push(known);
      }
    }
    return { ids, unknown };
  }
}

/** Encodes line breaks as the ids `between` two documents, several as one, and other pieces with `encoder`. */
export class LineEndEncoder {
  constructor(encoder, between) {
    this._encoder = encoder;
    this._between = between;
  }

  /** Return the ids of `pieces`, and the pieces that are unknown. */
  encode(pieces) {
    const ids = [];
    const unknown = [];
    let run = [];
    const flush = () => {
      const found = this._encoder.encode(run);
      ids.push(...found.ids);
      unknown.push(...found.unknown);
      run = [];
    };
    pieces.forEach((piece, at) => {
      if (piece !== LINE_BREAK) {
        run.push(piece);
        return;
      }
      flush();
      if (pieces[at - 1] !== LINE_BREAK) {
        ids.push(...this._between);
      }
    });
    flush();
    return { ids, unknown };
  }
}
