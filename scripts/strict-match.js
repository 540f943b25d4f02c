/**
 * Loaded before each test: makes assertions mean what they seem to. tap's `match` takes a longer list for the one that was asked
 * for, any object for `{}`, and any text for a part of it: `t.match(outcomes, [one])` could not tell a request that was recorded
 * twice, nor `{ code: 'a' }` a code that is `ab`. Each test also gets a limit of its own, so that one that hangs is named.
 */
import { Assertions } from '@tapjs/asserts';
import { TestBase } from '@tapjs/core';

/** A guard against hanging, far beyond what any test takes on a busy machine. */
const TEST_LIMIT_MS = 420_000;

const match = Object.getOwnPropertyDescriptor(Assertions.prototype, 'match').value;

Assertions.prototype.match = function (found, wanted, ...more) {
  const loose = looseness(found, wanted);
  if (loose === null) return match.call(this, found, wanted, ...more);
  return loose === 'differs'
    ? this.same(found, wanted, ...more)
    : this.ok(false, `${loose}${typeof more[0] === 'string' ? ` (${more[0]})` : ''}`);
};

Assertions.prototype.has = function () {
  return this.ok(false, 't.has passes for whatever holds a little of it: use t.match or t.same');
};

const sub = Object.getOwnPropertyDescriptor(TestBase.prototype, 'sub').value;

TestBase.prototype.sub = function (Class, extra = {}, caller = sub) {
  return sub.call(this, Class, { timeout: TEST_LIMIT_MS, ...extra }, caller);
};

/**
 * What `match` would overlook: `differs` when a list has another length, or a text inside the pattern is only a part of what was
 * found. A sentence when the pattern asks for less than it seems to. null when neither.
 */
function looseness(found, wanted, isInside = false) {
  if (typeof wanted === 'string' && typeof found === 'string') {
    if (isInside) return found === wanted ? null : 'differs';
    if (wanted === '') return 'the empty text is a part of every text';
    return found === wanted ? 'the whole text is known: use t.equal, since t.match takes it for a part' : null;
  }
  if (!isPlain(wanted)) return null;
  const names = Object.keys(wanted);
  if (names.length === 0 && !Array.isArray(wanted)) return '{} matches every object';
  if (typeof found !== 'object' || found === null) return null;
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length !== found.length) return 'differs';
  for (const name of names) {
    const loose = looseness(found[name], wanted[name], true);
    if (loose !== null) return loose;
  }
  return null;
}

const isPlain = (value) =>
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value)));
