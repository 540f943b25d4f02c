/**
 * The line that every change through the admin port leaves in the log: who, from where, what was done to which key. Never a
 * secret, nor the value of any field.
 */
import type { Log } from '../observability/log.ts';
import type { Call } from './operation.ts';

export interface AuditedChange {
  readonly keyId?: string;
  /** Names of the fields that changed. */
  readonly fields?: readonly string[];
  readonly secretId?: string | undefined;
}

export type Audit = (call: Pick<Call, 'caller' | 'address'>, action: string, change?: AuditedChange) => void;

export const createAudit =
  (log: Pick<Log, 'info'>): Audit =>
  ({ caller, address }, action, { keyId, fields, secretId } = {}) =>
    log.info('audit', {
      action,
      who: caller.who,
      session: caller.who === 'session' ? caller.session : undefined,
      address,
      keyId,
      fields,
      secretId,
    });
