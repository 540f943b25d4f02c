/** What a viewer finds on the pages of keys, policies and lists: everything to read, and nothing to change. Slow: in a browser. */
import t from 'tap';
import { becomes, startBrowser, startConsole } from '../support/console.ts';

const browser = await startBrowser(t);
const VIEWER = 'viewer-token-of-this-test';
const { open } = await startConsole(t, browser, {
  keys: [
    { id: 'web', policy: 'shared', mode: 'report', secret: 'secret-of-the-key-web' },
    { id: 'other', type: 'write-only', secret: 'secret-of-the-key-other', allowFrom: [{ list: 'office' }] },
  ],
  records: {
    policies: { shared: { type: 'write-only', allowFrom: ['203.0.113.7'], allowedEvents: ['login'] } },
    addressLists: { office: ['203.0.113.0/28'] },
  },
  config: {
    admin: { token: 'editor-token-of-this-test', tokens: [{ id: 'eve', value: VIEWER, role: 'viewer' }] },
  },
});

t.test('no page offers a viewer to change anything', async (t) => {
  const page = await open(t, '#/keys');
  await page.getByLabel('Admin token').fill(VIEWER);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'web', exact: true }).waitFor();
  await becomes(t, () => page.getByRole('link', { name: 'New key' }).count(), 0);
  const places = [
    ['#/key/web', 'Access control'],
    ['#/policy/shared', 'What this policy says'],
    ['#/list/office', 'Addresses'],
  ] as const;
  for (const [address, heading] of places) {
    await page.evaluate(`location.hash = '${address}'`);
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    await page.getByText('You are signed in as a viewer').waitFor();
    t.same(
      await page.getByRole('main').getByRole('button').allTextContents(),
      await page.locator('main .chip').allTextContents(),
      `${address} has no button but the events`,
    );
    for (const field of await page.locator('main input, main select').all())
      t.equal(
        (await field.isDisabled()) || !(await field.isEditable()),
        true,
        await field.evaluate((input) => input.outerHTML),
      );
  }
});

t.test('a new key, policy or list is not offered by its address either', async (t) => {
  const page = await open(t, '#/new-key');
  await page.getByLabel('Admin token').fill(VIEWER);
  await page.getByRole('button', { name: 'Sign in' }).click();
  for (const [address, title] of [
    ['#/new-key', 'New key'],
    ['#/new-policy', 'New policy'],
    ['#/new-list', 'New list'],
  ] as const) {
    await page.evaluate(`location.hash = '${address}'`);
    await page.getByRole('heading', { name: title, exact: true }).waitFor();
    await page.getByText('You are signed in as a viewer').waitFor();
    await becomes(t, () => page.getByRole('button', { name: /^Create/ }).count(), 0, address);
  }
});
