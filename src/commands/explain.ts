/**
 * `postern explain`: what would become of a request, step by step, by the rules and keys of a configuration. Contacts no
 * backend, and shows nothing of the secret it is given.
 */
import type { Config } from '../config/schema.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem, hasErrors } from '../config/problem.ts';
import { createKeySource } from '../keys/create-source.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { verifySecretChecksum } from '../keys/secret.ts';
import { ownEndpointAt } from '../metrics-api/metrics-path.ts';
import { parseAddress } from '../lib/address.ts';
import { sha256Hex } from '../lib/digest.ts';
import { compileRules } from '../policy/compile-rules.ts';
import { identify, invalid } from '../policy/credential.ts';
import { explain, type Explanation } from '../policy/explain.ts';
import { readHeaders, type Facts } from '../policy/facts.ts';
import type { PolicyPorts } from '../policy/pipeline.ts';
import { refused } from '../policy/refusal.ts';
import type { CommandIo } from './io.ts';

export interface ExplainArguments {
  readonly config: string;
  readonly key: string;
  readonly ip: string;
  readonly method: string;
  readonly path: string;
  readonly events: readonly string[];
  readonly origin: string | null;
  readonly json: boolean;
}

/** Exit codes: 0 allowed, 3 refused, 1 configuration error, 2 usage error, 70 when the keys cannot be reached. */
export async function runExplain(args: ExplainArguments, io: CommandIo): Promise<number> {
  if (parseAddress(args.ip) === null) {
    io.stderr(`--ip ${JSON.stringify(args.ip)} is not an IPv4 or IPv6 address`);
    return 2;
  }
  const { config, problems } = loadConfig(args.config, io.env);
  if (config === null || hasErrors(problems)) {
    for (const problem of problems) io.stderr(formatProblem(problem));
    return 1;
  }
  const keys = await loadKeys(config, io);
  if (keys === null) return config.keys.source === 'file' ? 1 : 70;
  const explanation = await explain({
    facts: factsOf(args, config),
    rules: { ...compileRules(config), keys },
    events: args.events,
    authenticate: authenticateAs(args.key),
    ownEndpoint: (path) => ownEndpointAt(path, (config.apis.metrics?.token.privateKeyFile ?? null) !== null),
  });
  io.stdout(args.json ? JSON.stringify(explanation, null, 2) : describe(explanation));
  return explanation.outcome === 'allowed' ? 0 : 3;
}

/** Reads the keys once from the configured source. */
async function loadKeys(config: Config, io: CommandIo): Promise<KeySnapshot | null> {
  let keys: KeySnapshot | null = null;
  const source = createKeySource(config, { env: io.env, now: Date.now });
  await source.start({
    onKeys: (snapshot) => (keys = snapshot),
    onProblem: ({ message }) => io.stderr(message),
  });
  await source.close();
  return keys;
}

function factsOf({ ip, method, path, origin }: ExplainArguments, config: Config): Facts {
  const rawHeaders = ['Host', config.apis.integration?.hosts[0] ?? config.apis.metrics?.hosts[0] ?? 'localhost'];
  if (origin !== null) rawHeaders.push('Origin', origin);
  return {
    ...{ method, target: path, httpVersion: '1.1', rawHeaders, headers: readHeaders(rawHeaders) },
    peer: { text: ip, address: parseAddress(ip) },
    secure: config.listen.tls !== null,
    now: Date.now(),
  };
}

/** The secret stands for a credential of either API: for the metrics API, for the token that it would be exchanged for. */
export function authenticateAs(secret: string): PolicyPorts['authenticate'] {
  return ({ rules, facts }, api) => {
    const identity = identify(sha256Hex(secret), rules.keys, facts.now);
    if (!identity.ok && identity.refusal.reason === 'unknown') return refused(invalid('unknown', whyUnknown(secret)));
    if (identity.ok && (identity.value.key.type === 'metrics') !== (api.name === 'metrics'))
      return refused(invalid('unknown', `key ${identity.value.key.id} belongs to the other API`));
    return identity;
  };
}

function whyUnknown(secret: string): string {
  switch (verifySecretChecksum(secret)) {
    case 'valid':
      return 'no key has this secret, though it is a well-formed one of Postern';
    case 'mistyped':
      return 'no key has this secret, and its checksum is wrong: a typing error or a cut-off copy';
    case 'foreign':
      return 'no key has this secret';
  }
}

const MARKS = {
  passed: 'ok',
  answered: 'ok',
  refused: 'REFUSED',
  would_reject: 'WOULD REJECT',
  not_reached: '-',
} as const;

function describe({ steps, outcome, status, code, removedEvents, clientAddress }: Explanation): string {
  const lines = steps.map(({ step, verdict, reason }) =>
    `${step.padEnd(15)} ${MARKS[verdict].padEnd(12)} ${reason}`.trimEnd(),
  );
  const removed = removedEvents > 0 ? `, ${removedEvents} events removed` : '';
  const end =
    outcome === 'refused'
      ? `refused: ${status} ${code}`
      : status === null
        ? `allowed${removed}`
        : `answered: ${status}`;
  return [...lines, '', `${end} (client address ${clientAddress})`].join('\n');
}
