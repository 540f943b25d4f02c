/**
 * Where a backend finds another method than the request's own, beside header fields and bodies: in parameters of the query, and in
 * cookies where it takes those for parameters. It finds them and refuses nothing.
 */
import { withoutCookies } from './cookies.ts';
import { compileNamesReader, countReadAs } from './query.ts';

/**
 * The usual one (Rails, Symfony, Laravel, method-override of npm), Salesforce's, that of Plack and Catalyst, and the names of the
 * header fields, which ASP.NET MVC, ServiceStack, Play and Firebase look for in the query as well.
 */
const NAMES = [
  '_method',
  '_httpmethod',
  'x-tunneled-method',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
];

/** PHP's name of a field, in which applications look for it, has underscores. */
const isMethodOverride = compileNamesReader([...NAMES, ...NAMES.map((name) => name.replaceAll('-', '_'))]);

/** Whether some backend would find a method override in the query, which begins with `?`. */
export const overridesMethod = (query: string): boolean => mayHold(query) && countReadAs(query, isMethodOverride) > 0;

/** A `Cookie` value without pairs that some backend takes for a method override; '' when nothing is left. */
export const withoutMethodCookies = (cookie: string): string =>
  mayHold(cookie) ? withoutCookies(cookie, isMethodOverride) : cookie;

/** Without a percent sign nothing is hidden: the word would stand there. */
const mayHold = (text: string): boolean => text.includes('%') || /method/i.test(text);
