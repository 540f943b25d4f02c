/**
 * Whether a version of Node can share a port between processes (SO_REUSEPORT). Opens none.
 */

/** `version` as in `process.versions.node`. The option is documented since 23.1.0. */
export function sharesPorts(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1);
}
