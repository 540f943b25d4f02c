import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { loadKeyFile } from '../../src/keys/key-file.ts';

const DIRECTORY = 'test/fixtures/bad-config';

/** Every file makes one mistake and says in its first lines what has to be found: `# expect LINE:COL severity part-of-the-message`. */
for (const name of readdirSync(DIRECTORY)) {
  t.test(name, async (t) => {
    const file = `${DIRECTORY}/${name}`;
    const text = readFileSync(file, 'utf8');
    const expected = [...text.matchAll(/^# expect (\S+ \S+) (.*)$/gm)].map(([, start = '', part = '']) => ({
      start: `${file}:${start} `,
      part,
    }));
    const isKeyFile = name.startsWith('keys.');
    const loaded = isKeyFile ? loadKeyFile(file, {}) : loadConfig(file, {});
    t.equal('config' in loaded ? loaded.config : loaded.definitions, null, 'the file cannot be used');
    const found = loaded.problems.map(formatProblem);
    t.equal(found.length, expected.length, `exactly the expected findings: ${JSON.stringify(found)}`);
    for (const [index, { start, part }] of expected.entries()) {
      t.equal(found[index]?.slice(0, start.length), start, 'at its line and column');
      t.ok(found[index]?.includes(part), `${found[index]} says: ${part}`);
    }
    t.notMatch(found.join('\n'), /hunter2/, 'no secret is shown');
    for (const message of found) t.match(message, /[.?]$/, 'a whole sentence');
  });
}
