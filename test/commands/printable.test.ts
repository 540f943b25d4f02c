import t from 'tap';
import { printable } from '../../src/commands/printable.ts';

t.equal(printable('gr\u00fc\u00df, \u4e2d'), 'gr\u00fc\u00df, \u4e2d');
for (const character of ['\u001b', '\n', '\r\n', '\0', '\u0085', '\u202e', '\ud800', '\ue000'])
  t.equal(printable(`a${character}b`), 'a b', JSON.stringify(character));
