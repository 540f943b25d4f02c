import t from 'tap';
import { nearestName } from '../../src/config/nearest.ts';

const known = ['port', 'host', 'trustedProxies', 'maxBodyBytes'];
t.equal(nearestName('prot', known), 'port', 'a swap');
t.equal(nearestName('pot', known), 'port', 'a letter left out');
t.equal(nearestName('PORT', known), 'port', 'letter case');
t.equal(nearestName('trusted_proxies', known), 'trustedProxies');
t.equal(nearestName('maxEntrySize', known), null, 'too far');
t.equal(nearestName('x', known), null);
t.equal(nearestName('', known), null);
t.equal(nearestName('port', []), null);

t.test('a third of the longer word in edits is near, one at least, and the nearest is told', async (t) => {
  for (const [word, known, wanted] of [
    ['ohst', ['host'], 'host'],
    ['hots', ['host'], 'host'],
    ['hsot', ['host'], 'host'],
    ['hst', ['host'], 'host'],
    ['hostt', ['host'], 'host'],
    ['lisa', ['xlsa'], null],
    ['ab', ['cd'], null],
    ['ab', ['cb'], 'cb'],
    ['abcde', ['abxyde'], 'abxyde'],
    ['abcde', ['abxyze'], null],
    ['ports', ['portal', 'ports'], 'ports'],
    ['ports', ['ports', 'portal'], 'ports'],
    ['portx', ['ports', 'portz'], 'ports'],
    ['a', ['abcdef'], null],
  ] as const)
    t.equal(nearestName(word, known), wanted, `${word} among ${known.join()}`);
});
