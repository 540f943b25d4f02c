/** Writes PROXY protocol version 2 headers for tests. */

/** `command`: version and command; `family`: family and transport; `block`: addresses and TLVs. */
export function v2Header(command: number, family: number, block: readonly number[]): Buffer {
  const fixed = Buffer.from([
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0x00,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    command,
    family,
    0,
    0,
  ]);
  fixed.writeUInt16BE(block.length, 14);
  return Buffer.concat([fixed, Buffer.from(block)]);
}
