import { IpcError } from '../errors.js'
import { requireByName } from '../require.js'

/** The command that installs the package pg. Only users of `os-ipc/postgres` need it. */
const INSTALL = 'npm install pg@8'

// The name is a literal, so that bundlers include the peer and test frameworks can replace it. The call is in a `try`: a
// bundler then accepts that the peer is not installed. A static import could not throw an error of this package.

function load(): typeof import('pg') {
  try {
    return require('pg')
  } catch (error) {
    return besideTheBundle(error)
  }
}

/** Loads the peer where a bundle does not contain it; throws an error with the command that installs it. */
function besideTheBundle(error: unknown): typeof import('pg') {
  try {
    return requireByName('pg') as typeof import('pg')
  } catch {
    throw isMissing(error) ? missing(error) : error
  }
}

function isMissing(error: unknown): boolean {
  if (process.versions.pnp !== undefined) return true
  const { code, message } = error as NodeJS.ErrnoException
  // esbuild puts a function that throws this error into a bundle of ES modules.
  const notFound = code === 'MODULE_NOT_FOUND' || message.startsWith('Dynamic require of ')
  return notFound && (message.includes("'pg'") || message.includes('"pg"'))
}

function missing(cause: unknown): IpcError {
  return new IpcError('ERR_MISSING_PEER', `os-ipc/postgres needs the package pg: ${INSTALL}`, {
    hint: INSTALL,
    cause,
  })
}

export const { Client } = load()
