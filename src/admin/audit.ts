/**
 * The line that every change through the admin port leaves in the log: whose token, from where, what was done to which key, policy or address list. Never a
 * token or a secret, nor the value of any field.
 */
import type { Log } from '../observability/log.ts';
import type { Call } from './operation.ts';

export interface AuditedChange {
  readonly keyId?: string;
  /** Its name. */
  readonly policy?: string;
  readonly list?: string;
  /** Names of the fields that changed. */
  readonly fields?: readonly string[];
  readonly secretId?: string | undefined;
}

export type Audit = (call: Pick<Call, 'caller' | 'address'>, action: string, change?: AuditedChange) => void;

export const createAudit =
  (log: Pick<Log, 'info'>): Audit =>
  ({ caller, address }, action, { keyId, policy, list, fields, secretId } = {}) =>
    log.info('audit', {
      action,
      who: caller.token.id,
      session: caller.session?.name,
      address,
      keyId,
      policy,
      list,
      fields,
      secretId,
    });
