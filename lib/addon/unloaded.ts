import type { Native } from './native.js'

/** The calls that the package makes by itself, when it is loaded and when the process exits. */
const QUIET: Readonly<Record<PropertyKey, () => unknown>> = {
  onFirstThread: () => false,
  externalBuffersAllowed: () => false,
  start: () => ({ session: 0, poolPatience: 0 }),
  listenForExit: () => true,
  beforeExit: () => undefined,
}

/** Takes the place of an addon that did not load: each call by a program throws the error that `errorOf` returns. */
export function unloaded(errorOf: () => Error): Native {
  const refuse = (): never => {
    throw errorOf()
  }
  return new Proxy({} as Native, { get: (_, name) => QUIET[name] ?? refuse })
}
