/**
 * Loaded before each test: a list matches only a list of the same length. tap's `match` takes a longer list for the one that was
 * asked for, so that `t.match(outcomes, [one])` could not tell a request that was recorded twice.
 */
import { Assertions } from '@tapjs/asserts';

const match = Object.getOwnPropertyDescriptor(Assertions.prototype, 'match').value;

Assertions.prototype.match = function (found, wanted, ...more) {
  return hasOtherLength(found, wanted) ? this.same(found, wanted, ...more) : match.call(this, found, wanted, ...more);
};

/** Whether a list in the pattern stands where the value has a list of another length. */
function hasOtherLength(found, wanted) {
  if (typeof wanted !== 'object' || wanted === null || typeof found !== 'object' || found === null) return false;
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length !== found.length) return true;
  return Object.keys(wanted).some((name) => hasOtherLength(found[name], wanted[name]));
}
