import * as fc from 'fast-check';
import t from 'tap';
import { substitute, withoutReferences } from '../../src/config/substitution.ts';

const references = {
  env: { NAME: 'value', EMPTY: '', NESTED: '${NAME}', DOLLARS: '$&$1$$' },
  readFile: (path: string) => ({ 'a.txt': 'from file\n', 'two.txt': 'x\n\n', 'crlf.txt': 'x\r\n' })[path] ?? null,
};
const text = (written: string): string => substitute(written, references).text;

t.equal(text('${NAME}'), 'value');
t.equal(text('a ${NAME} b ${NAME}'), 'a value b value');
t.equal(text('${EMPTY}'), '', 'set but empty is empty');
t.equal(text('${EMPTY:-x}'), 'x', 'but takes its default, as in a shell');
t.equal(text('${MISSING:-x y:-z}'), 'x y:-z');
t.equal(text('${MISSING:-}'), '');
t.equal(text('${file:a.txt}'), 'from file', 'one line break at the end is cut');
t.equal(text('${file:two.txt}'), 'x\n', 'only one');
t.equal(text('${file:crlf.txt}'), 'x');
t.equal(text('$${NAME}'), '${NAME}', '$${ is a literal');
t.equal(text('$NAME $5'), '$NAME $5', 'a dollar alone means nothing');
t.equal(text('${NESTED}'), '${NAME}', 'what a reference yields is not searched again');
t.equal(text('${DOLLARS}'), '$&$1$$', 'nor read as a replacement pattern');

t.match(substitute('${MISSING}', references).failures, [/MISSING, which is not set/]);
t.match(substitute('${file:none}', references).failures, [/"none", which cannot be read/]);
t.match(substitute('${1a}', references).failures, [/none of/]);
t.match(substitute('a ${NAME', references).failures, [/never closed/]);
t.equal(substitute('${A} ${B}', references).failures.length, 2, 'every failure is told');

t.equal(substitute('${NAME}', references).external, true);
t.equal(substitute('${MISSING:-x}', references).external, false, 'a default stands in the file itself');
t.equal(substitute('$${NAME}', references).referenced, false);

t.test('the names of Object.prototype are no variables', async (t) => {
  t.equal(substitute('${toString:-x}', { ...references, env: Object.create(null) }).text, 'x');
  t.equal(substitute('${constructor:-x}', references).text, 'x');
});

t.test('what Kubernetes and Docker set for a Service or a link of a name counts as not set', async (t) => {
  const links = {
    POSTERN_PORT: 'tcp://10.96.12.34:8080',
    POSTERN_ADMIN_PORT: 'tcp://[fd00:10:96::1]:9090',
    DNS_PORT: 'udp://10.96.0.10:53',
    SIP_PORT: 'sctp://10.96.0.11:5060',
    POSTERN_PORT_8080_TCP: 'tcp://10.96.12.34:8080',
    DB_PORT: 'tcp://172.17.0.5:5432',
  };
  for (const name of Object.keys(links))
    t.same(
      substitute(`a \${${name}:-8080}`, { ...references, env: links }),
      { text: 'a 8080', external: false, referenced: true, failures: [] },
      name,
    );
  t.match(substitute('${POSTERN_PORT}', { ...references, env: links }).failures, [
    /POSTERN_PORT, which holds only what is set for a Service/,
  ]);
  // What somebody set stays.
  for (const [name, value] of Object.entries({
    POSTERN_PORT: '9000',
    UPSTREAM: 'tcp://10.96.12.34:8080',
    A_PORT: 'http://10.96.12.34:8080',
    B_PORT: 'tcp://backend:8080',
    C_PORT: 'tcp://10.96.12.34:8080/x',
    POSTERN_PORT_8080_TCP_ADDR: '10.96.12.34',
  }))
    t.equal(substitute(`\${${name}:-x}`, { ...references, env: { [name]: value } }).text, value, name);
});

t.test('text without ${ comes back as it is', async (t) => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.string(), (any) => any.includes('${') || text(any) === any)));
});

t.test('what a reference yields is not unescaped either: it is text as it stands', async (t) => {
  const escaped = {
    env: { ESCAPED: '$${NAME}', OPEN: '$${', NAME: 'value' },
    readFile: () => 'a $${NAME} b\n',
  };
  const read = (written: string): string => substitute(written, escaped).text;
  t.equal(read('${ESCAPED}'), '$${NAME}');
  t.equal(read('x${OPEN}NAME}'), 'x$${NAME}');
  t.equal(read('${file:any}'), 'a $${NAME} b');
  t.equal(read('$${${NAME}}'), '${value}');
  t.equal(read('$${NAME} ${ESCAPED} $${'), '${NAME} $${NAME} ${');
  t.equal(read('$$${NAME}'), '$${NAME}', 'from the left');
  t.same(substitute('$${NAME}', escaped), { text: '${NAME}', external: false, referenced: false, failures: [] });
});

t.test('what was written without references is read back as it was', (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('$', '{', '}', 'NAME', 'file:a.txt', ' ')), (parts) => {
      const plain = parts.join('');
      const { text, referenced } = substitute(String(withoutReferences(plain)), references);
      return text === plain && !referenced;
    }),
  );
  t.strictSame(withoutReferences({ a: ['${NAME}', 1, null], b: { c: 'x$${y' } }), {
    a: ['$${NAME}', 1, null],
    b: { c: 'x$$${y' },
  });
  t.end();
});

t.test('the name of a variable is letters, digits and underscores, and does not begin with a digit', async (t) => {
  const env = { A: 'a', _: 'u', a1_B: 'b', É: 'e' };
  for (const name of Object.keys(env).filter((known) => known !== 'É'))
    t.equal(substitute(`\${${name}}`, { ...references, env }).text, env[name as keyof typeof env], name);
  for (const name of ['', '1', '1A', 'A B', 'A-', 'A:', 'A:x', ' A', 'A ', 'É', 'A.B', 'file:', 'file', ':-x'])
    t.match(substitute(`\${${name}}`, { ...references, env }).failures, [/none of|not set/], name);
  t.match(substitute('${file:}', references).failures, [/none of/], 'no file of no name');
  t.match(substitute('${}', references).failures, [/none of/]);
});

t.test('only the last line break of a file is cut', async (t) => {
  const read = (content: string) => substitute('${file:x}', { env: {}, readFile: () => content }).text;
  t.equal(read('a\nb\n'), 'a\nb');
  t.equal(read('a\r\nb\r\n'), 'a\r\nb');
  t.equal(read('\n'), '');
  t.equal(read('a\n '), 'a\n ');
});

t.test('what a cluster or Docker sets for a service is told from what somebody set', async (t) => {
  const value = (name: string, set: string) =>
    substitute(`\${${name}:-mine}`, { ...references, env: { [name]: set } }).text;
  for (const [name, set] of [
    ['POSTERN_PORT', 'tcp://10.0.0.1:80'],
    ['POSTERN_PORT', 'TCP://10.0.0.1:80'],
    ['POSTERN_PORT', 'udp://[fd00::1]:80'],
    ['POSTERN_PORT', 'tcp://fd00::1:80'],
    ['POSTERN_PORT_80_TCP', 'tcp://10.0.0.1:80'],
    ['POSTERN_PORT_80_UDP', 'udp://10.0.0.1:80'],
    ['POSTERN_PORT_80_SCTP', 'sctp://10.0.0.1:80'],
  ] as const)
    t.equal(value(name, set), 'mine', `${name}=${set}`);
  for (const [name, set] of [
    ['POSTERN_PORT', 'xtcp://10.0.0.1:80'],
    ['POSTERN_PORT', 'tcp://:80'],
    ['POSTERN_PORT', 'tcp://10.0.0.1'],
    ['POSTERN_PORT', 'tcp://10.0.0.1:123456'],
    ['POSTERN_PORTS', 'tcp://10.0.0.1:80'],
    ['POSTERN_PORT_X_TCP', 'tcp://10.0.0.1:80'],
    ['PORT', 'tcp://10.0.0.1:80'],
  ] as const)
    t.equal(value(name, set), set, `${name}=${set}`);
});
