/** The protected APIs, in the order in which they are listed. Loads nothing, so that every part of the program can afford it. */
export const API_NAMES = ['integration', 'metrics'] as const;
export type ApiName = (typeof API_NAMES)[number];
