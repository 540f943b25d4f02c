import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lookAt, readWhole, readWholeLater, sizeOf } from '../../src/lib/files.ts';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function codeOfThrow(run: () => unknown): string | undefined {
  try {
    run();
    return 'nothing was thrown';
  } catch (error) {
    return codeOf(error);
  }
}

t.test('what cannot be looked at is said, and never thrown', (t) => {
  const directory = t.testdir({ a: 'text' });
  const loop = join(directory, 'loop');
  symlinkSync('loop', loop);
  for (const [file, code] of [
    [join(directory, 'none'), 'ENOENT'],
    [join(directory, 'a', 'b'), 'ENOTDIR'],
    [loop, 'ELOOP'],
    [join(directory, 'x'.repeat(5000)), 'ENAMETOOLONG'],
  ] as const) {
    t.equal(lookAt(file), code);
    t.equal(sizeOf(file), 0);
  }
  t.equal(sizeOf(join(directory, 'a')), 4);
  t.end();
});

t.test('files are read whole, also large ones and through links', async (t) => {
  const directory = t.testdir({ a: 'x'.repeat(300_000), empty: '' });
  symlinkSync('a', join(directory, 'link'));
  for (const [name, length] of Object.entries({ a: 300_000, link: 300_000, empty: 0 })) {
    t.equal(readWhole(join(directory, name)).length, length);
    t.equal((await readWholeLater(join(directory, name))).length, length);
  }
});

t.test('a pipe that nobody writes to is not waited for', async (t) => {
  const file = join(t.testdir({}), 'pipe');
  execFileSync('mkfifo', [file]);
  t.equal(
    codeOfThrow(() => readWhole(file)),
    'ENOTREG',
  );
  t.equal(await readWholeLater(file).catch(codeOf), 'ENOTREG');
});

t.test('what is open already is read, as a shell hands it over', (t) => {
  const script = `import { readWhole } from ${JSON.stringify(new URL('../../src/lib/files.js', import.meta.url).href)};
    process.stdout.write(readWhole('/dev/stdin'));`;
  const piped = 'printf "from a pipe" | "$0" --input-type=module -e "$1"';
  const out = execFileSync('sh', ['-c', piped, process.execPath, script]);
  t.equal(out.toString(), 'from a pipe');
  t.end();
});

t.test('whatever else keeps a file from being read is thrown as it is', async (t) => {
  const directory = t.testdir({});
  for (const [file, code] of [
    [join(directory, 'none'), 'ENOENT'],
    [directory, 'EISDIR'],
  ] as const) {
    t.equal(
      codeOfThrow(() => readWhole(file)),
      code,
    );
    t.equal(await readWholeLater(file).catch(codeOf), code);
  }
});
