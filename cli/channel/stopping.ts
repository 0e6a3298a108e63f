const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * A signal that ends os-ipc while it passes on messages. It takes no further message then, passes on those that it has,
 * and ends by the signal. A second signal ends it at once.
 */
export class Stopping {
  /** Aborted by the signal. */
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  /** Resolves at the signal. */
  readonly heard: Promise<undefined>
  #came: NodeJS.Signals | undefined
  readonly #listener: (signal: NodeJS.Signals) => void

  constructor() {
    this.signal = this.#abort.signal
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.heard = promise
    this.#listener = signal => {
      this.#came = signal
      this.#unlisten()
      resolve(undefined)
      this.#abort.abort()
    }
    for (const signal of ENDING) process.on(signal, this.#listener)
  }

  get came(): boolean {
    return this.#came !== undefined
  }

  /** Ends this process by the signal that came, if one came. */
  [Symbol.dispose](): void {
    this.#unlisten()
    if (this.#came !== undefined) process.kill(process.pid, this.#came)
  }

  #unlisten(): void {
    for (const signal of ENDING) process.off(signal, this.#listener)
  }
}
