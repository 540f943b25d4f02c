/**
 * The JWT library, loaded when there is the first API with access tokens. Reads and signs no token itself.
 */
import type * as Library from 'jose';

export type JwtLibrary = typeof Library;

let loading: Promise<JwtLibrary> | null = null;

/** The same each time. */
export const jwtLibrary = (): Promise<JwtLibrary> => (loading ??= import('jose'));
