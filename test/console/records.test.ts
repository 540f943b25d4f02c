/**
 * The pages of policies and of address lists, and the settings of a key that name them, against a real Postern in a real browser.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes, sendEvent, startBrowser, startConsole } from '../support/console.ts';

const SECRET = 'secret-of-the-key-under-test';
const OFFICE = '203.0.113.7';
const ELSEWHERE = '198.51.100.9';

const browser = await startBrowser(t);

void t.test('a list and a policy are made, a key takes them, and a change is shown before it is saved', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, {
    keys: [{ id: 'web', type: 'write-only', secret: SECRET }],
  });
  const page = await signedIn(t, '#/lists');
  await page.getByRole('link', { name: 'New list' }).click();
  await page.getByLabel('Name').fill('office');
  await page.getByRole('button', { name: 'Add IP address' }).click();
  await page.getByLabel('IP address 1').fill('203.0.113.7/24');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('Not saved.').waitFor();
  await becomes(
    t,
    () => page.getByLabel('IP address 1').getAttribute('aria-invalid'),
    'true',
    'the mistake is at its field',
  );
  await page.getByLabel('IP address 1').fill('203.0.113.0/24');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'office' }).waitFor();
  await page.getByText('Nothing uses it.').waitFor();

  await page.getByRole('link', { name: 'Policies' }).click();
  await page.getByRole('link', { name: 'New policy' }).click();
  await page.getByLabel('Name').fill('partners');
  await page.getByRole('checkbox', { name: 'Access control' }).check();
  await page.getByRole('radio', { name: 'Specific locations' }).check();
  await page.getByRole('button', { name: 'Add list' }).click();
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'partners' }).waitFor();

  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('link', { name: 'web' }).click();
  await page.getByText('More settings').click();
  await page.getByLabel('Shares the fields of').selectOption('partners');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
  t.equal(await sendEvent(postern, SECRET, { ip: OFFICE }), 204);
  t.equal(await sendEvent(postern, SECRET, { ip: ELSEWHERE }), 403);

  await page.getByRole('link', { name: 'Policies' }).click();
  await page.getByRole('link', { name: 'partners' }).click();
  await page.getByRole('radio', { name: 'Anywhere' }).check();
  await page.getByText('Access control: list office → Anywhere').waitFor();
  t.equal(await sendEvent(postern, SECRET, { ip: ELSEWHERE }), 403, 'nothing is saved yet');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The policy partners is saved.').waitFor();
  t.equal(await sendEvent(postern, SECRET, { ip: ELSEWHERE }), 204);

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete partners' }).click();
  await page.getByText('The policy is in use: the key web.').waitFor();
});

void t.test('routes are chosen in a table of methods by routes', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, {
    keys: [{ id: 'web', type: 'write-only', secret: SECRET }],
  });
  const page = await signedIn(t, '#/key/web');
  await page.getByText('More settings').click();
  const table = page.getByRole('table', { name: 'What this key may do in integration' });
  await becomes(
    t,
    async () => (await table.getByText('allowed').count()) > 0,
    true,
    'with all routes it shows what the key may do',
  );
  await page.getByRole('radio', { name: 'Only chosen routes' }).check();
  await table.getByRole('checkbox', { name: 'POST /event/ingest', exact: true }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
  t.match(readFileSync(postern.keysFile, 'utf8'), 'POST /event/ingest');
  t.equal(await sendEvent(postern, SECRET, {}), 204);
  await table.getByRole('checkbox', { name: 'POST /event/ingest', exact: true }).uncheck();
  await page.getByText('No route is chosen').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
  t.equal(await sendEvent(postern, SECRET, {}), 403);
});

void t.test('a list from a file says in one line how many entries it has and how old they are', async (t) => {
  const folder = t.testdir({ 'cdn.txt': '192.0.2.0/24\n198.18.0.1\n' });
  const { signedIn } = await startConsole(t, browser, {
    keys: [{ id: 'web', type: 'write-only', secret: SECRET }],
    records: { addressLists: { cdn: { file: join(folder, 'cdn.txt') } } },
  });
  const page = await signedIn(t, '#/list/cdn');
  const told = page.locator('.notice').getByText(/^2 entries, read .*\.$/);
  await told.waitFor();
  const box = await told.boundingBox();
  t.ok(box !== null && box.height < 40, JSON.stringify(box));
  await page.getByText('192.0.2.0/24', { exact: true }).waitFor();
});
