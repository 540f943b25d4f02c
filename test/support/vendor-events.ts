/**
 * The events of a request as a vendor's backend reads them: from JSON or a form with JSON or base64 in `data`, compressed or not, one by
 * one, as a list or in a container. Lenient on purpose, and in no way Postern's own reading.
 */
import { gunzipSync } from 'node:zlib';
import type { RecordedRequest } from './backend.ts';

/** The names of the events, or the kinds of the calls that have none. */
export function namesIn({ url, body }: Pick<RecordedRequest, 'url' | 'body'>): string[] {
  const query = new URL(url, 'http://x').searchParams.get('data');
  return [query ?? '', textOf(body)].flatMap((text) => itemsIn(jsonIn(text)).flatMap(nameOf));
}

/** The text of a body, less its compression. */
export const textOf = (body: Buffer): string =>
  (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString();

/** What the text is JSON of: itself, or its base64, or the `data` of the form that it is. */
export function jsonIn(text: string): unknown {
  const data = new URLSearchParams(text).get('data');
  for (const candidate of [text, data ?? '', Buffer.from((data ?? text).replaceAll(' ', '+'), 'base64').toString()])
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      continue;
    }
  return null;
}

function itemsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return [];
  const { batch, events } = value as Record<string, unknown>;
  return [batch, events].find(Array.isArray) ?? [value];
}

function nameOf(item: unknown): string[] {
  const { event, event_type: eventType, type } = (item ?? {}) as Record<string, unknown>;
  const name = event ?? eventType ?? type;
  return typeof name === 'string' ? [name] : [];
}
