/**
 * Requests of the console that get no answer: whether they were carried out is not known, and the page finds out without losing
 * anything. Slow: each page is loaded in a browser.
 */
import type { Page, Route } from 'playwright-core';
import t from 'tap';
import { becomes, sendEvent, startBrowser, startConsole } from '../support/console.ts';

const browser = await startBrowser(t);
const key = (id: string) => ({ id, type: 'write-only', secret: `secret-of-the-key-${id}` });
const { postern, signedIn } = await startConsole(t, browser, { keys: ['saved', 'lost', 'rotated', 'gone'].map(key) });

/** The next request of this method gets no answer; `arrives`: Postern carries it out all the same. */
async function unanswered(page: Page, method: string, arrives: boolean): Promise<void> {
  let over = false;
  await page.route(/\/api\/keys/, async (route: Route): Promise<void> => {
    if (over || route.request().method() !== method) return route.fallback();
    over = true;
    if (arrives) await route.fetch();
    return route.abort('timedout');
  });
}

const save = (page: Page) => page.getByRole('button', { name: 'Save' }).click();
const saved = (page: Page) => page.getByText('Saved. Requests are judged by it from now on.').waitFor();
const secretsOf = async (page: Page): Promise<number> =>
  page.getByRole('region', { name: 'Secrets' }).locator('tbody tr').count();

async function limitToEvent(page: Page): Promise<void> {
  await page.getByRole('radio', { name: 'Specific Profile Events' }).check();
  await page.getByLabel('Event name').fill('login');
  await page.getByRole('button', { name: 'Add event' }).click();
}

void t.test('a save that was carried out is found out', async (t) => {
  const page = await signedIn(t, '#/key/saved');
  await limitToEvent(page);
  await unanswered(page, 'PUT', true);
  await save(page);
  await page.getByText('Whether this was saved is not known.').waitFor();
  await becomes(t, () => page.getByText('Nothing was changed').count(), 0);
  await saved(page);
  await becomes(t, () => page.getByText('Whether this was saved is not known.').count(), 0);
  t.equal(await sendEvent(postern, 'secret-of-the-key-saved', { event: 'other' }), 403);
});

void t.test('a save that was not carried out can be repeated', async (t) => {
  const page = await signedIn(t, '#/key/lost');
  await limitToEvent(page);
  await unanswered(page, 'PUT', false);
  await save(page);
  await page.getByText('Whether this was saved is not known.').waitFor();
  await page.getByText('your change is not there. Save once more').waitFor();
  t.equal(await sendEvent(postern, 'secret-of-the-key-lost', { event: 'other' }), 204);
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-lost', { event: 'other' }), 403);
});

void t.test('a rotation that was carried out gives its secret when it is asked for again', async (t) => {
  const page = await signedIn(t, '#/key/rotated');
  await page.getByRole('button', { name: 'Rotate' }).click();
  await unanswered(page, 'POST', true);
  await page.getByRole('button', { name: 'Make a new secret' }).click();
  await page.getByText('Whether a new secret was made is not known.').waitFor();
  await page.getByRole('button', { name: 'Ask again for the secret' }).click();
  const secret = page.getByLabel('New secret');
  const made = await secret.inputValue();
  t.equal(await sendEvent(postern, made), 204);
  await becomes(
    t,
    () => secret.evaluate((input) => input === input.ownerDocument.activeElement),
    true,
    'and it has the focus',
  );
  await page.getByRole('region', { name: 'Secrets' }).locator('tbody tr').nth(1).waitFor();
  await becomes(t, () => secretsOf(page), 2, 'one was made, not two');

  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  await page.getByRole('link', { name: 'Lists' }).click();
  await page.waitForURL('**/#/key/rotated');
  t.match(asked, [/new secret of the key rotated is shown this once/]);
  await becomes(t, () => secret.inputValue(), made, 'it is still there');
  await page.getByRole('button', { name: 'Sign out' }).click();
  t.match(asked[1], /new secret of the key rotated is shown this once/, 'signing out leaves the page as well');
  await becomes(t, () => secret.inputValue(), made);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('link', { name: 'Lists' }).click();
  await page.getByRole('heading', { name: 'Lists' }).waitFor();
  t.equal(asked.length, 2, 'what is stored is left without a question');
});

void t.test('a key that was created gives its secret when it is created again', async (t) => {
  const page = await signedIn(t, '#/new-key');
  await page.getByLabel('Id').fill('made');
  await unanswered(page, 'POST', true);
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('Whether the key was created is not known.').waitFor();
  await page.getByRole('button', { name: 'Create key' }).click();
  t.equal(await sendEvent(postern, await page.getByRole('textbox', { name: 'Secret' }).inputValue()), 204);
});
