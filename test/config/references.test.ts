import t from 'tap';
import { readYamlText } from '../../src/config/document.ts';
import { parseDocument } from 'yaml';
import { replaceReferences } from '../../src/config/references.ts';

t.test('references become what may stand at their place, and texts from outside are remembered', async (t) => {
  const document = parseDocument('n: ${N}\nt: "${N}"\nu: ${U}\nd: ${D:-x}\n${K}: 1\n');
  const external = new Set<unknown>();
  const references = { env: { N: '90.5' }, readFile: () => null };
  const schema = { properties: { n: { type: 'integer' }, t: { type: 'string' } } };
  const unresolved = replaceReferences({ document, schema, references, external });
  t.strictSame(document.toJS(), { n: 90.5, t: '90.5', u: '${U}', d: 'x', '${K}': 1 });
  t.match(unresolved, [{ path: ['u'], failure: /variable U, which is not set/ }]);
  t.same(external, new Set([document.get('n', true), document.get('t', true)]));
});

t.test('a reference is a number wherever one may stand, whole or not', async (t) => {
  const schema = {
    properties: { whole: { type: 'integer' }, part: { type: 'number' }, text: { type: 'string' } },
  } as const;
  const text = 'whole: ${N}\npart: ${N}\ntext: ${N}\n';
  t.same(readYamlText(text, { file: 'a.yaml', env: { N: '2' }, schema }).content?.value, {
    whole: 2,
    part: 2,
    text: '2',
  });
});
