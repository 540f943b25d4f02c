/**
 * Fetches the text of an address list: by https with a verified certificate, or from this machine, bounded in size and time. Only a
 * whole answer counts: one that is cut short could have lost the very addresses that matter. Reads no list.
 */
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { parseKernelAddress } from '../lib/address.ts';
import { compileAddressSet, parseCidr } from '../lib/cidr.ts';
import { late } from '../lib/late.ts';

export interface DownloadLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export type Download =
  | { readonly ok: true; readonly text: string }
  /** `why` is a clause that shows nothing of the URL. */
  | { readonly ok: false; readonly why: string };

const MAX_REDIRECTS = 3;

/** Never rejects. */
export async function downloadText(url: string, limits: DownloadLimits, signal: AbortSignal): Promise<Download> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(limits.timeoutMs)]);
  try {
    return await follow(new URL(url), limits.maxBytes, ended);
  } catch (error) {
    return failed(ended.aborted ? `no whole answer came within ${limits.timeoutMs / 1000} s` : reasonOf(error));
  }
}

async function follow(start: URL, maxBytes: number, signal: AbortSignal): Promise<Download> {
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await request(url, signal);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      answer.destroy();
      if (!URL.canParse(headers.location, url.href)) return failed('it redirects to what is no URL');
      const next = new URL(headers.location, url);
      if (next.origin !== start.origin) return failed('it redirects to another host');
      url = next;
      continue;
    }
    const problem = problemOf(answer);
    if (problem === null) return await readBody(answer, maxBytes);
    answer.destroy();
    return failed(problem);
  }
  return failed('it redirects too often');
}

function request(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { Accept: 'text/plain, */*;q=0.1', 'Accept-Encoding': 'identity', 'User-Agent': 'postern' };
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: false as const };
    const sent =
      url.protocol === 'https:'
        ? // Said out loud, so that nothing in the environment can switch it off.
          getSecure(url, { ...options, rejectUnauthorized: true }, resolve)
        : getPlain(url, options, resolve);
    sent.on('error', reject);
    // What is answered with a switch of protocols ends without an answer and without an error.
    sent.on('close', () => reject(new Error('it gives no answer')));
    if (url.protocol === 'http:')
      sent.on('socket', (socket) =>
        socket.once('connect', () => {
          if (!isLoopback(socket.remoteAddress)) sent.destroy(new Error('its host is not this machine'));
        }),
      );
  });
}

const loopback = late(() =>
  compileAddressSet(
    ['127.0.0.0/8', '::1'].flatMap((range) => {
      const parsed = parseCidr(range);
      return parsed.ok ? [parsed.value] : [];
    }),
  ),
);

const isLoopback = (address: string | undefined): boolean => loopback().has(parseKernelAddress(address ?? ''));

function problemOf({ statusCode, headers }: IncomingMessage): string | null {
  if (statusCode !== 200) return `it answers with status ${statusCode}`;
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'its answer is compressed';
  // What ends with the connection may have been cut short.
  const coding = headers['transfer-encoding']?.toLowerCase();
  const isFramed = coding === undefined ? headers['content-length'] !== undefined : coding === 'chunked';
  return isFramed ? null : 'its answer does not say how long it is';
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<Download> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) {
      answer.destroy();
      return failed('it is too large');
    }
    parts.push(part);
  }
  if (!answer.complete) return failed('its answer was cut short');
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)) };
  } catch {
    return failed('it is no text in UTF-8');
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET') return 'its answer was cut short';
  return `it cannot be reached: ${code ?? message}`;
}

const failed = (why: string): Download => ({ ok: false, why });
