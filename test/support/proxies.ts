/**
 * The samples of docs/behind-a-proxy.md, run by the real programs: nginx, HAProxy and Caddy on a free port before a given one. Each
 * ends with the test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { freePort } from './free-port.ts';
import { requireTool } from './tools.ts';

interface Program {
  /** The language of its block in the page. */
  readonly language: string;
  readonly path: () => string;
  /** What a whole configuration has around the sample. */
  readonly around: (sample: string, dir: string) => string;
  readonly args: (file: string, dir: string) => readonly string[];
}

export const PROXIES: Readonly<Record<string, Program>> = {
  nginx: {
    language: 'nginx',
    path: () => requireTool('nginx', 'nginx'),
    around: (sample, dir) =>
      `daemon off; pid ${dir}/nginx.pid; error_log stderr; events {}\nhttp { access_log off; ` +
      ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${dir}/${name}; `)
        .join('') +
      `\n${sample}}\n`,
    args: (file, dir) => ['-p', dir, '-c', file],
  },
  HAProxy: {
    language: 'haproxy',
    path: () => requireTool('haproxy', 'haproxy'),
    around: (sample) => `global\n  log stderr local0 alert\n${sample}`,
    args: (file) => ['-db', '-f', file],
  },
  Caddy: {
    language: 'caddyfile',
    path: () => requireTool('caddy', 'caddy'),
    around: (sample) => `{\n  admin off\n  auto_https off\n}\n${sample}`,
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
};

/** The port on which the sample of the page listens, in front of `target`. */
export async function startProxy(t: Test, program: Program, target: number): Promise<number> {
  const dir = t.testdir();
  const port = await freePort();
  const page = readFileSync('docs/behind-a-proxy.md', 'utf8');
  const [, sample = ''] = new RegExp(`\`\`\`${program.language}\n(.*?)\`\`\``, 's').exec(page) ?? [];
  const placed = sample
    .replace('127.0.0.1:8080', `127.0.0.1:${target}`)
    .replace(/:?\b80\b/, (found) => (found.startsWith(':') ? `:${port}` : `${port}`));
  const file = join(dir, 'proxy.conf');
  writeFileSync(file, program.around(placed, dir));
  const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
  const child = spawn(program.path(), program.args(file, dir), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  t.teardown(async () => {
    // Not SIGKILL: nginx's worker would outlive its master.
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
    child.stderr.destroy();
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${program.language} ended: ${said}`);
    await delay(20);
  }
  return port;
}

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
