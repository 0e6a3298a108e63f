import { IpcError, wrongType, wrongValue } from '../errors.js'

/** The engine of a limit: `'sysv'` is semop(2) with undo. */
export type LimitEngine = 'sysv'

/** The requested engine, or the default of this host. */
export function checkEngine(value: unknown): LimitEngine {
  if (value === undefined || value === 'sysv') return 'sysv'
  if (typeof value !== 'string') throw wrongType('engine', "'sysv'", value)
  if (value === 'ledger') {
    throw new IpcError('ERR_NOT_SUPPORTED', "this version of os-ipc has no engine 'ledger'", {
      hint: 'capabilities.limits.engines names those that it has',
    })
  }
  throw wrongValue(`engine must be 'sysv', received '${value}'`)
}
