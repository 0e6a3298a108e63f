import { createRequire } from 'node:module'

import { IpcError } from '../errors.js'

// A bundle of CommonJS has no URL, but a file name.
const require = createRequire(import.meta.url ?? __filename)

/** The package that users install themselves, and only those who need this. */
const INSTALL = 'npm install pg@8'

/** Loads pg, or throws an error with the command that installs it. A static import fails before any code of ours runs. */
function load(): typeof import('pg') {
  try {
    return require('pg')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isMissing = code === 'MODULE_NOT_FOUND' && message.includes("'pg'")
    if (!isMissing && process.versions.pnp === undefined) throw error
    throw new IpcError('ERR_MISSING_PEER', `os-ipc/postgres needs the package pg: ${INSTALL}`, {
      hint: INSTALL,
      cause: error,
    })
  }
}

export const { Client } = load()
