/**
 * The Redis library, loaded when the first client is made: most sidecars have no Redis, and the library is a tenth of what a start
 * costs. Makes no client itself.
 */
import { createRequire } from 'node:module';
import type * as Library from 'ioredis';

const require = createRequire(import.meta.url);
let loaded: typeof Library | null = null;

/** The same each time. */
export const redisLibrary = (): typeof Library => (loaded ??= require('ioredis') as typeof Library);
