import dns, { Resolver } from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import t from 'tap';
import { createLookup } from '../../src/lib/lookup.ts';
import { startNameServer } from '../support/dns.ts';

void t.test('both families are asked for, and take turns', async (t) => {
  const { lookup } = await startNameServer(t, (_name, family) =>
    family === 'A' ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1'],
  );
  t.same(await lookup('backend.example'), ['192.0.2.1', '2001:db8::1', '192.0.2.2']);
});

void t.test('an address is itself; localhost needs no name server', async (t) => {
  const { lookup, questions } = await startNameServer(t, () => 'silence');
  t.same(await lookup('192.0.2.1'), ['192.0.2.1']);
  t.same(await lookup('2001:db8::1'), ['2001:db8::1']);
  t.same(await lookup('localhost'), ['127.0.0.1', '::1']);
  t.same(questions, []);
});

void t.test('the hosts file comes first, with and without a final dot, and is read again', async (t) => {
  const { lookup, writeHosts, questions } = await startNameServer(t, () => ['192.0.2.9']);
  writeHosts('192.0.2.1 backend\n');
  t.same(await lookup('Backend'), ['192.0.2.1']);
  t.same(await lookup('backend.'), ['192.0.2.1']);
  t.same(questions, []);
  writeHosts('192.0.2.22 backend\n');
  t.same(await lookup('backend'), ['192.0.2.22']);
});

void t.test('search domains are tried as the C library tries them', async (t) => {
  const { lookup, writeResolver, questions } = await startNameServer(t, (name, family) => {
    if (name === 'api.one.test') return 'NXDOMAIN';
    if (name === 'api.two.test') return 'SERVFAIL';
    return family === 'A' ? ['192.0.2.3'] : [];
  });
  writeResolver('nameserver 127.0.0.1\nsearch one.test two.test three.test\noptions ndots:2\n');
  t.same(await lookup('api'), ['192.0.2.3']);
  t.same(
    [...new Set(questions.map((question) => question.split(' ')[1]))],
    ['api.one.test', 'api.two.test', 'api.three.test'],
  );
  t.same(await lookup('api.three.test.'), ['192.0.2.3']);
  t.same(questions.at(-1)?.split(' ')[1], 'api.three.test', 'a final dot: nothing is put behind it');
});

void t.test('where the name server says nothing, no other name is asked for', async (t) => {
  const { lookup, writeResolver, questions } = await startNameServer(t, () => 'silence');
  writeResolver('nameserver 127.0.0.1\nsearch one.test two.test\noptions timeout:1\n');
  await t.rejects(lookup('api'), { code: 'EAI_AGAIN' });
  t.same([...new Set(questions.map((question) => question.split(' ')[1]))], ['api.one.test']);
});

void t.test('of two name servers each is asked as often as one alone', async (t) => {
  const { lookup, writeResolver, questions } = await startNameServer(t, (_name, family) => {
    const asked = questions.filter((question) => question.startsWith(`${family} `)).length;
    return asked < 3 ? 'silence' : family === 'A' ? ['192.0.2.1'] : [];
  });
  writeResolver('nameserver 127.0.0.1\nnameserver 127.0.0.1\n');
  t.same(await lookup('backend.example'), ['192.0.2.1']);
});

void t.test('a family whose question is never answered holds up the other only for a moment', async (t) => {
  const { lookup, questions } = await startNameServer(t, (_name, family) =>
    family === 'A' ? ['192.0.2.1'] : 'silence',
  );
  for (let i = 0; i < 5; i += 1) t.same(await lookup('backend.example'), ['192.0.2.1']);
  t.ok(
    questions.filter((question) => question.startsWith('AAAA')).length < 5,
    'the question without an answer is not asked again each time',
  );
});

void t.test('a late answer counts, though the question was sent again meanwhile', async (t) => {
  let asked = 0;
  const { lookup } = await startNameServer(t, async (_name, family) => {
    if (family === 'AAAA') return [];
    asked += 1;
    if (asked > 1) return 'silence';
    await new Promise((resolve) => setTimeout(resolve, 900));
    return ['192.0.2.1'];
  });
  t.same(await lookup('backend.example'), ['192.0.2.1']);
  t.ok(asked > 1);
});

void t.test('those who ask for a name at the same time share one question', async (t) => {
  const { lookup, questions } = await startNameServer(t, (_name, family) => (family === 'A' ? ['192.0.2.1'] : []));
  await Promise.all(Array.from({ length: 50 }, () => lookup('backend.example')));
  t.equal(questions.length, 2);
  await lookup('backend.example');
  t.equal(questions.length, 4, 'and the next one is asked anew');
});

void t.test('a name that is not there, and name servers that do not say', async (t) => {
  const absent = await startNameServer(t, () => 'NXDOMAIN');
  // The machine of this test may have no name server that it could ask.
  const { lookup } = dns;
  const asked: string[] = [];
  const system = async (name: string): Promise<never> => {
    asked.push(name);
    throw Object.assign(new Error('not here either'), { code: asked.length === 1 ? 'ENOTFOUND' : 'EAI_AGAIN' });
  };
  Object.assign(dns, { lookup: system });
  syncBuiltinESMExports();
  t.teardown(() => {
    Object.assign(dns, { lookup });
    syncBuiltinESMExports();
  });
  await t.rejects(absent.lookup('no-such-name.invalid'), { name: 'LookupFailure', code: 'ENOTFOUND' });
  await t.rejects(absent.lookup('no-such-name.invalid'), { code: 'EAI_AGAIN' });
  t.same(asked, ['no-such-name.invalid', 'no-such-name.invalid']);
  const broken = await startNameServer(t, () => 'SERVFAIL');
  await t.rejects(broken.lookup('backend.example'), { code: 'EAI_AGAIN' });
});

void t.test('names that hang take no thread from compression, nor from another lookup', async (t) => {
  const hanging = await startNameServer(t, () => 'silence');
  const well = await startNameServer(t, (_name, family) => (family === 'A' ? ['192.0.2.1'] : []));
  let settled = 0;
  const lookups = Array.from({ length: 20 }, (_, i) =>
    hanging.lookup(`n${i}.example`).catch(() => {
      settled += 1;
    }),
  );
  t.same(await well.lookup('backend.example'), ['192.0.2.1']);
  await promisify(gzip)(Buffer.alloc(1000));
  t.equal(settled, 0, 'they still hang');
  t.equal(lookups.length, 20);
});

void t.test('the machine itself can be asked', async (t) => {
  t.ok((await createLookup()('localhost')).length > 0);
});

void t.test('a name server that is not there is passed over, and not asked first again', async (t) => {
  for (const first of ['127.0.0.2', '127.0.0.1']) {
    const { lookup, writeResolver, questions } = await startNameServer(t, (_name, family) =>
      family === 'A' ? ['192.0.2.1'] : [],
    );
    // The first server is nobody, the second is the one that answers; or the other way round.
    writeResolver(`nameserver ${first}\nnameserver ${first === '127.0.0.1' ? '127.0.0.2' : '127.0.0.1'}\nsearch\n`);
    t.same(await lookup('a.example'), ['192.0.2.1'], first);
    t.same(await lookup('b.example'), ['192.0.2.1'], first);
    t.equal(questions.length, 4);
  }
});

const hasLocalIPv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);

void t.test('a name server may have an IPv6 address', async (t) => {
  const { lookup } = await startNameServer(t, (_name, family) => (family === 'A' ? ['192.0.2.1'] : []), {
    // A machine may have none of its own.
    host: hasLocalIPv6 ? '::1' : '127.0.0.1',
    port: 0,
  });
  t.same(await lookup('backend.example'), ['192.0.2.1']);
});

void t.test('the name server that answered last is asked first', async (t) => {
  const well = await startNameServer(t, (_name, family) => (family === 'A' ? ['192.0.2.1'] : []));
  const broken = await startNameServer(t, () => 'SERVFAIL', { host: '127.0.0.2', port: well.port });
  well.writeResolver('nameserver 127.0.0.2\nnameserver 127.0.0.1\nsearch\n');
  t.same(await well.lookup('a.example'), ['192.0.2.1']);
  t.equal(broken.questions.length, 2);
  t.same(await well.lookup('b.example'), ['192.0.2.1']);
  t.equal(broken.questions.length, 2, 'the broken one is not asked again');
  t.equal(well.questions.length, 4);
});

void t.test('name servers are asked at port 53, whatever kind of address they have', async (t) => {
  const { setServers } = Resolver.prototype;
  const told: string[] = [];
  t.teardown(() => (Resolver.prototype.setServers = setServers));
  const server = await startNameServer(t, (_name, family) => (family === 'A' ? ['192.0.2.1'] : []));
  Resolver.prototype.setServers = function set(servers: readonly string[]) {
    told.push(...servers);
    setServers.call(this, [`127.0.0.1:${server.port}`]);
  };
  const folder = t.testdir({ hosts: '', 'resolv.conf': 'nameserver 127.0.0.1\nnameserver ::1\nsearch\n' });
  const files = { hosts: join(folder, 'hosts'), resolver: join(folder, 'resolv.conf') };
  t.same(await createLookup({ files })('backend.example'), ['192.0.2.1']);
  t.same(told, ['127.0.0.1:53', '[::1]:53']);
});

void t.test('a server that fails does not become the first to be asked', async (t) => {
  const well = await startNameServer(t, (name, family) => {
    if (name === 'x.example') return 'SERVFAIL';
    return family === 'A' ? ['192.0.2.1'] : [];
  });
  const broken = await startNameServer(t, () => 'SERVFAIL', { host: '127.0.0.2', port: well.port });
  well.writeResolver('nameserver 127.0.0.1\nnameserver 127.0.0.2\nsearch\n');
  await well.lookup('a.example');
  t.equal(broken.questions.length, 0);
  await t.rejects(well.lookup('x.example'), { code: 'EAI_AGAIN' });
  const before = broken.questions.length;
  t.ok(before > 0);
  t.same(await well.lookup('b.example'), ['192.0.2.1']);
  t.equal(broken.questions.length, before);
});
