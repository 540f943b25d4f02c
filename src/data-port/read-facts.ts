/**
 * Turns Node's request into the facts that the policy reads. Decides nothing.
 */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { readHeaders, type Facts } from '../policy/facts.ts';
import { peerOf } from './peer.ts';

/** `now`: milliseconds since the epoch. */
export function readFacts(req: IncomingMessage, now: number): Facts {
  const rawHeaders = req.rawHeaders;
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    httpVersion: req.httpVersion,
    rawHeaders,
    headers: readHeaders(rawHeaders),
    peer: peerOf(req.socket),
    secure: (req.socket as Partial<TLSSocket>).encrypted === true,
    now,
  };
}
