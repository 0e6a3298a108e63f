import type { OpenedMemory } from '../../native.cjs'
import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import { Unreachable } from '../addon/unreachable.js'

/** The number of a closed handle: the addon has no handle with this number. */
const NONE = 0

/** A handle that the program drops releases the memory; an ArrayBuffer that is still in use keeps it mapped. */
const unreachable = new Unreachable<MemoryHandle>(number => void native.memoryRelease(number))

/**
 * Open memory in the addon, and what remains of it after it is closed. What a call may do depends on this object, and not on
 * the properties of a `SharedMemory`, which a program can change.
 */
export class MemoryHandle {
  /** The argument of the addon's functions. They return an `ERR_DETACHED` for a closed one. */
  number: number
  /** In bytes. */
  readonly size: number
  readonly readOnly: boolean
  #buffer: ArrayBuffer | undefined
  #shared: SharedArrayBuffer | undefined
  /** The identity of the memory after `close`, when the addon does not know the number any more. */
  #identity: object | null = null

  constructor({ handle, size }: OpenedMemory, readOnly: boolean) {
    this.number = handle
    this.size = size
    this.readOnly = readOnly
    unreachable.watch(this, handle)
  }

  get open(): boolean {
    return this.number !== NONE
  }

  /** The memory itself: every call returns the same `ArrayBuffer`. */
  buffer(): ArrayBuffer {
    this.#buffer ??= this.#external()
    return this.#buffer
  }

  /** The memory itself for all threads: every call returns the same `SharedArrayBuffer`. */
  shared(): SharedArrayBuffer {
    this.#shared ??= this.#externalShared()
    return this.#shared
  }

  /** Unmaps the memory from this process, unless a `SharedArrayBuffer` of it is still in use. */
  close(): void {
    if (!this.open) return
    this.#identity = checked(native.memoryClose(this.number))
    this.number = NONE
    this.#shared = undefined
    unreachable.forget(this)
  }

  /** Removes the object, open or closed. The addon leaves alone an object that has taken its name since. */
  unlink(): void {
    if (this.#identity === null) checked(native.memoryUnlink(this.number))
    else checked(native.memoryRemoveClosed(this.#identity))
  }

  #external(): ArrayBuffer {
    this.#refuseReadOnly('ArrayBuffer')
    if (!this.open) return new ArrayBuffer(0)
    const buffer = checked(native.memoryBuffer(this.number))
    if (buffer === null) {
      throw new IpcError('ERR_NO_EXTERNAL_BUFFERS', 'this runtime forbids ArrayBuffers over shared memory', {
        hint: 'use read(), write() and toBuffer()',
      })
    }
    return buffer
  }

  #externalShared(): SharedArrayBuffer {
    this.#refuseReadOnly('SharedArrayBuffer')
    const shared = checked(native.memoryShared(this.number))
    if (shared === null) {
      throw new IpcError('ERR_NOT_SUPPORTED', 'this runtime has no SharedArrayBuffers over shared memory', {
        hint: 'open the memory by its name in each worker, and use its buffer there; capabilities.sharedBuffers tells where `shared` works',
      })
    }
    return shared
  }

  #refuseReadOnly(what: string): void {
    if (!this.readOnly) return
    throw new IpcError(
      'ERR_READ_ONLY',
      `a read-only object has no ${what}, because JavaScript can write to it`,
      {
        hint: 'use read() or toBuffer()',
      },
    )
  }
}
