import t from 'tap';
import { escapeUnits } from '../../src/lib/escape-units.ts';

t.equal(escapeUnits(''), '');
t.equal(escapeUnits('\n\u0085\u2028'), '\\u000a\\u0085\\u2028');
t.equal(escapeUnits('\u{e0001}'), '\\udb40\\udc01', 'both halves of a pair');
t.equal(JSON.parse(`"${escapeUnits('a"\u{1f600}\ud800')}"`), 'a"\u{1f600}\ud800');
