/**
 * Which address is the client's: the socket's peer, or, behind trusted proxies, the nearest address that none of them
 * vouches for by being one. It reads X-Forwarded-For from right to left and believes no other header. And whether that address may
 * use a key.
 */
import type { AddressLists } from '../keys/address-rule.ts';
import type { Key } from '../keys/key.ts';
import { formatAddress, parseAddressWithPort, type Address } from '../lib/address.ts';
import { refusal, type Refusal } from '../refusal.ts';
import type { Peer } from './facts.ts';
import { ruleOfKey } from './rule.ts';
import { isTrustedProxy, type TrustedProxies } from './trusted-proxies.ts';

export interface ClientAddress {
  /** null: unknown, on no list. */
  readonly address: Address | null;
  /** Canonical, or `unknown`. */
  readonly text: string;
  /** Whether the peer is a trusted proxy, so that its forwarding headers may be believed. */
  readonly fromTrustedProxy: boolean;
  /** The entries walked, right to left, in canonical form; one that did not parse is the last and as received, shortened. */
  readonly chain: readonly string[];
  /** X-Forwarded-For for the backend: the client, the trusted proxies it came through, the peer. Nothing left of the client. */
  readonly forwardedFor: string;
}

/** How many entries are walked. Should all be trusted and more be left, the address is unknown. */
const MAX_ENTRIES = 32;

const UNKNOWN = 'unknown';

/**
 * Resolves the client's address. `forwardedFor`: the X-Forwarded-For field values in order of arrival; they are one list.
 * An entry that does not parse, or is empty, where the walk arrives makes the address unknown: what a proxy meant by it is
 * a guess, and a guess could be on an allow-list.
 */
export function resolveClientAddress(
  peer: Peer,
  forwardedFor: readonly string[],
  trusted: TrustedProxies,
): ClientAddress {
  const fromTrustedProxy = isTrustedProxy(peer, trusted);
  if (!fromTrustedProxy || forwardedFor.length === 0) return peerItself(peer)[fromTrustedProxy ? 'proxy' : 'client'];
  const walk = walkFromRight(forwardedFor, trusted);
  const text = walk.address === null ? UNKNOWN : formatAddress(walk.address);
  // The chain runs from right to left and ends with the client; the header runs the other way.
  let header = text;
  for (let i = walk.chain.length - 2; i >= 0; i--) header += `, ${walk.chain[i] as string}`;
  return {
    address: walk.address,
    text,
    fromTrustedProxy: true,
    chain: walk.chain,
    // A peer on a socket has no address to add.
    forwardedFor: peer.isUnix ? header : `${header}, ${peerItself(peer).proxy.text}`,
  };
}

/** Refuses an address from which the key may not be used. `lists`: those of the rules that the request is judged by. */
export function checkKeyAddress(key: Key, client: ClientAddress, lists: AddressLists): Refusal | null {
  if (key.denyFrom.holds(client.address, lists)) {
    const entry = key.denyFrom.entryOf(client.address, lists);
    const why = entry === null ? 'cannot be told apart from those on the list' : 'is on the list';
    return refusal('ip_not_allowed', `${client.text} ${why}`, ruleOfKey(key, 'denyFrom', entry));
  }
  if (key.allowFrom.holds(client.address, lists)) return null;
  return refusal(
    'ip_not_allowed',
    `${client.text} is not on the allow-list of key ${key.id}`,
    ruleOfKey(key, 'allowFrom'),
  );
}

/** The answers that depend on nothing but the peer. A peer lives as long as its connection, so they are made once for each. */
function peerItself(peer: Peer): PeerAnswers {
  let known = peerAnswers.get(peer);
  if (known === undefined) {
    const text = peer.address === null ? UNKNOWN : formatAddress(peer.address);
    const client = { address: peer.address, text, fromTrustedProxy: false, chain: [], forwardedFor: text };
    known = { client, proxy: { ...client, fromTrustedProxy: true } };
    peerAnswers.set(peer, known);
  }
  return known;
}

interface PeerAnswers {
  readonly client: ClientAddress;
  readonly proxy: ClientAddress;
}

const peerAnswers = new WeakMap<Peer, PeerAnswers>();

interface Walk {
  readonly address: Address | null;
  readonly chain: readonly string[];
}

/** Costs no more than the entries walked: a long tail to the left is never looked at. */
function walkFromRight(values: readonly string[], trusted: TrustedProxies): Walk {
  const chain: string[] = [];
  let address: Address | null = null;
  for (let field = values.length - 1; field >= 0; field--) {
    const value = values[field] as string;
    let end = value.length;
    while (end >= 0) {
      if (chain.length === MAX_ENTRIES) return { address: null, chain: [...chain, '...'] };
      const comma = end === 0 ? -1 : value.lastIndexOf(',', end - 1);
      const entry = value.slice(comma + 1, end);
      address = parseAddressWithPort(entry);
      chain.push(address === null ? shorten(entry) : formatAddress(address));
      if (!trusted.has(address)) return { address, chain };
      end = comma;
    }
  }
  return { address, chain };
}

/** For `explain` and the log: enough to recognise what the proxy wrote. */
const shorten = (entry: string): string => (entry.length > 64 ? `${entry.slice(0, 64)}...` : entry);
