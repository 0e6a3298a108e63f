import { constants } from 'node:os'

import { capabilities } from '../addon/capabilities.js'
import { native } from '../addon/native.js'
import { IpcError } from '../errors.js'
import type { MemoryHandle } from '../memory/handle.js'
import type { Owner } from '../options.js'
import type { SemaphoreHandle } from '../semaphore/handle.js'
import { unlessGone } from './failures.js'
import {
  capacityOf,
  fill,
  finish,
  finished,
  type Header,
  mayReplaceCreator,
  readHeader,
  startFilling,
} from './header.js'
import type { Codec } from './layout.js'
import { createMemory, isRemoved, openMemory } from './memory.js'
import { isBeingRemoved, removeObjects } from './removal.js'
import { createWakes, openWakes, type Wakes, wakesIn, wakesUnlessGone } from './wakes.js'

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
    this.buffer = memory.buffer()
    this.header = header
    this.receivers = wakes.receivers
    this.senders = wakes.senders
  }

  /** Makes a new channel; `EEXIST` if it exists. */
  static create(name: string, creation: Creation): Objects {
    const memory = createMemory(name, creation.capacity, creation.mode)
    try {
      if (startFilling(memory.buffer())) return Objects.#make(name, memory, creation)
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
      const buffer = memory.buffer()
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
        const buffer = memory.buffer()
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
    const buffer = memory.buffer()
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
        // `EIDRM`: a process removes this channel already.
        const isTaken =
          error instanceof IpcError && /^(EEXIST|EIDRM|ERR_NAME_COLLISION|ERR_WRONG_KIND)$/.test(error.code)
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
