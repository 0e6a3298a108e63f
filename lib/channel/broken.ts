import { IpcError } from '../errors.js'
import { CORRUPT, REMOVED } from './layout.js'

/** The error of a channel that cannot be used any more. */
export function corruptError(name: string, what: string): IpcError {
  return new IpcError('ERR_CORRUPT', `the channel '${name}' is corrupt: ${what}`, {
    hint: 'a process wrote to its memory against the rules of docs/interop.md: unlink the channel and create it again',
  })
}

/** The error of a send or receive that the state does not allow; `whole` tells whether the magic number is there. */
export function stateErrorOf(name: string, state: number, whole: boolean): IpcError {
  if (!whole) return corruptError(name, 'a process cut or cleared its memory')
  if (state & CORRUPT) return corruptError(name, 'a process found invalid data in it')
  if (state & REMOVED) {
    return new IpcError('EIDRM', `the channel '${name}' was removed`, {
      hint: 'another process removed it: open or create it again',
    })
  }
  return new IpcError('ERR_ENDED', `the channel '${name}' has ended`, {
    hint: 'a process called end(): no message can be sent any more, and the sent messages can be received',
  })
}
