import { checkOptions, checkSignal, checkTimeout } from '../options.js'

/** When to give up waiting. */
export interface WaitOptions {
  /** Milliseconds, finite and at least 0; without it a wait has no end. */
  timeout?: number | undefined
  /** Ends the wait; its promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** When to give up blocking. */
export interface WaitSyncOptions {
  /** Milliseconds, finite and at least 0; without it the call has no end. */
  timeout?: number | undefined
}

/** What ends a wait besides its unit. */
export interface WaitLimits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

const FOR_EVER: WaitLimits = { timeout: undefined, signal: undefined }

/** What ends a wait, checked. */
export function waitLimits(options: WaitOptions | undefined): WaitLimits {
  if (options === undefined) return FOR_EVER
  const { timeout, signal } = checkOptions(options)
  return { timeout: checkTimeout(timeout), signal: checkSignal(signal) }
}
