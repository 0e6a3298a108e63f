/** The options of Node that allow a call that its permission model refuses, with the verb for the call. */
const PERMISSIONS: Readonly<Record<string, readonly [option: string, verb: string]>> = {
  FileSystemRead: ['--allow-fs-read', 'read'],
  FileSystemWrite: ['--allow-fs-write', 'write'],
  ChildProcess: ['--allow-child-process', 'start a process'],
  WorkerThreads: ['--allow-worker', 'start a thread'],
}

/** The file that Node's permission model refused in this error or its cause, and the option that allows it. */
export function accessDenied(error: unknown): { cause: string; cure: string } | undefined {
  for (let next = error, depth = 0; next instanceof Error && depth < 10; next = next.cause, depth++) {
    const { code, permission = '', resource = '' } = next as Denial
    const [option, verb] = PERMISSIONS[permission] ?? []
    if (code !== 'ERR_ACCESS_DENIED' || option === undefined) continue
    const file = permission.startsWith('FileSystem') && resource !== '' ? resource : undefined
    return {
      cause: `Node's permission model (--permission) does not let os-ipc ${verb}${file === undefined ? '' : ` ${file}`}`,
      cure: `${option}${file === undefined ? '' : `=${file}`} allows it`,
    }
  }
  return undefined
}

interface Denial {
  readonly code?: string
  readonly permission?: string
  readonly resource?: string
}
