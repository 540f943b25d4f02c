/**
 * The overview, Explain and the session, against a real Postern in a real browser.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import type { Page } from 'playwright-core';
import t from 'tap';
import { sendEvent, signIn, startBrowser, startConsole } from '../support/console.ts';

const SECRET = 'secret-of-the-key-under-test';
const TRIAL = 'secret-of-the-key-on-trial-here';

const keys = [
  { id: 'backend', type: 'read-write', secret: SECRET, allowFrom: ['203.0.113.7'] },
  { id: 'trial', type: 'write-only', secret: TRIAL, allowFrom: [], mode: 'report' },
];

t.setTimeout(180_000);
const browser = await startBrowser(t);

const rows = (page: Page) => page.getByRole('region', { name: /^Latest/ }).getByRole('row');
const chart = (page: Page) => page.getByRole('img').getAttribute('aria-label');

void t.test('refusals appear as they come, by reason and by key, and lead to why', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t);
  await page.getByText('Nothing was refused in the last hour.').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();

  t.equal(await sendEvent(postern, SECRET, { ip: '198.51.100.9' }), 403);
  await rows(page).filter({ hasText: '198.51.100.9' }).waitFor();
  t.equal(await sendEvent(postern, 'nobody-has-this'), 401);
  await rows(page).filter({ hasText: 'Unknown Credential' }).waitFor();
  await page.getByText('Refused: 2').waitFor();
  t.match(await chart(page), /^2 in the last hour: Address Not Allowed 1, Unknown Credential 1$/);
  await page.getByRole('radio', { name: 'By key' }).check();
  t.match(await chart(page), /No known key 1, backend 1/);

  await page.getByLabel('Reason', { exact: true }).selectOption('Unknown Credential');
  t.equal(await rows(page).filter({ hasText: '198.51.100.9' }).count(), 0);
  await page.getByLabel('Reason', { exact: true }).selectOption('Any');
  await page.getByLabel('Key', { exact: true }).selectOption('backend');
  t.equal(await rows(page).count(), 2, 'its head and the one of this key');

  await rows(page).getByRole('link', { name: 'Why was this refused?' }).click();
  await page.getByRole('heading', { name: 'Refused with 403: Address Not Allowed' }).waitFor();
  t.equal(await page.getByLabel('IP address of the caller').inputValue(), '198.51.100.9');
  t.equal(await page.getByLabel('Path').inputValue(), '/event/ingest');
  await page.getByLabel('IP address of the caller').fill('203.0.113.7');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('heading', { name: 'Passed on to the backend' }).waitFor();
});

void t.test('Explain takes a secret too, and says what is missing', async (t) => {
  const { signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t, '#/explain');
  await page.getByRole('radio', { name: 'A secret' }).check();
  await page.getByRole('textbox', { name: 'Secret' }).fill(SECRET);
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByText('Must be an IPv4 or IPv6 address').waitFor();
  await page.getByLabel('IP address of the caller').fill('203.0.113.7');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('cell', { name: /of key backend/ }).waitFor();
  t.notMatch(page.url(), SECRET);
});

void t.test('what report mode would refuse stands apart', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  t.equal(await sendEvent(postern, TRIAL), 204);
  const page = await signedIn(t);
  await page.getByText('Report mode: 1').waitFor();
  await page.getByText('Nothing was refused in the last hour.').waitFor();
  await page.getByRole('radio', { name: 'Report mode: 1' }).check();
  t.match(await chart(page), /^1 in the last hour: Address Not Allowed 1$/);
  await rows(page).filter({ hasText: 'trial' }).waitFor();
});

void t.test('a lost connection is shown, and heals with what came meanwhile', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Empty the cache' }).click();
  const notice = page.getByText('Postern does not answer.');
  await notice.first().waitFor();
  t.equal(await sendEvent(postern, SECRET, { ip: '198.51.100.9' }), 403);
  await page.context().setOffline(false);
  await page.getByText('What is shown may be old').waitFor({ state: 'detached' });
  await rows(page).filter({ hasText: '198.51.100.9' }).waitFor();
});

void t.test('the session: a wrong token, an end, and a way out', async (t) => {
  const { open } = await startConsole(t, browser, { keys });
  const page = await open(t, '#/key/backend');
  await page.getByLabel('Admin token').fill('not-the-token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('That is no admin token.').waitFor();
  await signIn(page);
  const description = page.getByLabel('Description', { exact: true });
  await description.fill('typed before the session ended');
  const [cookie] = await page.context().cookies();
  t.match(cookie, { httpOnly: true, sameSite: 'Strict' });

  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Your session has ended.').waitFor();
  await signIn(page);
  t.equal(await description.inputValue(), 'typed before the session ended');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Admin token').waitFor();
  await page.reload();
  await page.getByLabel('Admin token').waitFor();
  t.equal(await page.getByRole('navigation').count(), 0);
});
