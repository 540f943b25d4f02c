/**
 * Text from elsewhere as it may stand on a terminal, which obeys control characters.
 */
export const printable = (text: string): string => text.replaceAll(/\p{C}+/gu, ' ');
