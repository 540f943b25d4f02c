/**
 * Starts the key source: puts each set of keys to use and writes the log of what happens to it. Redis is waited for only so
 * long; a key file that cannot be used is a mistake that somebody has to correct first.
 */
import type { KeySnapshot } from './keys/key.ts';
import type { KeyListener, KeySource } from './keys/source.ts';
import type { Log } from './observability/log.ts';

export interface StartKeysOptions {
  readonly source: KeySource;
  readonly use: (keys: KeySnapshot) => void;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/** Long enough for a large set of keys, and less than what probes allow a start. */
const PATIENCE_MS = 5000;

/** Resolves when keys are in use, or may be late. Rejects with every finding when the key file cannot be used. */
export async function startKeys({ source, use, log }: StartKeysOptions): Promise<void> {
  const mistakes: string[] = [];
  const isUnusable = (): boolean => source.kind === 'file' && !source.status().loaded;
  const listener: KeyListener = {
    onKeys: (keys) => {
      use(keys);
      log.info('keys_loaded', { keys: keys.byId.size, invalid: keys.invalid.length });
    },
    onStatus: statusLog(log),
    onProblem: ({ severity, message, keyId }) => {
      if (isUnusable()) mistakes.push(message);
      else log[severity === 'error' ? 'error' : 'warn']('key_problem', { detail: message, keyId });
    },
  };
  const started = source.start(listener);
  await (source.kind === 'file' ? started : inPatience(started));
  if (isUnusable()) throw new Error(`the keys cannot be used:\n${mistakes.join('\n')}`);
}

/** A line when the source goes down and when it is back; why it is down may change in between. */
function statusLog(log: StartKeysOptions['log']): NonNullable<KeyListener['onStatus']> {
  let wasUp = true;
  return ({ up, loaded, why }) => {
    if (up === wasUp) return;
    wasUp = up;
    if (up) log.info('key_source_up', { detail: 'the keys are those of the source again' });
    // A key file without which nothing starts is told as such.
    else if (loaded) log.warn('key_source_down', { detail: `${why ?? ''}; the last keys go on serving` });
    else log.warn('key_source_down', { detail: `${why ?? ''}; nothing is served until keys are loaded` });
  };
}

async function inPatience(start: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([start, late]);
  clearTimeout(timer);
}
