/**
 * Reads the TAP that one process writes, line by line: which assertions of which test failed, and what only looks like
 * success: a skip, a todo, a test that asserts nothing, a plan that was not kept. Believes no summary; runs nothing.
 */

const POINT = /^( *)(not ok|ok) \d+(?: - (.*))?$/;
const PLAN = /^( *)1\.\.(\d+)/;
const SUBTEST = /^( *)# Subtest(?:: (.*))?$/;
/** A point that is no assertion: whose results follow. A comment would not wait for what came before it. */
const FILE = /^file: (\S+)$/;
const DIRECTIVE = /(?<!\\)# (skip|todo)\b/i;
/** What tap says of the tests that were left when the process was ended from inside. */
const LEFT = /^(?:test unfinished|child test left in queue)/;
const INDENT = 4;

/**
 * A reader of lines. `file` is whose results they are until a point `file: NAME` says otherwise. `files` has, for each file,
 * how many tests and assertions it had and what was wrong; `open` is the path of the test that is running; `ended` is true
 * once the outermost plan was seen, with every test in it closed; `isSilent` while nothing at all came.
 */
export function createTapReader(file) {
  const files = new Map();
  let current = startFile(file);
  let path = [];
  let counts = [level()];
  let failure = null;
  let ended = false;
  let isSilent = true;
  let isCutOff = false;

  function startFile(name) {
    const known = files.get(name) ?? { tests: 0, assertions: 0, failures: [] };
    files.set(name, known);
    return known;
  }

  function fail(title, detail = []) {
    failure = { title: [...path, title].join(' > '), detail };
    current.failures.push(failure);
  }

  function point(depth, isOk, text) {
    const closes = counts.length > depth + 1;
    const title = text.replace(/(?<!\\) # time=[\d.]+ms$/, '');
    if (closes) {
      const closed = counts.pop();
      path = path.slice(0, depth);
      if (closed.points === 0) fail(`${title}: the test asserts nothing`);
      else if (closed.planned !== null && closed.planned !== closed.points) fail(`${title}: the test was not finished`);
      else if (!isOk && closed.failed === 0) fail(title);
      current.tests++;
    }
    const here = counts[depth];
    if (here === undefined) return;
    here.points++;
    const named = depth === 0 ? FILE.exec(title) : null;
    if (named !== null) {
      current = startFile(named[1]);
      return;
    }
    if (!closes) current.assertions++;
    if (!isOk) here.failed++;
    isCutOff ||= !isOk && LEFT.test(title);
    const directive = DIRECTIVE.exec(title)?.[1];
    if (directive !== undefined) fail(`${title} (a ${directive.toLowerCase()} counts as failed)`);
    else if (!isOk && !closes) fail(title);
  }

  function read(line) {
    isSilent = false;
    const subtest = SUBTEST.exec(line);
    const matched = POINT.exec(line);
    const plan = PLAN.exec(line);
    if (subtest) {
      const depth = subtest[1].length / INDENT;
      path = [...path.slice(0, depth), subtest[2] ?? ''];
      counts = [...counts.slice(0, depth + 1), level()];
      failure = null;
    } else if (matched) {
      failure = null;
      point(matched[1].length / INDENT, matched[2] === 'ok', matched[3] ?? '');
    } else if (plan && plan[1].length % INDENT === 0) {
      const here = counts[plan[1].length / INDENT];
      if (here !== undefined) here.planned = Number(plan[2]);
      if (plan[1] === '') ended = here?.planned === here?.points && counts.length === 1;
    } else if (failure !== null && line.startsWith(' ')) failure.detail.push(line);
  }

  return {
    read,
    files,
    get open() {
      return path.join(' > ');
    },
    get ended() {
      return ended && !isCutOff;
    },
    get isSilent() {
      return isSilent;
    },
  };
}

const level = () => ({ points: 0, failed: 0, planned: null });
