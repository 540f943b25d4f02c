/**
 * What can be taken out or weakened in one place of a program: for each kind of node of its syntax tree, the edits of the
 * text. Knows nothing of files or tests. What no test should hold is left alone: prose, imports and messages.
 */

/** @typedef {{ start: number, end: number, text: string, operator: string }} Edit */

/** Past this a number is a size or a time, and one more or less of it is nothing that a test should notice. */
const LARGE = 1000;
const BOUNDARY = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const COMPARISON = { '===': '!==', '!==': '===' };
const ARITHMETIC = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&': '|',
  '|': '&',
  '>>>': '<<',
  '>>': '<<',
  '<<': '>>',
};
const MATH = { ceil: 'floor', floor: 'ceil', min: 'max', max: 'min', trunc: 'ceil', round: 'floor' };
/** What a number is called that is a size or a time, however small. */
const MEASURE = /_(?:MS|BYTES|LENGTH|SIZE)$/;
const SORTS = new Set(['sort', 'toSorted']);
const SIGN_AROUND = new Set(['ConditionalExpression', 'LogicalExpression', 'UnaryExpression']);
const OTHER_METHOD = { some: 'every', every: 'some', startsWith: 'endsWith', endsWith: 'startsWith' };
const LEFT_OUT = new Set([
  'toLowerCase',
  'toUpperCase',
  'trim',
  'filter',
  'sort',
  'toSorted',
  'slice',
  'unref',
  'normalize',
]);

/** The edits of one node. `source` is the whole text, `parents` the nodes around it, the nearest last. */
export function editsOf(node, source, parents) {
  return OPERATORS[node.type]?.(node, source, parents) ?? [];
}

const edit = (operator, node, text) => ({ start: node.start, end: node.end, text, operator });
const textOf = (node, source) => source.slice(node.start, node.end);

const OPERATORS = {
  IfStatement: ({ test, alternate }) => [
    edit(alternate === null ? 'guard left out' : 'never', test, 'false'),
    // Of `a && b` and `a || b` each half is taken out, which says more than "always".
    ...(test.type === 'LogicalExpression' ? [] : [edit('always', test, 'true')]),
  ],
  ConditionalExpression: ({ test }) => [edit('never', test, 'false'), edit('always', test, 'true')],
  WhileStatement: ({ test }) => [edit('never', test, 'false')],
  ForStatement: ({ test }) => (test === null ? [] : [edit('never', test, 'false')]),
  LogicalExpression: (node, source) => [
    edit(`left side of ${node.operator} alone`, node, textOf(node.left, source)),
    edit(`right side of ${node.operator} alone`, node, textOf(node.right, source)),
  ],
  BinaryExpression: (node, source, parents) => {
    const { left, right, operator } = node;
    if (operator in COMPARISON && isWholeTest(node, parents)) return [];
    const isText = [left, right].some((side) => typeof side.value === 'string' || side.type === 'TemplateLiteral');
    const other = BOUNDARY[operator] ?? COMPARISON[operator] ?? (isText ? undefined : ARITHMETIC[operator]);
    return other === undefined
      ? []
      : [edit(operator, node, `${textOf(left, source)} ${other} ${textOf(right, source)}`)];
  },
  UnaryExpression: (node, source, parents) =>
    node.operator === '!' && !isWholeTest(node, parents)
      ? [edit('not left out', node, textOf(node.argument, source))]
      : [],
  Literal: (node, _source, parents) => literalEdits(node, parents),
  ArrayExpression: (node, source) => elementEdits(node, source),
  SpreadElement: (node, _source, parents) =>
    parents.at(-1)?.type === 'ObjectExpression' ? [edit('spread left out', node, '...{}')] : [],
  CallExpression: (node, source) => callEdits(node, source),
  ExpressionStatement: ({ expression, ...node }) =>
    ['CallExpression', 'AwaitExpression', 'AssignmentExpression', 'UpdateExpression', 'UnaryExpression'].includes(
      expression.type,
    ) && expression.callee?.type !== 'Super'
      ? [edit('statement left out', node, ';')]
      : [],
  ArrowFunctionExpression: ({ body }) =>
    ['CallExpression', 'AwaitExpression', 'AssignmentExpression'].includes(body.type)
      ? [edit('result left out', body, 'undefined')]
      : [],
};

/** Whether a node is all that an `if` or `? :` asks: that it is never or always so says as much as its contrary. */
function isWholeTest(node, parents) {
  const parent = parents.at(-1);
  return parent.test === node && (parent.type === 'IfStatement' || parent.type === 'ConditionalExpression');
}

function literalEdits(node, parents) {
  if (node.regex !== undefined) return patternEdits(node);
  if (typeof node.value === 'boolean') return [edit('boolean', node, String(!node.value))];
  if (typeof node.value === 'bigint') return [edit('number', node, `${node.value + 1n}n`)];
  if (typeof node.value === 'number')
    return isSign(parents) ? [] : [edit('number', node, String(otherNumber(node, parents.at(-1))))];
  if (typeof node.value === 'string' && isWord(node, parents))
    return [edit('word', node, JSON.stringify(`${node.value}~`))];
  return [];
}

/** One more, or ten times a size or a time. */
function otherNumber({ value }, parent) {
  const isMeasure = parent.type === 'VariableDeclarator' && MEASURE.test(parent.id.name);
  return value >= LARGE || (isMeasure && value > 0) ? value * 10 : value + 1;
}

/** Whether a number is all that a comparison of a sort says: that it is more than 0 or less is all that counts. */
function isSign(parents) {
  const at = parents.findLastIndex(({ type }) => type === 'ArrowFunctionExpression');
  const { callee } = parents[at - 1] ?? {};
  const between = parents.slice(at + 1).map(({ type }) => type);
  return (
    SORTS.has(callee?.property?.name) &&
    between.includes('ConditionalExpression') &&
    between.every((type) => SIGN_AROUND.has(type))
  );
}

/** Whether a text is a name that something depends on, and no prose, module or message. */
function isWord(node, parents) {
  const parent = parents.at(-1);
  if (/\s|^$/.test(node.value) || parent.type.startsWith('Import') || parent.type.startsWith('Export')) return false;
  const isKey = parent.type === 'Property' && parent.key === node;
  const isComputed = parent.type === 'MemberExpression';
  // `a === 'b' && c` without its left side says the same as a name that is never met.
  const around = parents.at(-2);
  const isCompared =
    parent.operator in COMPARISON && (around.type === 'LogicalExpression' || isWholeTest(parent, [around]));
  const isMessage = parents.some(
    ({ type, callee }) =>
      type === 'ThrowStatement' ||
      (type === 'CallExpression' && (callee.property?.name === 'describe' || callee.name === 'Symbol')) ||
      // The word of an issue is for the compiler: zod refuses the value by any.
      (type === 'CallExpression' && callee.property?.name === 'addIssue' && parent.key?.name === 'code'),
  );
  return !isMessage && !isKey && !isComputed && !isCompared && parent.type !== 'ExpressionStatement';
}

function patternEdits(node) {
  const { pattern, flags } = node.regex;
  const candidates = [
    ...[...flags].filter((flag) => !'uvy'.includes(flag)).map((flag) => [pattern, flags.replace(flag, '')]),
    [pattern.replace(/^\^/, ''), flags],
    [pattern.replace(/\$$/, ''), flags],
    [pattern.replace('[^', '['), flags],
    [pattern.replace(/\+(?![^[]*\])/, '*'), flags],
    [pattern.replace(/(?<!\\)\*(?![^[]*\])/, '+'), flags],
    [pattern.replace(/\{(\d+)/, (_all, count) => `{${Number(count) + 1}`), flags],
    [pattern.replace(/,(\d+)\}/, (_all, count) => `,${Number(count) + 1}}`), flags],
    // The first and the last member of a class.
    [pattern.replace(/(\[\^?)(\\.|[^\]\\])(?!-|\])/, '$1'), flags],
    [pattern.replace(/([^\\[\-^])\]/, ']'), flags],
    ...alternatives(pattern).map((fewer) => [fewer, flags]),
  ];
  const texts = candidates
    .filter(([changed, of]) => changed !== '' && (changed !== pattern || of !== flags) && compiles(changed, of))
    .map(([changed, of]) => `/${changed}/${of}`);
  return [...new Set(texts)].map((text) => edit('pattern', node, text));
}

/** A pattern that is a list of alternatives, without each of them. */
function alternatives(pattern) {
  const group = /\((?:\?:)?([^()[\]]*\|[^()[\]]*)\)/.exec(pattern);
  if (group === null) return [];
  const names = group[1].split('|');
  return names.map((name) => pattern.replace(group[1], () => names.filter((other) => other !== name).join('|')));
}

function compiles(pattern, flags) {
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

function elementEdits({ elements }, source) {
  return elements.flatMap((element, place) => {
    if (element === null) return [];
    const next = elements[place + 1];
    // With the comma after it, or the last one with the comma before it.
    const start = next || place === 0 ? element.start : elements[place - 1].end;
    const end = next ? next.start : element.end;
    return source.slice(start, end).trim() === '' ? [] : [{ start, end, text: '', operator: 'element left out' }];
  });
}

function callEdits(node, source) {
  const { callee } = node;
  if (callee.type !== 'MemberExpression' || callee.computed || node.optional) return [];
  const { name } = callee.property;
  const others = callee.object.name === 'Math' ? MATH : OTHER_METHOD;
  if (Object.hasOwn(others, name)) return [edit(name, callee.property, others[name])];
  return LEFT_OUT.has(name) ? [edit(`${name} left out`, node, textOf(callee.object, source))] : [];
}
