/**
 * Where the text of an address list comes from: its definition, a file or a URL. Believes nothing that it reads.
 */
import { readWholeLater } from '../lib/files.ts';
import type { AddressListDefinition } from './list-definition.ts';
import { downloadText, type Download } from './list-download.ts';

const DOWNLOAD_MS = 30_000;
/** Of one entry with its comment, on average. */
const BYTES_AN_ENTRY = 128;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The text, or why there is none. Never rejects. */
export async function textOfList(definition: AddressListDefinition, signal: AbortSignal): Promise<Download> {
  switch (definition.kind) {
    case 'literal':
      return { ok: true, text: definition.entries.map(({ address }) => address).join('\n') };
    case 'file':
      return readListFile(definition.file);
    case 'url': {
      const maxBytes = 1024 * 1024 + definition.maxEntries * BYTES_AN_ENTRY;
      return downloadText(definition.url, { maxBytes, timeoutMs: DOWNLOAD_MS }, signal);
    }
  }
}

async function readListFile(file: string): Promise<Download> {
  try {
    const bytes = await readWholeLater(file);
    if (bytes.length > MAX_FILE_BYTES) return { ok: false, why: `${file} is too large` };
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, why: `${file} cannot be read: ${code ?? 'it is no text in UTF-8'}` };
  }
}
