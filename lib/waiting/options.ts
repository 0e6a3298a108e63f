import type { OptionNames } from '../misuse.js'
import { checkOptions, checkSignal, checkTimeout } from '../options.js'

/** The options that end a wait. */
export interface WaitOptions {
  /** Milliseconds, at least 0; without it, or with `Infinity`, a wait has no end. */
  timeout?: number | undefined
  /** Ends the wait; its promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** The option that ends a blocking call. */
export interface WaitSyncOptions {
  /** Milliseconds, at least 0; without it, or with `Infinity`, the call has no end. */
  timeout?: number | undefined
}

/** The checked options that end a wait. */
export interface WaitLimits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

export const WAIT: OptionNames<WaitOptions> = { timeout: true, signal: true }
const WAIT_SYNC: OptionNames<WaitSyncOptions> = { timeout: true }

const FOR_EVER: WaitLimits = { timeout: undefined, signal: undefined }

/** Checks the options that end a wait. `names` are all options of the call, where it has more than these. */
export function waitLimits(
  options: WaitOptions | undefined,
  names: OptionNames<WaitOptions> = WAIT,
): WaitLimits {
  if (options === undefined) return FOR_EVER
  const { timeout, signal } = checkOptions(options, names)
  return { timeout: checkTimeout(timeout), signal: checkSignal(signal) }
}

/** Checks the option that ends a blocking call: milliseconds, or `undefined` without a limit. */
export function waitSyncLimit(options: WaitSyncOptions | undefined): number | undefined {
  return options === undefined ? undefined : checkTimeout(checkOptions(options, WAIT_SYNC).timeout)
}
