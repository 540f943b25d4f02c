/**
 * Opens what stands around the JSON text of a body: a form field, base64 in it, gzip that no header field tells of. And closes it
 * around another text in the same way, so that a backend reads what was judged as it reads what was sent.
 */
import { gzipSync } from 'node:zlib';
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import { decodeBody } from './decode.ts';
import { type FormField, type FormRule, isJsonStart, readForm, writeForm } from './form.ts';
import { isUrlEncoded } from './media.ts';
import { skipSpace } from './scan.ts';

/** In which forms a body may come beside plain JSON. */
export interface EnvelopeRule {
  /** null: no form. */
  readonly form: FormRule | null;
  readonly gzip: boolean;
}

/** A body that was opened. */
export interface Envelope {
  readonly text: Buffer;
  /** What goes on where the text does not change: mostly the very body. */
  readonly kept: Buffer;
  /** Puts another text where this one stood. */
  readonly close: (text: Buffer) => Buffer;
  /** The body is the JSON text itself, though its sender may have called it something else. */
  readonly isPlain: boolean;
  /** Where in the body the value of the form field begins; 0 where there is none. */
  readonly valueStart: number;
}

export interface ReceivedBody {
  /** Without its content coding. */
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** It came in a content coding: then what is compressed inside is compressed twice. */
  readonly wasCoded: boolean;
  /** Of what comes out. */
  readonly maxBytes: number;
}

const NOT_JSON = refused(refusal('invalid_event_body', 'form: the value is base64 of something else than JSON'));

/** Opens a body whose type was admitted; at once, if it was coded. null: it is the JSON text itself, and nothing more needs to be known. */
export function openBody(
  received: ReceivedBody,
  { form, gzip }: EnvelopeRule,
): Decision<Envelope> | Promise<Decision<Envelope>> | null {
  const { body, contentType, wasCoded, maxBytes } = received;
  const isForm = contentType !== undefined && isUrlEncoded(contentType);
  // Who calls it a form may have it read as one.
  if (gzip && !wasCoded && !isForm && isGzip(body)) return openGzip(body, maxBytes);
  if (form === null || contentType === undefined) return null;
  if (!isForm && (isGzip(body) || !/^text\/plain(?![!#$%&'*+.^_`|~0-9a-z-])/i.test(contentType))) return null;
  // No form begins so: its sender only called it one.
  if (isJsonStart(body[skipSpace(body, 0)])) return allowed(plain(body));
  const field = readForm(body, form);
  if (!field.ok) return field;
  if (field.value.isBase64 && gzip && !wasCoded && isGzip(field.value.value))
    return openGzipField(body, field.value, maxBytes);
  return openField(body, field.value);
}

const isGzip = (body: Buffer): boolean => body[0] === 0x1f && body[1] === 0x8b;

const plain = (body: Buffer): Envelope => ({
  text: body,
  kept: body,
  close: (text) => text,
  isPlain: true,
  valueStart: 0,
});

async function openGzip(body: Buffer, maxBytes: number): Promise<Decision<Envelope>> {
  const text = await decodeBody(body, 'gzip', maxBytes);
  if (!text.ok) return text;
  return allowed({ text: text.value, kept: body, close: compress, isPlain: false, valueStart: 0 });
}

/** Fast rather than small, since nothing else goes on meanwhile. */
const compress = (text: Buffer): Buffer => gzipSync(text, { level: 1 });

function openField(body: Buffer, field: FormField): Decision<Envelope> {
  if (field.isBase64 && !isJsonStart(field.value[skipSpace(field.value, 0)])) return NOT_JSON;
  const close = (text: Buffer): Buffer => writeForm(body, field, text);
  const text = field.value;
  return allowed({ text, kept: field.isLoose ? close(text) : body, close, isPlain: false, valueStart: field.start });
}

async function openGzipField(body: Buffer, field: FormField, maxBytes: number): Promise<Decision<Envelope>> {
  const text = await decodeBody(field.value, 'gzip', maxBytes);
  if (!text.ok) return text;
  const close = (changed: Buffer): Buffer => writeForm(body, field, compress(changed));
  const kept = field.isLoose ? writeForm(body, field, field.value) : body;
  return allowed({ text: text.value, kept, close, isPlain: false, valueStart: field.start });
}
