/**
 * Turns Node's request into the facts that the policy reads. Decides nothing.
 */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Facts } from '../policy/facts.ts';
import { readHeaders, type HeaderSection } from '../policy/header-facts.ts';
import { peerOf } from './socket-record.ts';

/** `now`: milliseconds since the epoch. `before`: what the request before on the same connection said. */
export function readFacts(req: IncomingMessage, now: number, before: HeaderSection | null = null): Facts {
  const rawHeaders = req.rawHeaders;
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    httpVersion: req.httpVersion,
    rawHeaders,
    headers: readHeaders(rawHeaders, before),
    peer: peerOf(req.socket),
    secure: (req.socket as Partial<TLSSocket>).encrypted === true,
    now,
  };
}
