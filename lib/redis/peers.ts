import { IpcError } from '../errors.js'
import { requireByName } from '../require.js'

/** The packages that users install themselves, and only those who need this. */
const INSTALL = 'npm install redis-semaphore@5 ioredis@6'

/**
 * Loads a peer, or throws how to get it. A static import could not: its failure comes before any code of ours.
 *
 * @param load - Requires it by a literal name: bundlers take it in, and a test framework can put another one in its place.
 */
function peer<T>(name: string, load: () => T): T {
  try {
    return load()
  } catch (error) {
    try {
      return requireByName(name) as T
    } catch {
      throw isMissing(name, error) ? missing(name, error) : error
    }
  }
}

function isMissing(name: string, error: unknown): boolean {
  if (process.versions.pnp !== undefined) return true
  const { code, message } = error as NodeJS.ErrnoException
  // esbuild puts a function that throws this into a bundle of ES modules.
  const notFound = code === 'MODULE_NOT_FOUND' || message.startsWith('Dynamic require of ')
  return notFound && (message.includes(`'${name}'`) || message.includes(`"${name}"`))
}

function missing(name: string, cause: unknown): IpcError {
  return new IpcError('ERR_MISSING_PEER', `os-ipc/redis needs the package ${name}: ${INSTALL}`, { hint: INSTALL, cause })
}

export const { Semaphore: LibrarySemaphore } = peer<typeof import('redis-semaphore')>('redis-semaphore', () =>
  require('redis-semaphore'),
)
export const { Redis } = peer<typeof import('ioredis')>('ioredis', () => require('ioredis'))
