import type { Native } from './native.js'

/** What the package calls by itself, when it is loaded and when the process exits. */
const QUIET: Partial<Native> = {
  onFirstThread: () => false,
  externalBuffersAllowed: () => false,
  start: () => {},
  beforeExit: () => {},
}

/** Takes the place of an addon that did not load: each call that a program makes throws what `errorOf` returns. */
export function unloaded(errorOf: () => Error): Native {
  const refuse = (): never => {
    throw errorOf()
  }
  return new Proxy(QUIET as Native, {
    get: (quiet, name) => (quiet as unknown as Record<PropertyKey, unknown>)[name] ?? refuse,
  })
}
