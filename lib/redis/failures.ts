import { constants } from 'node:os'

import { IpcError } from '../errors.js'

/**
 * Replies of a Redis that is there and will do it later: it loads its data, is busy with a script, has lost its master,
 * moves a slot, or cannot write now. Every other reply that is an error stays one however often it is asked for.
 */
const PASSING = /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS)\b/

/** Is it of no use to try again? A connection that fails is always worth another try. */
export function isFinal(error: unknown): boolean {
  if (error instanceof IpcError) return error.code !== 'ERR_UNAVAILABLE'
  // ioredis calls what Redis itself answered a ReplyError; whose class it is depends on the copy that is installed.
  return error instanceof Error && error.name === 'ReplyError' && !PASSING.test(error.message)
}

/** What Redis refused, or why it did not answer, as an error of this package. */
export function asIpcError(label: string, error: unknown): IpcError {
  if (error instanceof IpcError) return error
  return isFinal(error)
    ? new IpcError('ERR_REFUSED', `Redis refused what ${label} asked for: ${messageOf(error)}`, {
        cause: error,
      })
    : unavailable(label, messageOf(error), error)
}

/** Redis cannot be reached, or may not be asked yet. */
export function unavailable(label: string, why: string, cause?: unknown): IpcError {
  return new IpcError('ERR_UNAVAILABLE', `Redis is not available for ${label}: ${why}`, { cause })
}

/** A wait's time is over; `trouble` is what kept Redis from answering meanwhile. */
export function timedOut(label: string, trouble: unknown): IpcError {
  return new IpcError('ETIMEDOUT', `no permit of ${label} came in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: trouble === undefined ? undefined : messageOf(trouble),
    cause: trouble,
  })
}

/** A message also where there is none: an AggregateError of all addresses of a host has only a code. */
function messageOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
