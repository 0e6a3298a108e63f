import { constants } from 'node:os'

import { IpcError } from '../errors.js'

/** An error that the server sent: `code` is an SQLSTATE. */
interface ServerError extends Error {
  readonly code: string
  readonly severity: string
  readonly hint?: string
}

/**
 * SQLSTATEs of a server that may answer later: it is not connected (08), has no room for another connection (53300), shuts
 * down or starts (57P), has ended this session (57P05), is a replica (25006), or failed for a moment (40001, 58).
 */
const PASSING = /^(08|53300|57P|57014|25006|40001|58|XX)/

/** Failures of TLS and of passwords, which pg itself detects. Another try fails in the same way. */
const FINAL_MESSAGE = /\b(SSL|SASL|TLS|certificate|self[- ]signed|password)\b/i

export function isServerError(error: unknown): error is ServerError {
  const { code, severity } = error as Partial<ServerError>
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && typeof severity === 'string'
}

/** Whether the session is over: the server reported it, or the connection failed. */
export function endsSession(error: unknown): boolean {
  if (error instanceof IpcError) return false
  return !isServerError(error) || error.severity === 'FATAL' || error.severity === 'PANIC'
}

/** Whether another try cannot succeed. */
export function isFinal(error: unknown): boolean {
  if (error instanceof IpcError) return error.code !== 'ERR_UNAVAILABLE'
  if (isServerError(error)) return !PASSING.test(error.code)
  return FINAL_MESSAGE.test(messageOf(error))
}

/** Converts a refusal of the server, or the cause of a missing answer, into an error of this package. */
export function asIpcError(error: unknown): IpcError {
  if (error instanceof IpcError) return error
  if (!isFinal(error)) return unavailable(messageOf(error), error)
  const hint = isServerError(error) ? error.hint : undefined
  return new IpcError('ERR_REFUSED', `PostgreSQL refused: ${messageOf(error)}`, { hint, cause: error })
}

/** The server cannot be reached, or cannot be used yet. */
export function unavailable(why: string, cause?: unknown): IpcError {
  return new IpcError('ERR_UNAVAILABLE', `PostgreSQL is not available: ${why}`, { cause })
}

/** The error of a request that timed out; `trouble` is the error of the server meanwhile. */
export function timedOut(name: string, trouble: unknown): IpcError {
  return new IpcError('ETIMEDOUT', `the lock '${name}' was not granted in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: trouble === undefined ? undefined : messageOf(trouble),
    cause: trouble,
  })
}

export function closed(): IpcError {
  return new IpcError('ERR_CLOSED', 'this PostgresLocks object is closed')
}

/** The session that held a lock is gone. */
export function lockLost(name: string, why: string, cause: unknown): IpcError {
  return new IpcError('ERR_LOCK_LOST', `the lock '${name}' is lost: ${why}`, {
    hint: 'another process may hold it now: stop the work that it protects, and request it again',
    cause,
  })
}

/** The error of a deadlock: `names` is the circle of locks; the holder of each waits for the next. */
export function deadlock(names: readonly string[], cause?: unknown): IpcError {
  const circle = [...names, names[0]].map(name => `'${name}'`).join(' -> ')
  return new IpcError('EDEADLK', `a deadlock: each holder waits for the next lock of ${circle}`, {
    errno: -constants.errno.EDEADLK,
    hint: 'request these locks in the same order everywhere, or one lock for all of them',
    cause,
  })
}

export function nameCollision(ours: string, theirs: string): IpcError {
  return new IpcError(
    'ERR_NAME_COLLISION',
    `the locks '${ours}' and '${theirs}' have the same key on the server: rename one of them`,
  )
}

/** The message of an error. An AggregateError of all addresses of a host has no message, only a code. */
export function messageOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
