/**
 * Whose word about clients is believed: peers at these addresses, and peers on the Unix socket that Postern listens on. What they
 * say is read elsewhere.
 */
import { UNIX_PEERS } from '../config/values.ts';
import { compileAddressSet, parseCidr, type AddressSet } from '../lib/cidr.ts';
import type { Peer } from './facts.ts';

/** As a set, it holds the addresses: of peers, and of the entries of X-Forwarded-For. Immutable. */
export interface TrustedProxies extends AddressSet {
  readonly unix: boolean;
}

/** Compiles `listen.trustedProxies`. Throws for an entry that the schema would not have let through. */
export function compileTrustedProxies(entries: readonly string[]): TrustedProxies {
  const ranges = entries
    .filter((entry) => entry !== UNIX_PEERS)
    .map((entry) => {
      const parsed = parseCidr(entry);
      if (!parsed.ok) throw new Error(parsed.why);
      return parsed.value;
    });
  return { ...compileAddressSet(ranges), unix: entries.includes(UNIX_PEERS) };
}

/** Whether the connection comes from a trusted proxy. A peer whose address is not known is one on the socket alone. */
export const isTrustedProxy = (peer: Peer, trusted: TrustedProxies): boolean =>
  peer.isUnix ? trusted.unix : trusted.has(peer.address);
