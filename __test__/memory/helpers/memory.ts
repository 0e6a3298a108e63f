import type { ExecutionContext } from 'ava'

import { uniqueKey, uniqueName } from '../../shared/names.ts'

/** The two kinds of shared memory, and a unique id of each that is removed with its test. */
export const kinds = [
  { kind: 'posix', uniqueId: (t: ExecutionContext): string | number => uniqueName(t) },
  { kind: 'sysv', uniqueId: (t: ExecutionContext): string | number => uniqueKey(t) },
] as const
