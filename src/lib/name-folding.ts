/**
 * Folds the name of a member or parameter to what it shares with every name that some JSON library treats as the same.
 * It errs on the side of sameness, and never judges: two names are suspect when their folds are equal.
 */

/** What lenient parsers and stores drop or show as nothing: controls, formats, lone surrogates, noncharacters, U+FFFD. */
export const IGNORED = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\uFFFD]/gu;

/**
 * Case folding after the Unicode Standard, section 5.18, in its full form (a sharp s is "ss", U+017F is s, U+212A is k), widened
 * by the dotted and the dotless i, by canonical equivalence (Swift compares strings so), and by outer white space.
 */
export function foldName(name: string): string {
  return fold(name.replace(IGNORED, '').trim());
}

/** At most so many code units fold to one. It is two in fact: for the dotted i, and for what comes from the upper planes. */
const MAX_SHRINKAGE = 4;

/** Whether the name folds to `folded`. */
export const foldsTo = (name: string, folded: string): boolean => foldUpTo(name, folded.length) === folded;

/** As `foldName`; null for a name that is too long to fold to `length` code units: normalising many marks takes squared time. */
export function foldUpTo(name: string, length: number): string | null {
  const visible = name.replace(IGNORED, '').trim();
  return visible.length <= MAX_SHRINKAGE * length ? fold(visible) : null;
}

function fold(visible: string): string {
  // Lower first for the capital sharp s, then upper for what has several lower forms, then lower for the result.
  return visible.normalize('NFD').toLowerCase().toUpperCase().toLowerCase().replaceAll('i\u0307', 'i');
}
