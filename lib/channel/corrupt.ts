import { IpcError } from '../errors.js'

/** The error of a channel that cannot be used any more. */
export function corruptError(name: string, what: string): IpcError {
  return new IpcError('ERR_CORRUPT', `the channel '${name}' is corrupt: ${what}`, {
    hint: 'a process wrote to its memory against the rules of docs/interop.md: unlink the channel and create it again',
  })
}
