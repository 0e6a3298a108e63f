import { constants } from 'node:os'

import type { OpenedMemory } from '../../native.cjs'
import { type Answer, checked, fromNative, IpcError } from '../errors.js'
import { capabilities } from '../addon/capabilities.js'
import { native } from '../addon/native.js'
import { MemoryHandle } from '../memory/handle.js'
import { type Backend, BACKENDS, type Owner } from '../options.js'
import { SemaphoreHandle } from '../semaphore/handle.js'
import { evaluation } from '../waiting/settling.js'
import {
  capacityOf,
  mayReplaceCreator,
  startFilling,
  fill,
  finish,
  finished,
  type Header,
  readHeader,
  isOf,
} from './header.js'
import { type Codec, HEADER, REMOVED, STATE, WORD } from './layout.js'
import { memoryName, wakeNames } from './names.js'

/** The choices of a creator. */
export interface Creation {
  capacity: number
  codec: Codec
  mode: number
}

/** The most instances that one creation tries, each with other names of semaphores. */
const INSTANCES = 10

/** The most attempts to open or create a channel that other processes create and remove meanwhile. */
const ATTEMPTS = 1000

/** The objects of an open channel: its memory and two semaphores. */
export class Objects {
  readonly name: string
  readonly memory: MemoryHandle
  readonly buffer: ArrayBuffer
  readonly header: Header
  readonly receivers: SemaphoreHandle
  readonly senders: SemaphoreHandle

  private constructor(name: string, memory: MemoryHandle, header: Header, wakes: Wakes) {
    this.name = name
    this.memory = memory
    this.buffer = memory.buffer(false)
    this.header = header
    this.receivers = wakes.receivers
    this.senders = wakes.senders
  }

  /** Makes a new channel; `EEXIST` if it exists. */
  static create(name: string, creation: Creation): Objects {
    const memory = handleOf(name, 'create', () =>
      native.memoryCreate(evaluation.session, memoryName(name), HEADER + creation.capacity, creation.mode),
    )
    try {
      if (startFilling(memory.buffer(false))) return Objects.#make(name, memory, creation)
    } catch (error) {
      memory.unlink()
      memory.close()
      throw error
    }
    memory.close()
    throw new IpcError(
      'EEXIST',
      `another process finished the channel '${name}' while this one was creating it`,
    )
  }

  /** Opens a channel; `ENOENT` if it does not exist. */
  static open(name: string, owner: Owner | undefined): Objects {
    const memory = openMemory(name, owner)
    try {
      const buffer = memory.buffer(false)
      if (!finished(buffer)) {
        throw new IpcError(
          'ERR_NOT_INITIALISED',
          `the channel '${name}' was not finished within one second`,
          {
            hint: 'its creator died, or is stopped: openOrCreate finishes it',
          },
        )
      }
      const header = readHeader(name, buffer)
      const wakes = wakesUnlessGone(name, buffer, header, owner)
      if (wakes !== undefined) return new Objects(name, memory, header, wakes)
      if (!capabilities.persistent) throw absent(name)
      if (isBeingRemoved(name, buffer, header, owner)) throw removed(name)
      // It throws what is missing.
      return new Objects(name, memory, header, openWakes(name, header, owner))
    } catch (error) {
      memory.close()
      throw error
    }
  }

  /** Opens a channel, or makes it. It finishes a creation or a removal that a dead process began. */
  static openOrCreate(
    name: string,
    creation: Creation,
    owner: Owner | undefined,
  ): { objects: Objects; created: boolean } {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return { objects: Objects.create(name, creation), created: true }
      } catch (error) {
        if (!(error instanceof IpcError && error.code === 'EEXIST')) throw error
      }
      const memory = unlessGone(() => openMemory(name, owner))
      if (memory === undefined) continue
      try {
        const buffer = memory.buffer(false)
        if (!finished(buffer)) {
          if (mayReplaceCreator(buffer)) {
            const capacity = capacityOf(name, buffer)
            // Those of the dead creator: its instance is about to be overwritten.
            const wakes = wakesIn(name, buffer, undefined)
            wakes?.remove('receivers')
            wakes?.remove('senders')
            return { objects: Objects.#make(name, memory, { ...creation, capacity }), created: true }
          }
          memory.close()
          continue
        }
        const header = readHeader(name, buffer)
        const wakes = wakesUnlessGone(name, buffer, header, owner)
        if (wakes !== undefined) return { objects: new Objects(name, memory, header, wakes), created: false }
        if (!isBeingRemoved(name, buffer, header, owner)) throw removed(name)
        removeObjects(name, memory, header)
      } catch (error) {
        memory.close()
        throw error
      }
      memory.close()
    }
    throw new IpcError(
      'ERR_NOT_INITIALISED',
      `the channel '${name}' was created and removed again at each of ${ATTEMPTS} attempts to open it`,
    )
  }

  static #make(name: string, memory: MemoryHandle, { capacity, codec, mode }: Creation): Objects {
    const buffer = memory.buffer(false)
    const backend = capabilities.defaultBackend
    for (let attempt = 1; ; attempt++) {
      const header = fill(name, buffer, { capacity, codec, mode, backend })
      try {
        const wakes = createWakes(name, header, mode)
        finish(buffer)
        const objects = new Objects(name, memory, header, wakes)
        if (isRemoved(buffer)) objects.unlinkWakes()
        return objects
      } catch (error) {
        const isTaken =
          error instanceof IpcError && /^(EEXIST|ERR_NAME_COLLISION|ERR_WRONG_KIND)$/.test(error.code)
        if (!isTaken || attempt === INSTANCES) throw error
      }
    }
  }

  postReceivers(): void {
    // Only a removed or full semaphore fails. In the first case no process sleeps; in the second, enough units wake all
    // of them.
    native.semaphorePost(this.receivers.number, 1)
  }

  postSenders(): void {
    native.semaphorePost(this.senders.number, 1)
  }

  unlinkWakes(): void {
    this.receivers.unlink()
    this.senders.unlink()
  }

  close(): void {
    this.receivers.close()
    this.senders.close()
    this.memory.close()
  }
}

/** Removes the channel of this name, finished or not; false if it does not exist. */
export function unlinkChannel(name: string): boolean {
  const memory = unlessGone(() => openMemory(name, 'any'))
  if (memory === undefined) return false
  try {
    const buffer = memory.buffer(false)
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
      const buffer = current.buffer(false)
      if (buffer.byteLength >= HEADER && new DataView(buffer).getBigUint64(24, true) === header.instance) {
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
    const buffer = memory.buffer(false)
    if (buffer.byteLength >= HEADER) {
      const wakes = wakesIn(name, buffer, known)
      if (wakes?.remove('receivers') !== true) checkOwner(memory)
      Atomics.or(new Int32Array(buffer, 0, HEADER / 4), STATE, REMOVED)
      // A creator that is not done yet can have made the first one meanwhile; it looks at the mark at its end.
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

/** The semaphores that the header names, to be removed. */
function wakesIn(name: string, buffer: ArrayBuffer, known: Header | undefined) {
  const header = new DataView(buffer)
  const instance = known?.instance ?? header.getBigUint64(4 * WORD.INSTANCE, true)
  const backend = known?.backend ?? BACKENDS[header.getInt32(4 * WORD.BACKEND, true) - 1]
  if (backend === undefined || instance === 0n) return undefined
  const names = wakeNames(name, instance)
  return {
    remove: (side: keyof typeof names) => checked(native.semaphoreUnlinkId(names[side], backend)),
  }
}

/**
 * Whether a channel without all of its semaphores can be removed: a removal has begun, or the semaphores ended with their last
 * handles. In another IPC namespace both are missing, and other processes use the channel.
 */
function isBeingRemoved(
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

interface Wakes {
  receivers: SemaphoreHandle
  senders: SemaphoreHandle
}

/** The semaphores of a channel that is not removed; `undefined` if one of them is gone. */
function wakesUnlessGone(
  name: string,
  buffer: ArrayBuffer,
  header: Header,
  owner: Owner | undefined,
): Wakes | undefined {
  return isRemoved(buffer) ? undefined : unlessGone(() => openWakes(name, header, owner))
}

function openWake(
  name: string,
  { instance, backend }: Header,
  owner: Owner | undefined,
  side: keyof Wakes,
): SemaphoreHandle {
  const open = (id: string) => native.semaphoreOpen(evaluation.session, id, backend, owner)
  return semaphoreOf(name, wakeNames(name, instance)[side], backend, open)
}

function openWakes(name: string, header: Header, owner: Owner | undefined): Wakes {
  const receivers = openWake(name, header, owner, 'receivers')
  try {
    return { receivers, senders: openWake(name, header, owner, 'senders') }
  } catch (error) {
    receivers.close()
    throw error
  }
}

function createWakes(name: string, { instance, backend }: Header, mode: number): Wakes {
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

function openMemory(name: string, owner: Owner | undefined): MemoryHandle {
  const open = () => native.memoryOpen(evaluation.session, memoryName(name), false, owner)
  return handleOf(name, 'open', open)
}

function handleOf(name: string, what: string, open: () => Answer<OpenedMemory>): MemoryHandle {
  const opened = open()
  if (typeof opened === 'string') throw ofChannel(name, what, fromNative(opened))
  return new MemoryHandle(opened.handle)
}

/** The error of one of the objects, as an error of the channel. */
function ofChannel(name: string, what: string, error: Error): Error {
  if (!(error instanceof IpcError)) return error
  const { code, errno, syscall, hint, uid, mode, limit } = error
  const message = `cannot ${what} the channel '${name}': ${error.message}`
  return new IpcError(code, message, { errno, syscall, hint, uid, mode, limit, cause: error })
}

function unlessGone<T>(open: () => T): T | undefined {
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

function isRemoved(buffer: ArrayBuffer): boolean {
  return (Atomics.load(new Int32Array(buffer, 0, HEADER / 4), STATE) & REMOVED) !== 0
}

function absent(name: string): IpcError {
  return new IpcError('ENOENT', `the channel '${name}' does not exist: its last user closed or removed it`, {
    errno: -constants.errno.ENOENT,
    hint: 'openOrCreate makes it',
  })
}

function removed(name: string): IpcError {
  return new IpcError('EIDRM', `the channel '${name}' is being removed, or its semaphores were removed`, {
    hint: 'unlink it, and create it again; openOrCreate does this if a process began to remove it',
  })
}
