import { join } from 'node:path';
import t from 'tap';
import { runCheck } from '../../src/commands/check.ts';
import { capturedIo } from '../support/command-io.ts';

t.test('an API in report mode gets a note at its line, which is no mistake', async (t) => {
  const folder = t.testdir({
    'postern.yaml': [
      'apis:',
      '  integration: { upstream: "http://127.0.0.1:9", enforcement: report }',
      '  orders: { upstream: "http://127.0.0.1:9", paths: [/orders] }',
    ].join('\n'),
    'keys.yaml': 'keys: []\n',
  });
  const { io, out } = capturedIo();
  t.equal(await runCheck({ config: join(folder, 'postern.yaml'), strict: true, json: false }, io), 0);
  t.equal(out.length, 1);
  t.match(
    out[0],
    /postern\.yaml:2:63 note apis\.integration\.enforcement is report: nothing that this API gets is refused; .*\.$/,
  );
});
