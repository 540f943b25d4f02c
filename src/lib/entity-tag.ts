/**
 * Compares entity tags that clients send back with one that was made here (RFC 9110 8.8.3). Makes none.
 */

/**
 * A proxy that compresses marks the tag of what it sends: nginx, HAProxy and Envoy make it weak; Apache, Caddy and Jetty write the
 * coding at its end. Clients know no other tag than the marked one.
 */
const MARKED = /^(?:W\/)?("[^"]*?)(?:--?(?:gzip|deflate|br|zstd))?"$/;

/**
 * Whether a condition (`If-Match`, `If-None-Match`) names this tag, or is `*`. Ignores the marks of a proxy, so it is only for
 * tags that stand for the content itself and not for the bytes in which it was sent.
 */
export const namesTag = (condition: string, tag: string): boolean =>
  condition.trim() === '*' ||
  condition.split(',').some((candidate) => {
    const opaque = MARKED.exec(candidate.trim())?.[1];
    return opaque !== undefined && `${opaque}"` === tag;
  });
