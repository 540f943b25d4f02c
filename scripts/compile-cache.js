/**
 * Fills dist/compile-cache/ by one start of the bundle, so that later starts of the same Node, by the same user and at the same path
 * compile nothing (src/lib/compile-cache.ts). Does nothing on Node 20, which has no such cache.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CACHE = 'dist/compile-cache';
const HASH = `sha256:${'0'.repeat(64)}`;

if (module.enableCompileCache !== undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-compile-'));
  try {
    await fill(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fill(folder) {
  if (!existsSync(CACHE)) mkdirSync(CACHE, { mode: 0o755 });
  process.umask(0o022);
  const config = join(folder, 'postern.yaml');
  const api = 'apis: { integration: { upstream: "http://127.0.0.1:9" } }';
  writeFileSync(
    config,
    `listen: { host: 127.0.0.1, port: 0 }\nadmin: { port: 0 }\n${api}\nkeys: { file: keys.yaml }\n`,
  );
  const key = `{ id: first, type: write-only, secrets: [{ hash: "${HASH}" }], allowFrom: [127.0.0.1], allowedEvents: [a] }`;
  writeFileSync(join(folder, 'keys.yaml'), `keys:\n  - ${key}\n`);
  const child = spawn(process.execPath, ['dist/main.js', 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  // Node writes the cache when the process ends.
  child.stdout.setEncoding('utf8').on('data', (text) => {
    told += text;
    if (told.includes('"msg":"started"')) child.kill('SIGINT');
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the bundle did not start and end as it should (${code}):\n${told}`);
}
