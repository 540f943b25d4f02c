/**
 * `postern explain`: what would become of a request, step by step, by the rules and keys of a configuration. Contacts no
 * backend, and shows nothing of the secret it is given.
 */
import type { Config } from '../config/schema.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createKeySource } from '../keys/create-source.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { parseAddress } from '../lib/address.ts';
import { compileRules } from '../policy/compile-rules.ts';
import { explain, type Explanation } from '../request/explain.ts';
import { authenticateAsAsked, factsOf } from '../request/made-up-request.ts';
import type { CommandIo } from './io.ts';

export interface ExplainArguments {
  readonly config: string;
  /** The secret; `-`: it is on standard input; null: none. */
  readonly key: string | null;
  /** The id of the key whose secret it carries, in place of `key`. */
  readonly keyId: string | null;
  readonly ip: string;
  readonly method: string;
  readonly path: string;
  readonly events: readonly string[];
  readonly origin: string | null;
  readonly host: string | null;
  readonly json: boolean;
}

/** Exit codes: 0 allowed, 3 refused, 1 configuration error, 2 usage error, 70 when the keys cannot be reached. */
export async function runExplain(args: ExplainArguments, io: CommandIo): Promise<number> {
  if (parseAddress(args.ip) === null) {
    io.stderr(`--ip ${JSON.stringify(args.ip)} is not an IPv4 or IPv6 address`);
    return 2;
  }
  if (args.key !== null && args.keyId !== null) {
    io.stderr('--key and --key-id are two ways to say whose request it is: give one of them');
    return 2;
  }
  const key = args.key === '-' ? (await io.secret()).replace(/\r?\n$/, '') : args.key;
  const { config, problems } = loadConfig(args.config, io.env);
  if (config === null) {
    for (const problem of problems) io.stderr(formatProblem(problem));
    return 1;
  }
  const keys = await loadKeys(config, io);
  if (keys === null) return config.keys.source === 'file' ? 1 : 70;
  const rules = { ...compileRules(config), ready: true, keys };
  const explanation = await explain({
    facts: factsOf({ ...args, secure: config.listen.tls !== null, now: Date.now() }, rules),
    rules,
    events: args.events,
    authenticate: authenticateAsAsked(key, args.keyId),
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

const MARKS = {
  passed: 'ok',
  answered: 'ok',
  refused: 'REFUSED',
  would_reject: 'WOULD REJECT',
  not_reached: '-',
} as const;

const MARK_WIDTH = Math.max(...Object.values(MARKS).map((mark) => mark.length));

function describe({ steps, outcome, status, code, removedEvents, clientAddress }: Explanation): string {
  const width = Math.max(...steps.map(({ step }) => step.length));
  const lines = steps.map(({ step, verdict, reason, rule }) => {
    const by = rule === null || reason.includes(rule) ? '' : ` (${rule})`;
    return `${step.padEnd(width)}  ${MARKS[verdict].padEnd(MARK_WIDTH)}  ${reason}${by}`.trimEnd();
  });
  const removed = removedEvents > 0 ? `, ${removedEvents} event${removedEvents === 1 ? '' : 's'} removed` : '';
  const end =
    outcome === 'refused'
      ? `refused: ${status} ${code}`
      : status === null
        ? `allowed${removed}`
        : `answered: ${status}`;
  return [...lines, '', `${end} (client address ${clientAddress})`].join('\n');
}
