import { constants } from 'node:os'

import { capabilities } from '../addon/capabilities.js'
import { native } from '../addon/native.js'
import { checked, IpcError } from '../errors.js'
import type { MemoryHandle } from '../memory/handle.js'
import type { Owner } from '../options.js'
import { ofChannel, unlessGone } from './failures.js'
import { type Header, isOf } from './header.js'
import { HEADER, REMOVED, STATE, WORD } from './layout.js'
import { isRemoved, openMemory } from './memory.js'
import type { Objects } from './objects.js'
import { openWake, wakesIn } from './wakes.js'

/** Removes the channel of this name, finished or not; false if it does not exist. */
export function unlinkChannel(name: string): boolean {
  const memory = unlessGone(() => openMemory(name, 'any'))
  if (memory === undefined) return false
  try {
    const buffer = memory.buffer()
    if (!isOf(name, buffer)) {
      throw new IpcError(
        'ERR_NAME_COLLISION',
        `the memory of the channel '${name}' belongs to another channel`,
        {
          hint: 'two names have the same hash: use another name',
        },
      )
    }
    removeObjects(name, memory, undefined)
    return true
  } finally {
    memory.close()
  }
}

/** Removes a channel that this process has closed, unless another channel has its name by now. */
export function removeClosed({ name, memory, header, receivers, senders }: Objects): void {
  const current = unlessGone(() => openMemory(name, 'any'))
  if (current !== undefined) {
    try {
      const buffer = current.buffer()
      if (
        buffer.byteLength >= HEADER &&
        new DataView(buffer).getBigUint64(4 * WORD.INSTANCE, true) === header.instance
      ) {
        removeObjects(name, current, header)
      }
    } finally {
      current.close()
    }
  }
  receivers.unlink()
  senders.unlink()
  memory.unlink()
}

/**
 * Removes the semaphores, which wakes all waiters, and the memory last. The removal of the first semaphore shows whether this
 * user may remove the channel: only then the channel is marked as removed.
 */
export function removeObjects(name: string, memory: MemoryHandle, known: Header | undefined): void {
  try {
    const buffer = memory.buffer()
    if (buffer.byteLength >= HEADER) {
      if (wakesIn(name, buffer, known)?.remove('receivers') !== true) checkOwner(memory)
      Atomics.or(new Int32Array(buffer, 0, HEADER / 4), STATE, REMOVED)
      // A creator that is not done yet can have named and made them meanwhile; it looks at the mark at its end.
      const wakes = wakesIn(name, buffer, known)
      wakes?.remove('receivers')
      wakes?.remove('senders')
    }
    memory.unlink()
  } catch (error) {
    throw ofChannel(name, 'remove', error as Error)
  }
}

/** Throws if this user may not remove the memory. */
function checkOwner(memory: MemoryHandle): void {
  const user = process.geteuid?.()
  if (user === undefined || user === 0 || checked(native.memoryInfo(memory.number)).uid === user) return
  throw new IpcError('EPERM', 'the memory belongs to another user', {
    errno: -constants.errno.EPERM,
    hint: "only its owner, the folder's owner and root may remove it",
  })
}

/**
 * Whether a channel without all of its semaphores can be removed: a removal has begun, or the semaphores ended with their last
 * handles. In another IPC namespace both are missing, and other processes use the channel.
 */
export function isBeingRemoved(
  name: string,
  buffer: ArrayBuffer,
  header: Header,
  owner: Owner | undefined,
): boolean {
  if (isRemoved(buffer) || !capabilities.persistent) return true
  const left = unlessGone(() => openWake(name, header, owner, 'senders'))
  left?.close()
  // The mark comes before the removal of the second semaphore.
  return left !== undefined || isRemoved(buffer)
}
