import { wrongType, wrongValue } from '../errors.js'

/**
 * The engine of a limit: `'sysv'` is a set of System V semaphores with undo. `'ledger'` is a file (on Windows, a mapping)
 * in which each process writes how many permits it holds.
 */
export type LimitEngine = 'sysv' | 'ledger'

const ENGINES: readonly LimitEngine[] = Object.freeze(['sysv', 'ledger'])

/** The requested engine; `undefined` for that of this host. */
export function checkEngine(value: unknown): LimitEngine | undefined {
  const engine = ENGINES.find(name => name === value)
  if (engine !== undefined || value === undefined) return engine
  const expected = ENGINES.map(name => `'${name}'`).join(' or ')
  if (typeof value !== 'string') throw wrongType('engine', expected, value)
  throw wrongValue(`engine must be ${expected}, received '${value}'`)
}
