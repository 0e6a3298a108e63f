import { wrongType } from '../errors.js'
import { checkSignal } from '../options.js'

/** An AbortSignal of this realm or another: all that is used of one is there. */
export function checkUsableSignal(value: unknown): AbortSignal | undefined {
  const signal = checkSignal(value)
  if (signal === undefined) return undefined
  const isUsable =
    typeof signal.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function'
  if (!isUsable) throw wrongType('signal', 'an AbortSignal', value)
  return signal
}

/** What is told of an abort. */
export interface AbortListener {
  handleEvent(): void
}

/** Stops listening. A signal of other code that throws here must not stop what else there is to do. */
export function unlisten(signal: AbortSignal | undefined, listener: AbortListener): void {
  try {
    signal?.removeEventListener('abort', listener)
  } catch {
    // The listener stays, and does nothing any more.
  }
}

/** Why it aborted; where that cannot be read, the error is the reason. */
export function reasonOf(signal: AbortSignal | undefined): unknown {
  try {
    return signal?.reason
  } catch (error) {
    return error
  }
}
