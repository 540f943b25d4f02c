import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { DEMO_SECRETS, demoPage } from '../../src/demo/page.ts';

void t.test('every secret it shows is a key of the example', async (t) => {
  const keys = readFileSync('config/keys.yaml', 'utf8');
  for (const secret of Object.values(DEMO_SECRETS))
    t.ok(keys.includes(createHash('sha256').update(secret).digest('hex')), secret);
});

void t.test('it names the ports in use, and how to sign in to the console', async (t) => {
  const page = demoPage({ postern: 1001, admin: 1002, integration: 1003, metrics: 1004, adminToken: 'only-for-now' });
  for (const part of ['1001', '1002', '1003', '1004', 'only-for-now']) t.ok(page.includes(part), part);
});

void t.test('it shows a token and a cached query, with the pair of the example', async (t) => {
  const page = demoPage({ postern: 1001, admin: 1002, integration: 1003, metrics: 1004, adminToken: 'x' });
  const [token] = page.split('\n').filter((line) => line.includes('TOKEN=$('));
  t.match(token, DEMO_SECRETS.metricsApiKey);
  t.match(token, DEMO_SECRETS.metricsClientSecret);
  t.match(page, /curl -i http:\/\/127\.0\.0\.1:1001\/metrics\/query\/.* -H "Authorization: Bearer \$TOKEN"/);
});
