import { constants } from 'node:os'

import { IpcError } from '../errors.js'

/**
 * Replies of a Redis that may run the command later: it loads its data, is busy with a script, has lost its master, moves
 * a slot, has lost its scripts, or cannot write now. Every other error reply is final: the same command gets it again.
 */
const PASSING =
  /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|REDIRECT|OOM|MISCONF|NOREPLICAS|NOSCRIPT|UNBLOCKED)\b|^(ERR )?(max number of clients|max \+ cluster connections)|script killed/i

/**
 * The form in which Redis 6.2 wraps the reply of a command that a script called:
 * `ERR Error running script (call to f_1a2b): @user_script:12: @user_script: 12: -READONLY You can't write against ...`
 */
const WRAPPED = /^ERR Error running script .*?@user_script: ?\d+: (?:@user_script: ?\d+: )?-?/is

/** The reply of Redis, without the wrapping. */
function replyOf(message: string): string {
  return message.replace(WRAPPED, '')
}

/** Whether another try cannot succeed. A failed connection is always worth another try. */
export function isFinal(error: unknown): boolean {
  if (error instanceof IpcError) return error.code !== 'ERR_UNAVAILABLE'
  return isReply(error) && !PASSING.test(replyOf(error.message))
}

/** Whether it is an error reply of Redis, which ioredis calls a ReplyError. Its class depends on the installed copy. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** Whether Redis reports that this connection leads to a replica. The master may have another address by now. */
export function isReadOnly(error: unknown): boolean {
  return isReply(error) && /^READONLY\b/.test(replyOf(error.message))
}

/** Whether this user has no right to a command, or this server does not have it. */
export function isForbidden(error: unknown): boolean {
  return (
    isReply(error) &&
    /^NOPERM|^ERR unknown command|ACL failure in script|can't run this command|Unknown Redis command/i.test(
      replyOf(error.message),
    )
  )
}

/** Converts a refusal of Redis, or the cause of a missing answer, into an error of this package. */
export function asIpcError(label: string, error: unknown): IpcError {
  if (error instanceof IpcError) return error
  return isFinal(error)
    ? new IpcError('ERR_REFUSED', `Redis refused a call for ${label}: ${messageOf(error)}`, {
        cause: error,
      })
    : unavailable(label, messageOf(error), error)
}

/** Redis cannot be reached, or may not be asked yet. */
export function unavailable(label: string, why: string, cause?: unknown): IpcError {
  return new IpcError('ERR_UNAVAILABLE', `Redis is not available for ${label}: ${why}`, { cause })
}

/** The error of a wait that timed out; `trouble` is the reason why Redis did not answer meanwhile. */
export function timedOut(label: string, trouble: unknown): IpcError {
  return new IpcError('ETIMEDOUT', `no permit of ${label} came in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: trouble === undefined ? undefined : messageOf(trouble),
    cause: trouble,
  })
}

/** The message of an error. An AggregateError of all addresses of a host has no message, only a code. */
export function messageOf(error: unknown): string {
  const { message, code, lastNodeError } = error as NodeJS.ErrnoException & { lastNodeError?: unknown }
  const own = message || code || String(error)
  // For a Cluster, ioredis reports only that all of its nodes failed.
  return lastNodeError instanceof Error ? `${own} (${messageOf(lastNodeError)})` : own
}
