import { native } from '../addon/native.js'
import { type Answer, checked, fromNative } from '../errors.js'
import { type Backend, BACKENDS, type Owner } from '../options.js'
import { SemaphoreHandle } from '../semaphore/handle.js'
import { evaluation } from '../waiting/settling.js'
import { ofChannel, unlessGone } from './failures.js'
import type { Header } from './header.js'
import { WORD } from './layout.js'
import { isRemoved } from './memory.js'
import { wakeNames } from './names.js'

/** The semaphores on which the receivers and the senders of a channel sleep. */
export interface Wakes {
  receivers: SemaphoreHandle
  senders: SemaphoreHandle
}

/** The semaphores of a channel that is not removed; `undefined` if one of them is gone. */
export function wakesUnlessGone(
  name: string,
  buffer: ArrayBuffer,
  header: Header,
  owner: Owner | undefined,
): Wakes | undefined {
  return isRemoved(buffer) ? undefined : unlessGone(() => openWakes(name, header, owner))
}

export function openWake(
  name: string,
  { instance, backend }: Header,
  owner: Owner | undefined,
  side: keyof Wakes,
): SemaphoreHandle {
  const open = (id: string) => native.semaphoreOpen(evaluation.session, id, backend, owner)
  return semaphoreOf(name, wakeNames(name, instance)[side], backend, open)
}

export function openWakes(name: string, header: Header, owner: Owner | undefined): Wakes {
  const receivers = openWake(name, header, owner, 'receivers')
  try {
    return { receivers, senders: openWake(name, header, owner, 'senders') }
  } catch (error) {
    receivers.close()
    throw error
  }
}

export function createWakes(name: string, { instance, backend }: Header, mode: number): Wakes {
  const names = wakeNames(name, instance)
  const create = (id: string) => {
    const opened = native.semaphoreCreate(evaluation.session, id, backend, 0, mode)
    return typeof opened === 'string' ? opened : opened.handle
  }
  const receivers = semaphoreOf(name, names.receivers, backend, create)
  try {
    return { receivers, senders: semaphoreOf(name, names.senders, backend, create) }
  } catch (error) {
    receivers.unlink()
    receivers.close()
    throw error
  }
}

function semaphoreOf(
  name: string,
  id: string,
  backend: Backend,
  open: (id: string) => Answer<number>,
): SemaphoreHandle {
  const number = open(id)
  if (typeof number === 'string') throw ofChannel(name, 'open the semaphores of', fromNative(number))
  return new SemaphoreHandle(number, id, backend)
}

/** The semaphores that the header names, to be removed. */
export function wakesIn(name: string, buffer: ArrayBuffer, known: Header | undefined) {
  const header = new DataView(buffer)
  const instance = known?.instance ?? header.getBigUint64(4 * WORD.INSTANCE, true)
  const backend = known?.backend ?? BACKENDS[header.getInt32(4 * WORD.BACKEND, true) - 1]
  if (backend === undefined || instance === 0n) return undefined
  const names = wakeNames(name, instance)
  return {
    remove: (side: keyof typeof names) => checked(native.semaphoreUnlinkId(names[side], backend)),
  }
}
