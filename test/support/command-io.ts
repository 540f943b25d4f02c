/** A command's io that keeps what is written. */
import type { CommandIo } from '../../src/commands/io.ts';
import { NO_SIGNALS } from '../../src/signals.ts';

export function capturedIo(given: { stdin?: string; env?: Record<string, string> } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io: CommandIo = {
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
    secret: async () => given.stdin ?? '',
    env: given.env ?? {},
    version: '1.2.3',
    signals: NO_SIGNALS,
  };
  return { io, out, err };
}
