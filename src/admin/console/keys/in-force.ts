/** What pages say where they show the keys in force because what is stored cannot be read. */

/** Why what is shown cannot be changed now. */
export const inForceOnly = (why: string): string =>
  `${why} These are the keys that requests are judged by, without descriptions. They can be changed when the source can be read again.`;
