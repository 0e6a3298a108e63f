import { IpcError } from '../errors.js'
import { requireByName } from '../require.js'

/** The command that installs the peers. Only users of `os-ipc/redis` need them. */
const INSTALL = 'npm install redis-semaphore@5 ioredis@6'

// The names are literals, so that bundlers include the peers and test frameworks can replace them. Each call is in a `try`: a
// bundler then accepts that the peer is not installed. A static import could not throw an error of this package.

function librarySemaphore(): typeof import('redis-semaphore') {
  try {
    return require('redis-semaphore')
  } catch (error) {
    return besideTheBundle('redis-semaphore', error)
  }
}

function ioredis(): typeof import('ioredis') {
  try {
    return require('ioredis')
  } catch (error) {
    return besideTheBundle('ioredis', error)
  }
}

/** Loads the peer where a bundle does not contain it; throws an error with the command that installs it. */
function besideTheBundle<T>(name: string, error: unknown): T {
  try {
    return requireByName(name) as T
  } catch {
    throw isMissing(name, error) ? missing(name, error) : error
  }
}

function isMissing(name: string, error: unknown): boolean {
  if (process.versions.pnp !== undefined) return true
  const { code, message } = error as NodeJS.ErrnoException
  // esbuild puts a function that throws this error into a bundle of ES modules.
  const notFound = code === 'MODULE_NOT_FOUND' || message.startsWith('Dynamic require of ')
  return notFound && (message.includes(`'${name}'`) || message.includes(`"${name}"`))
}

function missing(name: string, cause: unknown): IpcError {
  return new IpcError('ERR_MISSING_PEER', `os-ipc/redis needs the package ${name}: ${INSTALL}`, {
    hint: INSTALL,
    cause,
  })
}

export const { Semaphore: LibrarySemaphore } = librarySemaphore()
export const { Redis } = ioredis()
