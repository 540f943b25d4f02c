/**
 * The admin port, and what only it needs: the tokens of admins, where keys are written to, and the history of their changes.
 * Decides nothing about a request to the data port.
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createAdminTokens, hasAdmins } from './admin/admin-tokens.ts';
import { createHistory } from './admin/history/history.ts';
import { createAdminServer } from './admin/server.ts';
import { consoleFolder, readStaticFiles } from './admin/static.ts';
import type { AdminApiPorts } from './admin/api.ts';
import type { Caches } from './cache/caches.ts';
import type { Certificates } from './certificates.ts';
import type { Config } from './config/schema.ts';
import type { CurrentRules } from './current-rules.ts';
import { createKeyStore } from './keys/create-store.ts';
import type { ListedKeySource } from './keys/listed-source.ts';
import { late } from './lib/late.ts';
import { showCertificate } from './lib/secure-server.ts';
import type { Health } from './observability/health.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/prometheus.ts';
import type { Reporting } from './observability/reporting.ts';

export interface AdminPortParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly now: () => number;
  readonly version: string;
  readonly certificates: Certificates;
  readonly current: CurrentRules;
  readonly source: ListedKeySource;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly reporting: Reporting;
  readonly caches: Caches;
  readonly observer: AdminApiPorts['observer'];
  readonly running: () => Config;
  readonly configStatus: AdminApiPorts['configStatus'];
}

export interface AdminPort {
  readonly listen: (at: { readonly host: string; readonly port: number }) => Promise<unknown>;
  readonly address: () => AddressInfo;
  readonly signInFailures: () => number;
  /** Opens what these admins will need; throws when that cannot be. */
  readonly prepare: (admin: Config['admin']) => void;
  /** Who may sign in from now on; sessions of all others end. */
  readonly admit: (admin: Config['admin']) => void;
  readonly keysChanged: () => void;
  /** Takes no more connections; what is written meanwhile still is. */
  readonly close: () => Promise<void>;
  /** After all else is closed. */
  readonly release: () => void;
}

export function makeAdminPort(config: Config, parts: AdminPortParts): AdminPort {
  const { env, log, now, version, certificates, current, source, metrics, health, reporting, caches } = parts;
  const tokens = createAdminTokens(config.admin);
  const store = late(() => createKeyStore(config, env, current.apiNames));
  const history = createHistory(config, { env, now, log, keys: current.keys, store });
  let signInFailures = 0;
  /** Early, since they may have to connect. */
  const prepare = (admin: Config['admin']): void => void (hasAdmins(admin) && store() && history.look());
  prepare(config.admin);
  const server = createAdminServer({
    metrics,
    health,
    log,
    tls: config.admin.tls && certificates.of('admin'),
    onSignInFailed: () => signInFailures++,
    api: {
      ...config.admin,
      tokens,
      version,
      store,
      source,
      recent: reporting.recent,
      summary: reporting.summary,
      observer: parts.observer,
      history,
      log,
      now,
      random: randomBytes,
      rules: current.rules,
      keys: current.keys,
      config: parts.running,
      samples: metrics.samples,
      reload: () => source.reload(),
      configStatus: parts.configStatus,
      cache: { stats: caches.stats, purge: caches.purge },
      files: late(() => readStaticFiles(consoleFolder())),
    },
  });
  certificates.follow('admin', (texts) => showCertificate(server.server, texts));
  return {
    listen: (at) => server.listen(at),
    address: () => server.server.address() as AddressInfo,
    signInFailures: () => signInFailures,
    prepare,
    admit: tokens.replace,
    keysChanged: () => {
      if (tokens.any()) history.look();
    },
    close: () => server.close(),
    release: () => {
      history.close();
      if (store.made()) store().close();
    },
  };
}
