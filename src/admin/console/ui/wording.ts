/** Findings of the server in the words of the page: fields by the titles that they have here. */
import type { Finding } from '../api/types.ts';
import { FIELDS } from '../keys/fields.ts';

const TITLES: ReadonlyMap<string, string> = new Map(Object.entries(FIELDS).map(([name, { title }]) => [name, title]));

const titled = (message: string): string =>
  message.replaceAll(/`(\w+)`/g, (written, name: string) => TITLES.get(name) ?? written);

/** As a sentence of its own, somewhere on the page. */
export function sentenceOf({ field, message }: Finding): string {
  const [name = ''] = /^\w*/.exec(field) ?? [];
  const title = TITLES.get(name);
  return titled(title === undefined ? message : message.replace(field, title));
}

/** At the field itself, which need not be named again. */
export function atItsField({ field, message }: Finding): string {
  const rest = field !== '' && message.startsWith(`${field} `) ? message.slice(field.length + 1) : message;
  return titled(rest.charAt(0).toUpperCase() + rest.slice(1));
}

/** The title of the field that a finding is about. */
export function titleOf({ field }: Finding): string {
  const [name = ''] = /^\w*/.exec(field) ?? [];
  return TITLES.get(name) ?? OTHER_TITLES.get(name) ?? field;
}

/** Of fields that are in no form of a key. */
const OTHER_TITLES: ReadonlyMap<string, string> = new Map([
  ['id', 'Id'],
  ['name', 'Name'],
  ['type', 'Type'],
  ['entries', 'Addresses'],
  ['file', 'File'],
  ['url', 'URL'],
]);
