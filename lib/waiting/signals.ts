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
