import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { portsOf, spawnPostern } from '../support/process.ts';

const SECRET = 'secret-of-the-server-key';
const KEY = { id: 'server', type: 'read-write', secret: SECRET };
const headers = { authorization: `Bearer ${SECRET}` };
const listen = { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 1 };

t.test(
  'a file that becomes a directory, a link to itself, a pipe, binary, or endless in its references leaves the last rules in force',
  async (t) => {
    const backend = await startBackend(t);
    const config = { listen, apis: { integration: { upstream: backend.url } } };
    const postern = spawnPostern(t, { config, keys: [KEY] });
    const { data, admin } = await portsOf(postern);
    const succeeded = async (): Promise<string | undefined> =>
      /^postern_config_last_reload_successful (\d)$/m.exec(
        await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text(),
      )?.[1];
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `b${i}: &${String.fromCharCode(98 + i)} [${`*${String.fromCharCode(97 + i)},`.repeat(9)}x]`).join('\n')}\nkeys: *m\n`;
    const goodKeys = readFileSync(postern.keysFile);
    for (const [what, spoil] of Object.entries({
      'a directory': (file: string) => (rmSync(file), mkdirSync(file)),
      binary: (file: string) => writeFileSync(file, Buffer.from([0, 255, 254, 0, 10, 13])),
      'references without end': (file: string) => writeFileSync(file, bomb),
      'a link to itself': (file: string) => (rmSync(file), symlinkSync(file, file)),
      'a pipe that nobody writes to': (file: string) => (rmSync(file), execFileSync('mkfifo', [file])),
      'ten megabytes of one line': (file: string) => writeFileSync(file, 'a'.repeat(10_000_000)),
    })) {
      spoil(postern.keysFile);
      postern.child.kill('SIGHUP');
      while ((await succeeded()) !== '0') await new Promise((resolve) => setTimeout(resolve, 20));
      t.equal((await fetch(`http://127.0.0.1:${data}/profile/1`, { headers })).status, 204, what);
      rmSync(postern.keysFile, { recursive: true });
      writeFileSync(postern.keysFile, goodKeys);
      postern.child.kill('SIGHUP');
      while ((await succeeded()) !== '1') await new Promise((resolve) => setTimeout(resolve, 20));
    }
    t.equal(postern.child.exitCode, null);
  },
);
