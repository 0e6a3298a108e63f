/** A context of `node:vm` has no AbortSignal, and no lease is taken in it. */
const prototype: object = globalThis.AbortSignal?.prototype ?? {}

const aborted = Object.getOwnPropertyDescriptor(prototype, 'aborted')?.get as () => boolean

/**
 * An `AbortSignal` that looks at the clock whenever it is asked.
 *
 * A timer alone would be late in a process that was stopped or busy: whatever runs first when it goes on would still read
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
