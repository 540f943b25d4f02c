/**
 * The bodies and the keys of the scenarios. Always the same bytes: two runs load the same.
 */

/** What the limited key may send; 20 names. */
export const ALLOWED_EVENTS: readonly string[] = [
  'page_view',
  'login',
  'logout',
  'signup',
  'email_verified',
  'search',
  'product_viewed',
  'added_to_cart',
  'removed_from_cart',
  'checkout_started',
  'payment_added',
  'order_completed',
  'order_cancelled',
  'refund_asked',
  'coupon_applied',
  'review_written',
  'newsletter_joined',
  'video_played',
  'file_downloaded',
  'session_ended',
];

/** Eight addresses, of which the last is the load's. */
export const ADDRESSES: readonly string[] = [
  '203.0.113.7',
  '203.0.113.64/26',
  '198.51.100.0/24',
  '192.0.2.15',
  '192.0.2.128/25',
  '2001:db8:1::/48',
  '2001:db8:2::17',
  '127.0.0.1',
];

/** Eight addresses, none of them the load's. */
export const OTHER_ADDRESSES: readonly string[] = [...ADDRESSES.slice(0, -1), '203.0.113.8'];

export interface BatchOptions {
  readonly events: number;
  readonly bytes: number;
  /** Every so manieth event has a name that is not allowed. */
  readonly disallowEvery?: number;
}

/** A batch as the browser SDK sends it, of about `bytes` bytes. */
export function batch({ events, bytes, disallowEvery = Infinity }: BatchOptions): string {
  const bare = JSON.stringify({
    events: Array.from({ length: events }, (_, i) => event(i, name(i, disallowEvery), '')),
  });
  const room = Math.max(0, Math.floor((bytes - bare.length) / events));
  return JSON.stringify({
    events: Array.from({ length: events }, (_, i) => event(i, name(i, disallowEvery), 'x'.repeat(room))),
  });
}

function name(index: number, disallowEvery: number): string {
  const allowed = ALLOWED_EVENTS[index % ALLOWED_EVENTS.length] ?? '';
  return (index + 1) % disallowEvery === 0 ? `internal_${allowed}` : allowed;
}

function event(index: number, eventName: string, padding: string): object {
  return {
    timestamp: 1_690_111_645_853 + index,
    userId: `u${1000 + index}`,
    anonymousId: null,
    sessionId: 's-42',
    name: eventName,
    properties: { path: '/shop/shoes', price: 12.5, note: padding },
    deviceData: null,
  };
}
