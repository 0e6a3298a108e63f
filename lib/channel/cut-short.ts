import { RECEIVE_LOCK, SEND_LOCK } from './layout.js'
import type { Ring } from './ring.js'

/**
 * Releases the locks of a handle whose call was cut short: the `timeout` of a `vm` script skips `finally`. A message that
 * was not published is not sent, and a message that was not taken stays.
 */
export function releaseOwn(ring: Ring): void {
  const { words, seat } = ring
  if (Atomics.load(words, SEND_LOCK) === seat.word) ring.unlockSend()
  if (Atomics.load(words, RECEIVE_LOCK) === seat.word) ring.unlockReceive()
}
