import { type Finding, finding } from './finding.js'

/** The features that stop working without each call. */
const SETS = /^sem/

/** The calls of System V IPC that a filter of the container or sandbox refuses, or that the kernel does not have. */
export async function checkSystemV(): Promise<Finding[]> {
  if (process.platform !== 'linux') return []
  const { native } = await import('../../lib/addon/native.js')
  const refused = native.refusedCalls()
  if (typeof refused === 'string') return []
  const sets = refused.filter(({ call }) => SETS.test(call))
  const segments = refused.filter(({ call }) => !SETS.test(call))
  return [
    ...(sets.length === 0
      ? []
      : [
          finding(
            'problem',
            'System V',
            `${named(sets)}: System V semaphores and ls do not work, and locks are files`,
            "allow these calls in the seccomp profile of the container or sandbox, or use POSIX semaphores (--posix, backend: 'posix')",
          ),
        ]),
    ...(segments.length === 0
      ? []
      : [
          finding(
            'warning',
            'System V',
            `${named(segments)}: memory with a key and ls do not work`,
            'allow these calls in the seccomp profile of the container or sandbox, or use POSIX memory (a name)',
          ),
        ]),
  ]
}

/** The number of bytes of a name that fit into a set of this host; `null` where the system has no sets. */
export async function longestRecordedName(): Promise<number | null> {
  const { native } = await import('../../lib/addon/native.js')
  return (native.longestRecordedName() as number | null | undefined) ?? null
}

function named(refused: readonly { call: string; code: string }[]): string {
  const calls = refused.map(({ call, code }) => `${call} (${code})`)
  return `this process may not call ${calls.join(', ')}`
}
