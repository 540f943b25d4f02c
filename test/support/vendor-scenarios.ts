/** What is asked of every vendor's client in a page: the same scenes, with the same keys. */
import type { Test } from 'tap';
import { holds, startVendor, type VendorClient, type VendorWorld } from './vendor-page.ts';

const FREE = 'secret-of-the-free-key';
const LIMITED = 'secret-of-the-limited-key';
const AWAY = 'secret-of-the-key-from-elsewhere';
const SLOW = 'secret-of-the-slow-key';

/** `calls`: what a client sends when it begins, which the slow key may send together with one request of events. */
const keysFor = (calls: number) => [
  { id: 'free', type: 'write-only', secret: FREE },
  { id: 'limited', type: 'write-only', secret: LIMITED, allowedEvents: ['login', 'again', 'left'] },
  { id: 'away', type: 'write-only', secret: AWAY, allowFrom: ['192.0.2.0/24'] },
  { id: 'slow', type: 'write-only', secret: SLOW, rateLimit: { requests: calls + 1, windowSeconds: 1 } },
];

export interface Expected {
  /** How many requests with its key the client sends when it begins. */
  readonly calls: number;
  /** Whether the client gives up what was refused with 429. Then what comes later has to arrive. */
  readonly givesUpOn429?: boolean;
  /** The key stands in the path of what everybody may read. */
  readonly inPath?: boolean;
}

export async function playAll(t: Test, client: VendorClient, expected: Expected): Promise<void> {
  const world = await startVendor(t, client, keysFor(expected.calls));
  await t.test('a key that may send all', (t) => unlimited(t, world, expected));
  await t.test('a limited key, with one event that it may not send', (t) => limited(t, world));
  await t.test('a wrong key', (t) => refused(t, world, 'secret-of-nobody', 401));
  await t.test('from another address', (t) => refused(t, world, AWAY, 403));
  await t.test('from another origin', (t) => foreign(t, world));
  await t.test('too often, and then again', (t) => tooOften(t, world, expected));
  await t.test('what a page sends when it is left', (t) => leaving(t, world));
}

/** Of a further way in which the client sends: what a limited key may send arrives, to these paths too, and nothing else. */
export async function playLimited(t: Test, client: VendorClient, paths: readonly string[] = []): Promise<void> {
  const world = await startVendor(t, client, keysFor(0));
  await limited(t, world);
  for (const path of paths)
    while (!world.backend.requests.some(({ url }) => url.startsWith(path))) await world.backend.next();
  await leaving(t, world);
}

/** Of a client that sends smaller batches when one was too large: all that fits arrives. */
export async function playTooLarge(t: Test, client: VendorClient): Promise<void> {
  const world = await startVendor(t, { ...client, api: { maxBodyBytes: 2500 } }, keysFor(0));
  const page = await world.open(FREE);
  const names: string[] = [];
  const tooLarge = page.told(413);
  let arriving: Promise<void>;
  do {
    // A slow page may put so few into each batch that none is too large: then twice as many follow.
    const more = Array.from({ length: names.length || 8 }, (_, i) => `large-${names.length + i}`);
    names.push(...more);
    await page.send(...more);
    arriving = world.arrived(...names);
    await Promise.race([tooLarge, arriving]);
  } while (!page.statuses().includes(413));
  await arriving;
  // The page hears of it later than the backend.
  await page.told(200);
  t.ok(page.statuses().includes(200), 'in smaller batches');
}

export async function playLeaving(t: Test, client: VendorClient): Promise<void> {
  await leaving(t, await startVendor(t, client, keysFor(0)));
}

async function unlimited(t: Test, world: VendorWorld, { inPath = false }: Expected): Promise<void> {
  const page = await world.open(FREE);
  await page.send('free-login', 'free-payment');
  await world.arrived('free-login', 'free-payment');
  await page.told(200);
  t.ok(
    page.statuses().every((status) => status === 200),
    'and the page reads that it worked',
  );
  const leaks = world.backend.requests.filter(
    (request) => holds(request, FREE) && !(inPath && request.method === 'GET'),
  );
  t.same(
    leaks.map(({ url }) => url),
    [],
    'the key stays with Postern',
  );
}

async function limited(t: Test, world: VendorWorld): Promise<void> {
  const page = await world.open(LIMITED);
  await page.send('login', 'payment', 'again');
  await world.arrived('login', 'again');
  t.notOk(world.names().includes('payment'));
}

async function refused(t: Test, world: VendorWorld, secret: string, status: number): Promise<void> {
  const page = await world.open(secret);
  await page.send('refused');
  await page.told(status);
  t.notOk(world.names().includes('refused'));
}

async function foreign(t: Test, world: VendorWorld): Promise<void> {
  const page = await world.open(FREE, 'elsewhere');
  const failed = page.page.waitForEvent('requestfailed', (request) => request.method() === 'POST');
  await page.send('foreign');
  await failed;
  t.notOk(world.names().includes('foreign'));
}

async function tooOften(t: Test, world: VendorWorld, { givesUpOn429 = false }: Expected): Promise<void> {
  world.freeze(true);
  const page = await world.open(SLOW);
  await page.send('slow-1');
  await world.arrived('slow-1');
  await page.send('slow-2');
  await page.send('slow-3');
  await page.told(429);
  world.freeze(false);
  if (givesUpOn429) while (!world.names().includes('slow-late')) await page.send('slow-late');
  else await world.arrived('slow-2', 'slow-3');
  t.ok(page.statuses().includes(200), 'what came again was taken');
}

async function leaving(t: Test, world: VendorWorld): Promise<void> {
  const page = await world.open(LIMITED);
  await page.send('login');
  await page.told(200);
  await page.leaveWith('left', 'payment');
  await world.arrived('left');
  t.notOk(world.names().includes('payment'));
}
