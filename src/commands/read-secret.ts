/**
 * Reads a secret from standard input: all of it, or at a terminal a line that is asked for and not shown. Says nothing of what was
 * read, and leaves the terminal as it was.
 */
import { text } from 'node:stream/consumers';

/** Standard input. `setRawMode` is there at a terminal alone. */
export interface SecretInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  readonly setRawMode?: (raw: boolean) => unknown;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ENDS: ReadonlySet<string> = new Set(['\r', '\n', CTRL_D]);
const RUBOUTS: ReadonlySet<string> = new Set(['\b', '\u007f']);

/** null: whoever sits at the terminal gave up. `ask` writes to the terminal, not to what may be in a pipe. */
export async function readSecret(input: SecretInput, ask: (what: string) => void): Promise<string | null> {
  if (input.isTTY !== true) return text(input);
  input.setEncoding('utf8');
  // Before it asks: what is typed at once must not be shown either.
  input.setRawMode?.(true);
  try {
    ask('Secret (it is not shown): ');
    return await lineOf(input);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    ask('\n');
  }
}

function lineOf(input: SecretInput): Promise<string | null> {
  return new Promise((resolve) => {
    let typed: string[] = [];
    const end = (line: string | null): void => {
      input.off('data', take);
      resolve(line);
    };
    const take = (chunk: string): void => {
      for (const character of chunk) {
        if (character === CTRL_C) return end(null);
        if (ENDS.has(character)) return end(typed.join(''));
        if (character === CTRL_U) typed = [];
        else if (RUBOUTS.has(character)) typed.pop();
        else typed.push(character);
      }
    };
    input.on('data', take);
    input.once('end', () => end(typed.join('')));
  });
}
