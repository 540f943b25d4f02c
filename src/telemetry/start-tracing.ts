/**
 * The switch of traces. OpenTelemetry's packages are loaded only when the environment asks for traces, and what goes wrong with
 * them stops no start.
 */
import type { Log } from '../observability/log.ts';
import { readSettings, type Environment } from './settings.ts';
import type { Tracing } from './tracing.ts';

export interface TracingOptions {
  readonly env: Environment;
  readonly version: string;
  readonly log: Log;
}

/** null: nobody asks for traces, or they cannot be exported, which is logged. Never rejects. */
export async function startTracing({ env, version, log }: TracingOptions): Promise<Tracing | null> {
  const read = readSettings(env);
  if (read.kind === 'off') return null;
  if (read.kind === 'unusable') {
    log.warn('tracing_off', { detail: read.why });
    return null;
  }
  for (const variable of read.ignored)
    log.warn('tracing_setting_ignored', { variable, detail: 'its value cannot be used, and the default holds' });
  try {
    const { createTracing } = await import('./spans.ts');
    const tracing = await createTracing({ settings: read.settings, env, version, log });
    log.info('tracing_on', { detail: `spans are exported by ${read.settings.protocol}` });
    return tracing;
  } catch (error) {
    log.warn('tracing_off', { detail: error as Error });
    return null;
  }
}
