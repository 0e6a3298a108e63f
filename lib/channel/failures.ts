import { IpcError } from '../errors.js'

/** The error of one of the objects, as an error of the channel. */
export function ofChannel(name: string, what: string, error: Error): Error {
  if (!(error instanceof IpcError)) return error
  const { code, errno, syscall, hint, uid, mode, limit } = error
  const message = `cannot ${what} the channel '${name}': ${error.message}`
  return new IpcError(code, message, { errno, syscall, hint, uid, mode, limit, cause: error })
}

/** What `open` returns; `undefined` if the object does not exist, or does not exist any more. */
export function unlessGone<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

function isGone(error: unknown): boolean {
  return error instanceof IpcError && (error.code === 'ENOENT' || error.code === 'EIDRM')
}
