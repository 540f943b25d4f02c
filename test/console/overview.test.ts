/**
 * The overview, Explain and the session, against a real Postern in a real browser.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import type { Page } from 'playwright-core';
import t from 'tap';
import { becomes, sendEvent, signIn, startBrowser, startConsole } from '../support/console.ts';

const SECRET = 'secret-of-the-key-under-test';
const TRIAL = 'secret-of-the-key-on-trial-here';

const keys = [
  { id: 'backend', type: 'read-write', secret: SECRET, allowFrom: ['203.0.113.7'] },
  { id: 'trial', type: 'write-only', secret: TRIAL, allowFrom: [], mode: 'report' },
];

const browser = await startBrowser(t);

const rows = (page: Page) => page.getByRole('region', { name: /^Latest/ }).getByRole('row');
const chart = (page: Page) => page.getByRole('img').getAttribute('aria-label');

const top = (page: Page, title: string) => page.getByRole('region', { name: `Refused most: ${title}` });

void t.test('refusals appear as they come, by reason and by key, and say what decided', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t);
  await page.getByText(/^Nothing was refused since the start at/).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  t.match(
    await page.getByText(/^This process since/).textContent(),
    /^This process since \d\d:\d\d \(.*\), times in UTC/,
  );

  t.equal(await sendEvent(postern, SECRET, { ip: '198.51.100.9' }), 403);
  await rows(page).filter({ hasText: '198.51.100.9' }).waitFor();
  t.equal(await sendEvent(postern, 'nobody-has-this'), 401);
  await rows(page).filter({ hasText: 'Unknown Credential' }).waitFor();
  await page.getByText('Refused: 2').waitFor();
  await becomes(t, () => chart(page), /^2 since the start at \d\d:\d\d: Address Not Allowed 1, Unknown Credential 1$/);
  await page.getByText('100 % of 2 requests').waitFor();
  await page.getByRole('radio', { name: 'By key' }).check();
  await becomes(t, () => chart(page), /No known key 1, backend 1/);

  await page.getByLabel('Reason', { exact: true }).selectOption('Unknown Credential');
  await becomes(t, () => rows(page).filter({ hasText: '198.51.100.9' }).count(), 0);
  await page.getByLabel('Reason', { exact: true }).selectOption('Any');
  await page.getByLabel('Key', { exact: true }).selectOption('backend');
  await becomes(t, () => rows(page).count(), 2, 'its head and the one of this key');

  const why = rows(page).getByRole('button', { name: 'Why was this refused?' });
  await why.click();
  await becomes(t, () => why.getAttribute('aria-expanded'), 'true');
  const detail = page.locator('.detail');
  await becomes(
    t,
    () => detail.textContent(),
    /Address Not Allowed \(ip_not_allowed\)Decided byallowFrom of key backend/,
  );
  t.equal(
    await detail.getByRole('link', { name: 'Allow 198.51.100.9 for backend…' }).getAttribute('href'),
    '#/key/backend?allow=198.51.100.9',
  );
  await detail.getByRole('link', { name: /^Explain/ }).click();
  await page.getByRole('heading', { name: 'Refused with 403: Address Not Allowed' }).waitFor();
  await becomes(t, () => page.getByLabel('IP address of the caller').inputValue(), '198.51.100.9');
  await becomes(t, () => page.getByLabel('Path').inputValue(), '/event/ingest');
  await page.getByLabel('IP address of the caller').fill('203.0.113.7');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('heading', { name: 'Passed on to the backend' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Passed on to the backend' }).waitFor();
  await becomes(
    t,
    () => page.getByLabel('IP address of the caller').inputValue(),
    '203.0.113.7',
    'as it was asked last',
  );
  await page.goBack();
  await rows(page).filter({ hasText: '198.51.100.9' }).waitFor();
  await becomes(t, () => page.getByLabel('Key', { exact: true }).inputValue(), 'backend');
});

void t.test('the most refused filter everything, and the address of the page says by what', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  for (let n = 0; n < 12; n++) await sendEvent(postern, `guess-${n}`, { ip: '198.51.100.66' });
  for (let n = 0; n < 6; n++) await sendEvent(postern, SECRET, { ip: '192.0.2.44' });
  for (let n = 0; n < 30; n++) await sendEvent(postern, SECRET);
  const page = await signedIn(t);
  await page.getByText('38 % of 48 requests').waitFor();
  await page.getByText('198.51.100.66 tries out credentials').waitFor();
  await page.getByText('A client with the key backend is set up wrongly').waitFor();
  await page.getByText(/6 of its 36 requests were refused, most of them Address Not Allowed/).waitFor();

  await top(page, 'Addresses').getByRole('link', { name: '192.0.2.44' }).click();
  await page.waitForURL(/#\/\?address=192\.0\.2\.44$/);
  await becomes(t, () => rows(page).count(), 7);
  await becomes(t, () => chart(page), /^6 since .*: Address Not Allowed 6$/);
  await becomes(t, () => top(page, 'Keys').getByRole('listitem').count(), 1);
  await page.reload();
  await page.getByRole('link', { name: /^Address: 192\.0\.2\.44/ }).waitFor();
  await becomes(t, () => rows(page).count(), 7);
  await page.goBack();
  await rows(page).filter({ hasText: '198.51.100.66' }).first().waitFor();
  await becomes(t, () => chart(page), /^18 since/);

  const id = await fetch(`${postern.url}/profile/u1`, { headers: { 'x-request-id': 'asked-about-by-phone' } });
  t.equal(id.status, 401);
  await page.getByLabel('Request id').fill(id.headers.get('x-request-id') ?? '');
  await page.getByRole('button', { name: 'Find' }).click();
  // Until it is found, every refusal is listed.
  await becomes(t, () => rows(page).count(), 2);
  await page.getByRole('button', { name: 'Why was this refused?' }).waitFor();
  await page.getByRole('link', { name: 'Show everything' }).click();
  await page.getByRole('radio', { name: '24 hours' }).check();
  await page.waitForURL(/#\/\?range=1440$/);
  await page.getByText('The pale bar is the running 10 minutes').waitFor();
});

void t.test('a list that is read stands still, and says how much came', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  for (let n = 0; n < 30; n++) await sendEvent(postern, SECRET, { ip: `198.51.100.${n}` });
  const page = await signedIn(t);
  await page.getByText('1 to 25 of 30').waitFor();
  await page.getByRole('button', { name: 'Older' }).click();
  await becomes(t, () => rows(page).count(), 6);
  await page.getByText('Paused', { exact: true }).waitFor();
  await sendEvent(postern, 'nobody-has-this');
  await page.getByText('1 newer').waitFor();
  await becomes(t, () => rows(page).count(), 6);
  await page.getByRole('button', { name: 'Go on' }).click();
  await rows(page).filter({ hasText: 'Unknown Credential' }).waitFor();
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
  await page.getByLabel('Path').fill(`/event/ingest?api_key=${SECRET}`);
  await page.getByLabel('Events').fill('login, purchase');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.waitForURL(/path=%2Fevent%2Fingest&events=login%2C\+purchase$/);
  t.notMatch(page.url(), SECRET);
});

void t.test('a flood of one kind hides no other, and the page draws no more than one part of the list', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t);
  await page.getByText('Live', { exact: true }).waitFor();
  await sendEvent(postern, SECRET, { ip: '198.51.100.9' });
  await sendEvent(postern, TRIAL);
  for (let n = 0; n < 24; n++)
    await Promise.all(
      Array.from({ length: 50 }, async () => sendEvent(postern, 'nobody-has-this', { ip: '192.0.2.66' })),
    );
  await page.getByText('Refused: 1,201').waitFor();
  await page.getByText('1 to 25 of 1,001').waitFor();
  await becomes(t, () => rows(page).count(), 26);
  await page.getByLabel('Key', { exact: true }).selectOption('backend');
  await rows(page).filter({ hasText: '198.51.100.9' }).waitFor();
  await page.getByRole('radio', { name: 'Report mode: 1' }).check();
  await page.getByRole('link', { name: 'Show everything' }).click();
  await rows(page).filter({ hasText: 'trial' }).waitFor();
});

void t.test('what report mode would refuse stands apart', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  t.equal(await sendEvent(postern, TRIAL), 204);
  const page = await signedIn(t);
  await page.getByText('Report mode: 1').waitFor();
  await page.getByText(/^Nothing was refused since the start/).waitFor();
  await page.getByRole('radio', { name: 'Report mode: 1' }).check();
  await rows(page).filter({ hasText: 'trial' }).waitFor();
  await becomes(t, () => chart(page), /^1 since .*: Address Not Allowed 1$/);
});

void t.test('a broken key file turns its own card red, and no other', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys });
  const page = await signedIn(t);
  await page.getByText('File: up').waitFor();
  postern.writeKeys([{ id: 'backend', type: 'none-of-these' }]);
  // The file is watched, and the page asks every ten seconds.
  await page.getByText('File: not up').waitFor();
  await page.getByText('The key source is not up. The last keys go on serving.').waitFor();
  await becomes(t, () => page.getByText('Loaded', { exact: true }).count(), 1);
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
  // Whatever the page asks next tells it, be it by itself.
  await page.getByText('Your session has ended.').waitFor();
  await signIn(page);
  await becomes(t, () => description.inputValue(), 'typed before the session ended');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Admin token').waitFor();
  await page.reload();
  await page.getByLabel('Admin token').waitFor();
  await becomes(t, () => page.getByRole('navigation').count(), 0);
});
