import t from 'tap';
import { closePlainName, compileMember, type MemberMatch } from '../../src/event-filter/member.ts';
import { INVALID, skipString } from '../../src/event-filter/scan.ts';

/** How the member judges a name token, as whoever walks an object asks it. */
function match(member: string, token: string): MemberMatch {
  const bytes = Buffer.from(`{${token}:1}`);
  const compiled = compileMember(member);
  const close = closePlainName(bytes, 2);
  return close === INVALID
    ? compiled.matchOdd(bytes, 2, skipString(bytes, 2) - 1)
    : compiled.matchPlain(bytes, 2, close);
}

void t.test('the name itself, in whatever escapes', async (t) => {
  t.equal(match('name', '"name"'), 'exact');
  t.equal(match('name', '"n\\u0061me"'), 'exact');
  t.equal(match('name', '"\\u006E\\u0061\\u006d\\u0065"'), 'exact');
  t.equal(match('straße', '"straße"'), 'exact');
  t.equal(match('straße', '"stra\\u00DFe"'), 'exact');
  t.equal(match('\u212aey', '"\u212aey"'), 'exact');
  t.equal(match('a/b', '"a\\/b"'), 'exact');
});

void t.test('another name that some parser takes for it', async (t) => {
  for (const token of [
    '"Name"',
    '"NAME"',
    '"N\\u0061me"',
    '"\\u004eame"',
    '" name"',
    '"name "',
    '"name\\u0000"',
    '"name\\u0000x"',
  ])
    t.equal(match('name', token), 'variant', token);
  for (const token of [
    '"na\\u0000me"',
    '"na\\ud800me"',
    '"na\ufffdme"',
    '"\\ufeffname"',
    '"name\x7f"',
    '"name\\t"',
    '"NAME\\u0000\\u0000a"',
  ])
    t.equal(match('name', token), 'variant', token);
  t.equal(match('straße', '"STRASSE"'), 'variant');
  t.equal(match('strasse', '"straße"'), 'variant');
  t.equal(match('\u212aey', '"key"'), 'variant');
  t.equal(match('key', '"\u212aey"'), 'variant');
  t.equal(match('é', '"e\u0301"'), 'variant');
});

void t.test('other names', async (t) => {
  for (const token of [
    '""',
    '"nam"',
    '"names"',
    '"n me"',
    '"nane"',
    '"n\\u0062me"',
    '"nаme"',
    '"x\\u0000name"',
    '"\\"name\\""',
    '"頁面"',
  ])
    t.equal(match('name', token), 'none', token);
  t.equal(match('頁面', '"page"'), 'none');
  t.equal(match('頁面', '"abcdef"'), 'none', 'of as many bytes');
});

void t.test('the prototype is told apart', async (t) => {
  t.equal(match('name', '"__proto__"'), 'prototype');
  t.equal(match('name', '"\\u005f_proto__"'), 'prototype');
  t.equal(match('name', '"__PROTO__"'), 'none');
  for (const longer of ['"__proto__x"', '"__proto__ x"', '"\\u005f_proto__x"', '"__proto_"'])
    t.equal(match('name', longer), 'none', longer);
  t.equal(match('undefined', '"\u4e00"'), 'none', 'a character of no folding');
  t.equal(match('__proto__', '"__proto__"'), 'exact');
});
