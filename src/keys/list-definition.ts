/**
 * An address list as an operator writes it: its addresses, or the file or the URL that holds them. Reads neither.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { LiteralAddressSchema } from '../config/address-entries.ts';
import { findingsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaLater, type JsonSchema } from '../config/json-schema.ts';
import { text, whole } from '../config/values.ts';

/** A valid definition. */
export type AddressListDefinition =
  | { readonly kind: 'literal'; readonly entries: readonly LiteralAddress[] }
  | { readonly kind: 'file'; readonly file: string }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly refreshMinutes: number;
      readonly maxEntries: number;
    };

export interface LiteralAddress {
  readonly address: string;
  readonly description: string;
}

const URL_RULE = 'must be an https:// URL without credentials and fragment, or http:// with a loopback address';

const LiteralSchema = z.array(LiteralAddressSchema, { error: 'must be a list of addresses and ranges' });

const FileSchema = z.strictObject({
  file: text('must be the name of a file').describe('A file with one address or range in a line.'),
});

const URL_DEFAULTS = { refreshMinutes: 60, maxEntries: 100_000 };

const UrlSchema = z.strictObject({
  url: z
    .string({ error: URL_RULE })
    .refine(isListUrl, { error: URL_RULE })
    .describe('Where a text with one address or range in a line is read.'),
  refreshMinutes: whole(1, 10_080).default(URL_DEFAULTS.refreshMinutes).describe('How often it is read again.'),
  maxEntries: whole(1, 1_000_000)
    .default(URL_DEFAULTS.maxEntries)
    .describe('A text with more entries is not believed.'),
});

export const AddressListSchema = z
  .union([LiteralSchema, FileSchema, UrlSchema], {
    error: 'must be a list of addresses, { file } or { url, refreshMinutes, maxEntries }',
  })
  .describe('A list of addresses and ranges, `{ file }`, or `{ url, refreshMinutes, maxEntries }`.');

/** What is known in each form of a list: of another form's fields none is meant. */
const KNOWN = new Map(
  [AddressListSchema, LiteralSchema, FileSchema, UrlSchema].map((schema) => [
    schema as z.ZodType,
    jsonSchemaLater(schema),
  ]),
);

export type ReadList =
  | { readonly ok: true; readonly value: AddressListDefinition }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads a list as it was written, from YAML or JSON. Every mistake is a finding. */
export function readListDefinition(written: unknown): ReadList {
  const meant = schemaFor(written);
  const parsed = meant.safeParse(written);
  if (!parsed.success)
    return { ok: false, findings: findingsOf(parsed.error.issues, written, (KNOWN.get(meant) as () => JsonSchema)()) };
  const value = parsed.data;
  if (Array.isArray(value)) return { ok: true, value: { kind: 'literal', entries: value.map(literalAddress) } };
  return { ok: true, value: 'file' in value ? { kind: 'file', ...value } : { kind: 'url', ...value } };
}

/** The alternative that was meant, so that its own mistakes are told. */
function schemaFor(written: unknown): z.ZodType<z.output<typeof AddressListSchema>> {
  if (Array.isArray(written)) return LiteralSchema;
  if (typeof written !== 'object' || written === null) return AddressListSchema;
  if ('url' in written) return UrlSchema;
  return 'file' in written ? FileSchema : AddressListSchema;
}

/** The shortest way to write a list: what is at its default is left out. */
export function writtenList(definition: AddressListDefinition): unknown {
  if (definition.kind === 'literal')
    return definition.entries.map((entry) => (entry.description === '' ? entry.address : entry));
  if (definition.kind === 'file') return { file: definition.file };
  const { url, refreshMinutes, maxEntries } = definition;
  return {
    url,
    ...(refreshMinutes === URL_DEFAULTS.refreshMinutes ? {} : { refreshMinutes }),
    ...(maxEntries === URL_DEFAULTS.maxEntries ? {} : { maxEntries }),
  };
}

const literalAddress = (entry: z.output<typeof LiteralAddressSchema>): LiteralAddress =>
  typeof entry === 'string' ? { address: entry, description: '' } : entry;

function isListUrl(text: string): boolean {
  if (!/^https?:\/\/[^\s/?#@\\]+(?:[/?][^\s#]*)?$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || isLoopbackHost(url.hostname);
}

/** Whether a host of a URL can be nothing but this machine. */
export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
