import t from 'tap';
import { createAudit, type AuditedChange } from '../../src/admin/audit.ts';
import { createLog } from '../../src/observability/log.ts';
import { EDITOR } from '../support/admin-client.ts';
import { NOON } from '../support/outcomes.ts';

const BY_TOKEN = { caller: { token: EDITOR, session: null }, address: '192.0.2.1' } as const;
const session = { name: 'a1b2c3d4e5f6', endsAt: 0, token: EDITOR };
const BY_SESSION = { caller: { token: EDITOR, session }, address: '2001:db8::1' } as const;

/** An audit into a log that writes as a running process does. */
function auditing() {
  const written: string[] = [];
  const log = createLog({ level: 'info', now: () => NOON, destination: { write: (line) => written.push(line) } });
  return { audit: createAudit(log), written };
}

const HEAD = { level: 'info', time: new Date(NOON).toISOString(), msg: 'audit' };

t.test('a change is one line: who, from where, what was done, to which key and to which of its fields', async (t) => {
  const { audit, written } = auditing();
  audit(BY_TOKEN, 'replace_key', { keyId: 'web', fields: ['allowFrom', 'enabled'] });
  t.same(
    written.map((line) => JSON.parse(line) as unknown),
    [
      {
        ...HEAD,
        action: 'replace_key',
        who: 'admin',
        address: '192.0.2.1',
        keyId: 'web',
        fields: ['allowFrom', 'enabled'],
      },
    ],
  );
});

t.test('what was done with a session is put down to that session', async (t) => {
  const { audit, written } = auditing();
  audit(BY_SESSION, 'delete_secret', { keyId: 'web', secretId: '0123456789ab' });
  t.same(JSON.parse(written.join('')), {
    ...HEAD,
    action: 'delete_secret',
    who: 'admin',
    session: 'a1b2c3d4e5f6',
    address: '2001:db8::1',
    keyId: 'web',
    secretId: '0123456789ab',
  });
});

t.test('what is about no key names none', async (t) => {
  const { audit, written } = auditing();
  audit(BY_TOKEN, 'purge_cache');
  t.same(JSON.parse(written.join('')), { ...HEAD, action: 'purge_cache', who: 'admin', address: '192.0.2.1' });
});

t.test('nothing else of a request or of a change is written', async (t) => {
  const { audit, written } = auditing();
  const request = {
    params: { id: 'hunter2' },
    query: { q: 'hunter2' },
    body: { apiKey: 'hunter2' },
    ifMatch: '"hunter2"',
    caller: { ...BY_SESSION.caller, id: 'hunter2' },
    address: '192.0.2.1',
  };
  const change = { keyId: 'web', fields: ['apiKey'], before: { apiKey: 'hunter2' }, after: { apiKey: 'hunter2' } };
  audit(request, 'replace_key', change satisfies AuditedChange);
  t.equal(written.length, 1);
  t.notMatch(written.join(''), 'hunter2');
  t.notMatch(written.join(''), EDITOR.digest);
});

t.test('no name that was sent can end the line or begin another', async (t) => {
  const { audit, written } = auditing();
  const keyId = 'web"}\n{"msg":"audit","action":"nothing"}\u2028\u001b[2K';
  audit(BY_TOKEN, 'create_key', { keyId, fields: [keyId] });
  t.match(written, { length: 1 });
  t.match(written[0], /^[ -~]+\n$/);
  t.match(JSON.parse(written[0] ?? ''), { action: 'create_key', keyId, fields: [keyId] });
});
