/**
 * What there is for admins alone: their tokens, the way to the stored keys, and the history of changes. While there is no admin, nothing
 * of it is opened.
 */
import type { Environment } from '../config/document.ts';
import type { Config } from '../config/schema.ts';
import { createKeyStore } from '../keys/create-store.ts';
import type { KeySnapshot } from '../keys/key.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { late } from '../lib/late.ts';
import type { Log } from '../observability/log.ts';
import { createAdminTokens, hasAdmins, type AdminTokens } from './admin-tokens.ts';
import { createHistory, type History } from './history/history.ts';

export interface AdminsOptions {
  readonly env: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
  /** The names of the APIs. */
  readonly apis: () => readonly string[];
  readonly keys: () => KeySnapshot | null;
}

export interface Admins {
  readonly tokens: AdminTokens;
  readonly store: () => KeyStore;
  readonly history: History;
  /** Opens what these admins need: early, since it may have to connect. Throws, and changes nothing, when it cannot be opened. */
  readonly openFor: (admin: Config['admin']) => void;
  /** Tells that other keys are in use. */
  readonly keysChanged: () => void;
  readonly close: () => void;
}

export function createAdmins(config: Config, { env, now, log, apis, keys }: AdminsOptions): Admins {
  const tokens = createAdminTokens(config.admin);
  const store = late(() => createKeyStore(config, env, apis));
  const history = createHistory(config, { env, now, log, keys, store });
  const openFor = (admin: Config['admin']): void => {
    if (hasAdmins(admin) && store()) history.look();
  };
  openFor(config.admin);
  return {
    tokens,
    store,
    history,
    openFor,
    keysChanged: () => tokens.any() && history.look(),
    close() {
      history.close();
      if (store.made()) store().close();
    },
  };
}
