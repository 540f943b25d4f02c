/**
 * The vendors whose APIs are known by name, so that an operator need not list their routes and where their clients put keys. It
 * holds facts and decides nothing.
 */
import { AMPLITUDE } from './presets/amplitude.ts';
import { MIXPANEL } from './presets/mixpanel.ts';
import { POSTHOG } from './presets/posthog.ts';
import type { Preset } from './presets/preset.ts';
import { RUDDERSTACK } from './presets/rudderstack.ts';
import { SEGMENT } from './presets/segment.ts';
import { USERFLUX } from './presets/userflux.ts';

export const PRESETS = ['userflux', 'segment', 'rudderstack', 'posthog', 'amplitude', 'mixpanel'] as const;
export type PresetName = (typeof PRESETS)[number];

const BY_NAME: Readonly<Record<PresetName, Preset>> = {
  userflux: USERFLUX,
  segment: SEGMENT,
  rudderstack: RUDDERSTACK,
  posthog: POSTHOG,
  amplitude: AMPLITUDE,
  mixpanel: MIXPANEL,
};

export const presetOf = (name: PresetName): Preset => BY_NAME[name];

/** Header fields that any client in a page may send. */
const COMMON_HEADERS: readonly string[] = ['authorization', 'content-type', 'content-encoding', 'x-request-id'];

/** What holds for an API where its operator says nothing else: by its preset, or without one. */
export function defaultsOf(name: PresetName | null): {
  readonly credential: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly allowCredentials: boolean;
} {
  if (name === null) return { credential: ['bearer'], allowedHeaders: COMMON_HEADERS, allowCredentials: false };
  const { credential, headers, sendsCookies } = presetOf(name);
  return {
    credential: ['bearer', ...credential],
    allowedHeaders: [...COMMON_HEADERS, ...headers],
    allowCredentials: sendsCookies,
  };
}
