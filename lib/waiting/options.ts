import { checkOptions, checkSignal, checkTimeout } from '../options.js'

/** The options that end a wait. */
export interface WaitOptions {
  /** Milliseconds, finite and at least 0; without it a wait has no end. */
  timeout?: number | undefined
  /** Ends the wait; its promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** The option that ends a blocking call. */
export interface WaitSyncOptions {
  /** Milliseconds, finite and at least 0; without it the call has no end. */
  timeout?: number | undefined
}

/** The checked options that end a wait. */
export interface WaitLimits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

const FOR_EVER: WaitLimits = { timeout: undefined, signal: undefined }

/** Checks the options that end a wait. */
export function waitLimits(options: WaitOptions | undefined): WaitLimits {
  if (options === undefined) return FOR_EVER
  const { timeout, signal } = checkOptions(options)
  return { timeout: checkTimeout(timeout), signal: checkSignal(signal) }
}
