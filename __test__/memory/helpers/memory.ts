import type { ExecutionContext } from 'ava'

import { uniqueKey, uniqueName } from '../../shared/names.ts'

const named = (t: ExecutionContext): string | number => uniqueName(t)
const keyed = (t: ExecutionContext): string | number => uniqueKey(t)

/** The kinds of shared memory of this platform, and a unique id of each that is removed with its test. */
export const kinds: readonly {
  kind: 'posix' | 'sysv' | 'windows'
  uniqueId: (t: ExecutionContext) => string | number
}[] =
  process.platform === 'win32'
    ? [{ kind: 'windows', uniqueId: named }]
    : [
        { kind: 'posix', uniqueId: named },
        { kind: 'sysv', uniqueId: keyed },
      ]
