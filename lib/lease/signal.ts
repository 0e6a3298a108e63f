/** A context of `node:vm` has no AbortSignal, and no code takes a lease in it. */
const prototype: object = globalThis.AbortSignal?.prototype ?? {}

const aborted = Object.getOwnPropertyDescriptor(prototype, 'aborted')?.get as () => boolean

/**
 * An `AbortSignal` that reads the clock at every access.
 *
 * In a process that was stopped or busy, a timer alone would be late: the first code that runs afterwards would still read
 * `aborted: false`. So reading `aborted` or `reason`, and `throwIfAborted()`, first run `check`, which aborts when it is time.
 */
export function leaseSignal(controller: AbortController, check: () => void): AbortSignal {
  const { signal } = controller
  return Object.defineProperties(signal, {
    aborted: {
      get(this: AbortSignal): boolean {
        if (!aborted.call(signal)) check()
        return aborted.call(signal)
      },
    },
    reason: {
      get(): unknown {
        if (!aborted.call(signal)) check()
        return reason.call(signal)
      },
    },
    throwIfAborted: {
      value(): void {
        if (!aborted.call(signal)) check()
        if (aborted.call(signal)) throw reason.call(signal)
      },
    },
  })
}

const reason = Object.getOwnPropertyDescriptor(prototype, 'reason')?.get as () => unknown
