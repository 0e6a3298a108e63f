import { IpcError, wrongType, wrongValue } from '../errors.js'

/** What limits are made of: `'sysv'` is semop(2) with undo. */
export type LimitEngine = 'sysv'

/** The engine that was asked for, or the one of this host. */
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
