import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCheck } from '../../src/commands/check.ts';
import { runInit, type InitArguments } from '../../src/commands/init.ts';
import { loadConfig } from '../../src/config/load.ts';
import { PRESETS } from '../../src/config/presets.ts';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { verifySecretChecksum } from '../../src/keys/secret.ts';
import { capturedIo } from '../support/command-io.ts';

async function init(directory: string, change: Partial<InitArguments> = {}) {
  const { io, out, err } = capturedIo();
  const code = await runInit({ directory, preset: null, upstream: 'http://127.0.0.1:9000', ...change }, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

t.test('what is written has no findings, and two keys whose secrets were shown', async (t) => {
  const directory = t.testdir();
  for (const preset of [null, ...PRESETS]) {
    const place = join(directory, 'some', preset ?? 'none');
    const { code, out, err } = await init(place, { preset, upstream: 'https://backend.example:8443' });
    t.same([code, err], [0, ''], String(preset));
    t.same(readdirSync(place).sort(), ['keys.yaml', 'postern.yaml'], 'no draft is left');
    const checked = capturedIo();
    const config = join(place, 'postern.yaml');
    t.equal(await runCheck({ config, strict: true, json: false }, checked.io), 0, checked.out.join('\n'));
    const [api] = Object.values(loadConfig(config, {}).config?.apis ?? {});
    t.match(api, { preset, upstream: 'https://backend.example:8443' });
    const definitions = loadKeyFile(join(place, 'keys.yaml'), {}).definitions ?? [];
    const secrets = [...out.matchAll(/pstn_\w+/g)].map(([secret]) => secret);
    t.same(
      definitions.map(({ type, secrets: [secret] }) => [type, secret?.hash]),
      [
        ['write-only', hashSecret(secrets[0] ?? '')],
        ['read-write', hashSecret(secrets[1] ?? '')],
      ],
    );
    for (const secret of secrets) {
      t.equal(verifySecretChecksum(secret), 'valid');
      t.notOk(readFileSync(join(place, 'keys.yaml'), 'utf8').includes(secret), 'the file holds hashes alone');
    }
    t.ok(out.includes(config));
  }
});

t.test('nothing is overwritten, and nothing is left half done', async (t) => {
  for (const name of ['postern.yaml', 'keys.yaml']) {
    const directory = t.testdir({ [name]: 'mine' });
    const { code, out, err } = await init(directory);
    t.same([code, out], [1, '']);
    t.equal(
      err,
      `${join(directory, name)} is there already. Nothing was written; name another directory, or move it away.`,
    );
    t.same(readdirSync(directory), [name]);
    t.equal(readFileSync(join(directory, name), 'utf8'), 'mine');
  }
  const directory = t.testdir();
  symlinkSync(join(directory, 'nowhere'), join(directory, 'postern.yaml'));
  t.equal((await init(directory)).code, 1, 'a link that leads nowhere is there, too');
  t.notOk(existsSync(join(directory, 'nowhere')));
  t.notOk(existsSync(join(directory, 'keys.yaml')));
});

t.test('what cannot be written is said in one sentence', async (t) => {
  const file = join(t.testdir(), 'file');
  writeFileSync(file, '');
  const { code, err } = await init(join(file, 'below'));
  t.equal(code, 1);
  t.match(err, /^\S+ cannot be written \(ENOTDIR\)\. Nothing was written\.$/);
  for (const upstream of ['backend:9000', 'http://a/b', 'ftp://a']) {
    const place = join(t.testdir(), 'new');
    const wrong = await init(place, { upstream });
    t.equal(wrong.code, 2);
    t.match(wrong.err, /^--upstream must be .*; it is "/);
    t.notOk(existsSync(place));
  }
});
