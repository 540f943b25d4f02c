/**
 * The history of changes to keys, policies and address lists: those made here, told by the admin API, and those seen in the source.
 * What it cannot keep or see hinders no change and no request.
 */
import type { Config } from '../../config/schema.ts';
import type { LoadedDefinition } from '../../keys/definition.ts';
import type { KeySnapshot } from '../../keys/key.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { readKeyFile } from '../../keys/read-key-file.ts';
import type { KeySet } from '../../keys/record-kind.ts';
import { connectRedis } from '../../lib/redis.ts';
import type { Environment } from '../../config/document.ts';
import { isoTime } from '../../observability/iso-time.ts';
import type { Log } from '../../observability/log.ts';
import type { Call } from '../operation.ts';
import { createMemoryLog, type ChangeLog } from './change-log.ts';
import { changedFields, digestOfText, textOfState, type HistoryChange, type State, type Target } from './change.ts';
import { createRedisLog } from './redis-log.ts';
import { createSourceWatch, type SourceWatch } from './source-watch.ts';

export interface History {
  /** From now on changes are noted and looked for. Asked again, it only looks. */
  readonly look: () => void;
  /** A change here begins; it ends with a call of the function that it gives. */
  readonly begin: () => () => void;
  /** Notes a change that was made here. Never rejects. */
  readonly changed: (call: Pick<Call, 'caller' | 'address'>, made: ChangeMade) => Promise<void>;
  /** Newest first, and why some may be missing. */
  readonly read: () => Promise<{ readonly changes: readonly HistoryChange[]; readonly why: string | null }>;
  readonly close: () => void;
}

export interface ChangeMade {
  readonly action: string;
  readonly target: Target;
  readonly before: State;
  readonly after: State;
}

export interface HistoryOptions {
  readonly env: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
  readonly keys: () => KeySnapshot | null;
  readonly store: () => KeyStore;
}

/** How long another replica may take to note what it has changed, in milliseconds. */
const GRACE_MS = 1500;

/** Connects to nothing before it is first asked to look, read or note. */
export function createHistory({ keys: { source, file }, redis }: Config, options: HistoryOptions): History {
  const { env, now, log: lines, keys, store } = options;
  const closing = new AbortController();
  let opened: { readonly log: ChangeLog; readonly watch: SourceWatch } | null = null;

  const readSource = async (): Promise<KeySet | null> => {
    if (source === 'redis') {
      const stored = await store().everything();
      return stored.ok ? stored.value : null;
    }
    let definitions: LoadedDefinition[] = [];
    const { valid, records } = await readKeyFile({ file, env }, closing.signal, {
      begin: () => (definitions = []),
      keys: (part) => definitions.push(...part.map((definition) => ({ id: definition.id, definition }))),
    });
    return valid ? { definitions, records } : null;
  };

  const open = () => {
    const log =
      source === 'file'
        ? createMemoryLog()
        : createRedisLog({
            connection: connectRedis(redis, { name: 'postern-history', writes: true }),
            prefix: redis.prefix,
            onFailure: (why) =>
              lines.warn('history_not_kept', { detail: `${why} Changes of this process are kept in its memory.` }),
          });
    const graceMs = source === 'file' ? 0 : GRACE_MS;
    return { log, watch: createSourceWatch({ log, who: source, keys, read: readSource, now, graceMs }) };
  };
  const parts = () => (opened ??= open());

  return {
    look: () => void parts().watch.look(),
    begin: () => parts().watch.begin(),
    async changed({ caller, address }, { action, target, before, after }) {
      const { log, watch } = parts();
      await watch.changedHere(target, before, after);
      const change = {
        time: isoTime(now()),
        who: caller.token.id,
        address,
        action,
        kind: target.kind,
        target: target.name,
        fields: changedFields(before, after),
      };
      await log.add({ change, state: digestOfText(textOfState(after)) }, 'made');
    },
    async read() {
      const { log } = parts();
      await log.sync();
      return { changes: log.list(), why: log.why() };
    },
    close() {
      closing.abort();
      opened?.watch.close();
      opened?.log.close();
    },
  };
}
