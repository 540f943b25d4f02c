/**
 * Takes the credentials out of a URL that is to be shown.
 */

/** Up to the last `@`, because a password that someone forgot to encode may hold `/` and `@`. */
export const withoutCredentials = (text: string): string => text.replace(/\/\/.*@/s, '//***@');
