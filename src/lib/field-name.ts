/**
 * When two header field names are one to a backend that reads them through an environment of variables. Judges no name.
 */

/**
 * The name as a CGI, WSGI or PHP backend would read it: one letter case, and one character for all that is neither
 * letter nor digit. Two names that fold to one are one name to such a backend.
 */
export function foldFieldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}
