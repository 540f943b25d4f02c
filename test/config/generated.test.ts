import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t from 'tap';
import { parse } from 'yaml';

t.test('schemas and reference are those of the sources', async (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/generate-docs.js', '--check'], {
    encoding: 'utf8',
  });
  t.equal(status, 0, `${stdout}${stderr}run: npm run build:test && node scripts/generate-docs.js`);
});

t.test('the examples are valid by the schemas that editors use', async (t) => {
  const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
    Ajv2020: new (options: object) => Validator;
  };
  for (const [example, file] of [
    ['config/postern.yaml', 'config/postern.schema.json'],
    ['config/keys.yaml', 'config/keys.schema.json'],
  ] as const) {
    const ajv = new Ajv2020({ allErrors: true, strict: false, formats: { 'date-time': true } });
    const validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')));
    const text = readFileSync(example, 'utf8');
    t.ok(validate(parse(text)), `${example}: ${JSON.stringify(validate.errors)}`);
    t.match(text, `$schema=./${file.replace('config/', '')}`, 'the example names its schema');
    t.notOk(validate({ ...(parse(text) as object), unknown: 1 }), 'the schema refuses unknown fields');
  }
});

interface Validator {
  compile(schema: unknown): { (value: unknown): boolean; errors?: unknown };
}
