/** A listener of an abort. */
export interface AbortListener {
  handleEvent(): void
}

/** Stops listening. A foreign signal that throws here must not stop the rest of the work. */
export function unlisten(signal: AbortSignal | undefined, listener: AbortListener): void {
  try {
    signal?.removeEventListener('abort', listener)
  } catch {
    // The listener stays, and does nothing from now on.
  }
}

/** The reason of the abort; where it cannot be read, the error of reading it. */
export function reasonOf(signal: AbortSignal | undefined): unknown {
  try {
    return signal?.reason
  } catch (error) {
    return error
  }
}

/** Throws the reason of the abort, if the signal is aborted. */
export function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal)
}
