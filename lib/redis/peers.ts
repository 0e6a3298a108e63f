import { createRequire } from 'node:module'

import { IpcError } from '../errors.js'

// A bundle of CommonJS has no URL, but a file name.
const require = createRequire(import.meta.url ?? __filename)

/** The packages that users install themselves, and only those who need this. */
const INSTALL = 'npm install redis-semaphore@5 ioredis@6'

/** Loads a peer, or says how to get it. A static import could not: its failure comes before any code of ours. */
function peer<T>(name: string): T {
  try {
    return require(name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isMissing = code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)
    if (!isMissing && process.versions.pnp === undefined) throw error
    throw new IpcError('ERR_MISSING_PEER', `os-ipc/redis needs the package ${name}: ${INSTALL}`, {
      hint: INSTALL,
      cause: error,
    })
  }
}

export const { Semaphore: LibrarySemaphore } = peer<typeof import('redis-semaphore')>('redis-semaphore')
export const { Redis } = peer<typeof import('ioredis')>('ioredis')
