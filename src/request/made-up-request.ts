/**
 * A request that nobody sent, as `explain` needs one: its facts, and how its caller is recognised without a credential having
 * been on the wire. The verdicts are the pipeline's.
 */
import { parseAddress } from '../lib/address.ts';
import { sha256Hex } from '../lib/digest.ts';
import { keyServes, type Key, type KeySnapshot } from '../keys/key.ts';
import { verifySecretChecksum } from '../keys/secret.ts';
import { identify, invalid, type Identity } from '../policy/credential.ts';
import type { Facts } from '../policy/facts.ts';
import { readHeaders } from '../policy/header-facts.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { refusal, refused, type Decision } from '../refusal.ts';
import type { PolicyWorld } from './checks.ts';

export interface MadeUpRequest {
  /** The address of the peer. */
  readonly ip: string;
  readonly method: string;
  readonly path: string;
  readonly origin: string | null;
  /** null: a Host that some API serves this path for, if one does. */
  readonly host?: string | null;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The facts of the request. */
export function factsOf({ ip, method, path, origin, host, secure, now }: MadeUpRequest, rules: Ruleset): Facts {
  const rawHeaders = ['Host', host ?? hostServing(path.split('?', 1)[0] as string, rules)];
  if (origin !== null) rawHeaders.push('Origin', origin);
  return {
    method,
    target: path,
    httpVersion: '1.1',
    rawHeaders,
    headers: readHeaders(rawHeaders),
    secure,
    now,
    peer: { text: ip, address: parseAddress(ip), isUnix: false },
  };
}

/** A Host that some API serves this path for; any, if none does. */
function hostServing(path: string, { apis, choice }: Ruleset): string {
  const hosts = [DEFAULT_HOST, ...apis.flatMap((api) => [...(api.hosts ?? [])])];
  return hosts.find((host) => choice.find(host, path) !== null) ?? DEFAULT_HOST;
}

const DEFAULT_HOST = 'localhost';

/** The secret stands for a credential of any API: where tokens are shown, for the one that it would be exchanged for. */
export const authenticateAs = (secret: string): PolicyWorld['authenticate'] =>
  authenticateBy((keys, now) => {
    const identity = identify(sha256Hex(secret), keys, now);
    if (!identity.ok && identity.refusal.reason === 'unknown') return refused(invalid('unknown', whyUnknown(secret)));
    return identity;
  });

/** The same for a caller who holds the key of this id: one of its secrets that works now, if there is any. */
export const authenticateAsKey = (keyId: string): PolicyWorld['authenticate'] =>
  authenticateBy((keys, now) => {
    const key = keys.byId.get(keyId);
    const secret = key && latestSecret(key, now);
    return secret === undefined
      ? refused(invalid('unknown', `no key in use has the id ${JSON.stringify(keyId)}`))
      : identify(secret.digest, keys, now);
  });

/** The same for a caller who shows no credential. */
export const authenticateNobody: PolicyWorld['authenticate'] = () =>
  refused(refusal('missing_credential', 'no credential in the request'));

/** For whoever asks: as the holder of the secret, of the key of this id, or with both null of none. */
export function authenticateAsAsked(secret: string | null, keyId: string | null): PolicyWorld['authenticate'] {
  if (secret !== null) return authenticateAs(secret);
  return keyId === null ? authenticateNobody : authenticateAsKey(keyId);
}

const latestSecret = ({ secrets }: Key, now: number): Key['secrets'][number] | undefined =>
  secrets.findLast(({ expiresAt }) => expiresAt === null || expiresAt > now) ?? secrets.at(-1);

function authenticateBy(find: (keys: KeySnapshot, now: number) => Decision<Identity>): PolicyWorld['authenticate'] {
  return ({ rules, facts, api }) => {
    const identity = find(rules.keys, facts.now);
    if (identity.ok && !keyServes(identity.value.key, api.name))
      return refused(invalid('unknown', `key ${identity.value.key.id} is not for the API ${api.name}`));
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
