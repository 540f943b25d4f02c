/**
 * Bytes that come in pieces, packed into one buffer that doubles: kept one by one, pieces of one byte would take a hundred times
 * their size. Bounds nothing.
 */
export class GatheredBytes {
  readonly #expected: number;
  #buffer: Buffer = NOTHING;
  #size = 0;

  /** `expected`: how many bytes there may be; more are taken, but no room is made for them before they come. */
  constructor(expected: number) {
    this.#expected = expected;
  }

  get size(): number {
    return this.#size;
  }

  /** What was added so far, without a copy: the only piece itself, or a view of the larger buffer. */
  get bytes(): Buffer {
    return this.#buffer.length === this.#size ? this.#buffer : this.#buffer.subarray(0, this.#size);
  }

  /** The first piece is kept as it is, since most come alone. */
  add(piece: Buffer): void {
    const before = this.#size;
    this.#size += piece.length;
    if (before === 0) this.#buffer = piece;
    else {
      this.#makeRoom(before);
      piece.copy(this.#buffer, before);
    }
  }

  #makeRoom(used: number): void {
    if (this.#buffer.length >= this.#size) return;
    const room = Math.min(this.#expected, Math.max(this.#size * 2, MIN_ROOM));
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#size, room));
    this.#buffer.copy(larger, 0, 0, used);
    this.#buffer = larger;
  }
}

const NOTHING = Buffer.alloc(0);
const MIN_ROOM = 4096;
