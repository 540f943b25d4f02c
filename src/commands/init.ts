/**
 * `postern init`: a first configuration and a first key file, with two keys whose secrets are shown this once. It overwrites
 * nothing, and never leaves one file without the other.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { presetOf, type PresetName } from '../config/presets.ts';
import { upstreamUrl } from '../config/values.ts';
import { hashSecret } from '../keys/secret-hash.ts';
import { makeSecret } from '../keys/secret.ts';
import type { CommandIo } from './io.ts';

export interface InitArguments {
  /** Made if it is not there. */
  readonly directory: string;
  readonly preset: PresetName | null;
  readonly upstream: string;
}

/** Exit codes: 0 written, 1 nothing was written, 2 the URL of the backend is none. */
export async function runInit({ directory, preset, upstream }: InitArguments, io: CommandIo): Promise<number> {
  const url = upstreamUrl.safeParse(upstream);
  if (!url.success) {
    io.stderr(`--upstream ${url.error.issues[0]?.message}; it is ${JSON.stringify(upstream)}`);
    return 2;
  }
  const web = makeSecret('write-only', randomBytes);
  const backend = makeSecret('read-write', randomBytes);
  const files = [
    { file: join(directory, 'keys.yaml'), text: keyFile(hashSecret(web), hashSecret(backend), preset) },
    { file: join(directory, 'postern.yaml'), text: configFile(url.data, preset) },
  ];
  const mistake = writeNew(directory, files);
  if (mistake !== null) {
    io.stderr(mistake);
    return 1;
  }
  io.stdout(told(files.map(({ file }) => file).toReversed(), { web, backend }));
  return 0;
}

interface NewFile {
  readonly file: string;
  readonly text: string;
}

/** Writes all of them whole, or none. Returns what was in the way, null: nothing. */
function writeNew(directory: string, files: readonly NewFile[]): string | null {
  const made: string[] = [];
  const undo = (paths: readonly string[]): void => paths.forEach((path) => rmSync(path, { force: true }));
  const drafts: string[] = [];
  let place = directory;
  try {
    mkdirSync(directory, { recursive: true });
    for (const { file, text } of files) {
      place = file;
      const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
      drafts.push(draft);
      writeFileSync(draft, text, { flag: 'wx', flush: true });
    }
    files.forEach(({ file }, index) => {
      place = file;
      // Fails when the name is taken, whatever by.
      linkSync(drafts[index] as string, file);
      made.push(file);
    });
    return null;
  } catch (error) {
    undo(made);
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EEXIST'
      ? `${place} is there already. Nothing was written; name another directory, or move it away.`
      : `${place} cannot be written (${code ?? (error as Error).message}). Nothing was written.`;
  } finally {
    undo(drafts);
  }
}

function told(
  [config = '', keys = '']: readonly string[],
  { web, backend }: Record<'web' | 'backend', string>,
): string {
  return `Written: ${config} and ${keys}

Two keys, shown this once (the file holds their hashes):
  web      write-only  ${web}
  backend  read-write  ${backend}

Next:
  postern check --strict --config ${config}
  postern serve --config ${config}`;
}

function configFile(upstream: string, preset: PresetName | null): string {
  const api =
    preset === null
      ? `  api:
    upstream: ${upstream}
    # What is known of the API, for keys that are limited to events or routes, and for \`unlisted: refuse\`:
    # routes:
    #   - { method: POST, path: /v1/track, events: event }
    #   - { method: GET, path: /v1/users/:id }`
      : `  integration:
    upstream: ${upstream}
    # The routes, and where keys are looked for, as this vendor's clients send them.
    preset: ${preset}`;
  return `# Every field: docs/configuration.md. \`postern check\` finds mistakes, \`postern explain\` tells what becomes of a request.
listen:
  port: 8080
  # The load balancers in front, if there are any: their X-Forwarded-For is believed.
  trustedProxies: []
apis:
${api}
keys:
  file: keys.yaml
`;
}

/** Both keys are narrow enough for \`postern check --strict\`; what to change is said beside it. */
function keyFile(webHash: string, backendHash: string, preset: PresetName | null): string {
  const routes = preset === null ? ['* /', '* /**'] : routesOf(preset);
  return `keys:
  - id: web
    description: Web pages and collectors; may send, never read
    type: write-only
    secrets:
      - hash: ${webHash}
    # The origins of your pages. Clients that are no browser send none, and are not asked for one.
    allowedOrigins: [https://www.example.com]
  - id: backend
    description: Back ends
    type: read-write
    secrets:
      - hash: ${backendHash}
    # The addresses of your back ends.
    allowFrom: [127.0.0.1, '::1']
    # What they may use; the fewer the better.
    allowedRoutes:
${routes.map((route) => `      - ${route.startsWith('*') ? `'${route}'` : route}`).join('\n')}
`;
}

/** The metrics API has a key of its own. */
const routesOf = (preset: PresetName): string[] =>
  presetOf(preset)
    .routes.filter(({ path }) => !path.startsWith('/metrics'))
    .map(({ method, path }) => `${method} ${path}`);
