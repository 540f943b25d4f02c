/** What is offered of very many keys: a browser takes most of a second to draw a list of ten thousand. */

const MOST_CHOSEN = 500;
const OFFERED = 20;

/** Whether there are too many to choose from. */
export const isTyped = (ids: readonly string[]): boolean => ids.length > MOST_CHOSEN;

/** Some that hold what is typed, those that begin with it first. */
export function matching(ids: readonly string[], typed: string): readonly string[] {
  const text = typed.trim().toLowerCase();
  const begin: string[] = [];
  const hold: string[] = [];
  for (const id of ids) {
    if (id.startsWith(text)) begin.push(id);
    else if (hold.length < OFFERED && id.includes(text)) hold.push(id);
    if (begin.length >= OFFERED) break;
  }
  return [...begin, ...hold].slice(0, OFFERED);
}
