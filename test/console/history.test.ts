/**
 * The history page and its Undo, and what a viewer sees, against a real Postern in a real browser.
 * Slow: each page is loaded in a browser.
 */
import t from 'tap';
import type { Page } from 'playwright-core';
import { ADMIN_TOKEN, becomes, signIn, startBrowser, startConsole } from '../support/console.ts';

const VIEWER = 'the-token-of-anna-who-looks';

const browser = await startBrowser(t);
const { postern, open, signedIn } = await startConsole(t, browser, {
  keys: [
    { id: 'web', type: 'write-only', secret: 'secret-of-the-key-under-test', allowFrom: ['203.0.113.0/24'] },
    {
      id: 'gone',
      type: 'read-only',
      secret: 'secret-of-the-key-that-goes',
      rateLimit: { requests: 5, windowSeconds: 1 },
    },
  ],
  records: { policies: { partners: { mode: 'report' } }, addressLists: { office: ['192.0.2.1'] } },
  config: { admin: { token: ADMIN_TOKEN, tokens: [{ id: 'anna', role: 'viewer', value: VIEWER }] } },
});

// oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what tests ask about
const ask = async (method: string, path: string, body?: object): Promise<any> => {
  const answer = await fetch(`${postern.adminUrl}/api/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
      'if-match': '*',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return answer.status === 204 ? null : answer.json();
};
await ask('PUT', 'keys/web', { ...(await ask('GET', 'keys/web')), allowFrom: 'anywhere', description: 'Wide open' });
await ask('PUT', 'policies/partners', { mode: 'enforce', description: 'Partners' });
await ask('PUT', 'lists/office', { entries: ['192.0.2.2', '192.0.2.3'] });
await ask('DELETE', 'keys/gone');

const undo = async (page: Page, what: string): Promise<void> => {
  await page.goto(`${postern.adminUrl}/#/history`);
  await page
    .getByRole('link', { name: `Undo this change of the ${what}` })
    .first()
    .click();
  await page.getByText('Nothing is saved yet.').waitFor();
};

void t.test('each change is told with what it was and is, and can be narrowed', async (t) => {
  const page = await signedIn(t, '#/history');
  const rows = page.getByRole('table').getByRole('row');
  await page.getByText('Deleted: key gone').waitFor();
  await becomes(t, () => rows.count(), 5);
  const text = await page.getByRole('table').innerText();
  for (const part of [
    'added 192.0.2.2, 192.0.2.3; removed 192.0.2.1',
    '203.0.113.0/24 → anywhere',
    'Wide open',
    '127.0.0.1',
  ])
    t.ok(text.includes(part), part);
  const of = page.getByLabel('Of', { exact: true });
  await of.selectOption('List office');
  await becomes(t, () => rows.count(), 2);
  await page.reload();
  await of.waitFor();
  await becomes(t, async () => [await of.inputValue(), await rows.count()], ['List office', 2], 'a reload keeps it');
  await page.getByRole('link', { name: 'office', exact: true }).click();
  await page.getByRole('heading', { name: 'office', level: 1 }).waitFor();
  await page.goBack();
  await of.waitFor();
  await becomes(t, () => of.inputValue(), 'List office', 'and so does Back');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'History' }).click();
  await rows.nth(4).waitFor();
  await becomes(t, () => of.inputValue(), '', 'the page itself shows all');
  await page.evaluate("location.hash = '#/history?of=Key+nobody'");
  await page.getByText('No change matches.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await becomes(t, () => rows.count(), 5);
});

void t.test('undoing fills in what was before, and saves nothing before it is told to', async (t) => {
  const page = await signedIn(t, '#/history');
  await undo(page, 'key web');
  await becomes(t, () => page.getByLabel('IP address 1').inputValue(), '203.0.113.0/24');
  t.equal((await ask('GET', 'keys/web')).allowFrom, 'anywhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
  t.match((await ask('GET', 'keys/web')).allowFrom, [{ address: '203.0.113.0/24' }]);
  await undo(page, 'policy partners');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The policy partners is saved.').waitFor();
  const { usedBy: _, ...policy } = await ask('GET', 'policies/partners');
  t.same(policy, { name: 'partners', mode: 'report' }, 'what it did not say it does not say again');
  await undo(page, 'list office');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The list office is saved.').waitFor();
  t.same(
    (await ask('GET', 'lists/office')).entries.map(({ address }: { address: string }) => address),
    ['192.0.2.1'],
  );
  await undo(page, 'key gone');
  await page.getByText('Not filled in: Secrets.').waitFor();
  await becomes(t, () => page.getByLabel('Id').inputValue(), 'gone');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('is made').waitFor();
  const { type, rateLimit } = await ask('GET', 'keys/gone');
  t.same({ type, rateLimit }, { type: 'read-only', rateLimit: { requests: 5, windowSeconds: 1 } });
  t.same((await ask('GET', 'history?limit=1')).changes[0].action, 'create_key', 'undoing is a change of its own');
});

void t.test('a viewer reads every page and is offered nothing that changes anything', async (t) => {
  const page = await open(t);
  await signIn(page, VIEWER);
  await page.getByText('anna (viewer)').waitFor();
  const pages = [
    ['#/', 'Overview'],
    ['#/keys', 'Keys'],
    ['#/key/web', 'web'],
    ['#/policies', 'Policies'],
    ['#/policy/partners', 'partners'],
    ['#/lists', 'Lists'],
    ['#/list/office', 'office'],
    ['#/history', 'History'],
    ['#/new-key', 'New key'],
    ['#/new-policy', 'New policy'],
    ['#/new-list', 'New list'],
    ['#/apis', 'APIs'],
  ] as const;
  const changing =
    /save|create|delete|remove|add|rotate|disable|enable|undo|empty the cache|new (?:key|policy|list)|take over|discard/i;
  for (const [address, heading] of pages) {
    await page.goto(`${postern.adminUrl}/${address}`);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await page.locator('main .loading').first().waitFor({ state: 'detached' });
    const offered = await page
      .locator('main button, main a.button')
      .evaluateAll((all) =>
        all.map((one) => `${one.getAttribute('aria-label') ?? ''} ${one.textContent ?? ''}`.trim()),
      );
    t.same(
      offered.filter((name) => changing.test(name)),
      [],
      address,
    );
    // Those of the overview filter what is shown.
    if (address === '#/') continue;
    t.equal(
      await page.locator('main form :is(input, select, textarea):enabled:not([readonly])').count(),
      0,
      `${address}: no field`,
    );
  }
  await page.goto(`${postern.adminUrl}/#/explain`);
  await page.getByRole('button', { name: /explain/i }).waitFor();
});
