import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import { Unreachable } from '../addon/unreachable.js'

/** Of a handle that is closed: the addon knows none by that number. */
const NONE = 0

/** A handle that was dropped lets go of the memory; an ArrayBuffer that is still in use keeps it mapped. */
const unreachable = new Unreachable<MemoryHandle>(number => void native.memoryRelease(number))

/** Open memory in the addon, and what is left of it once it is closed. */
export class MemoryHandle {
  /** What the addon's functions take; they return an `ERR_DETACHED` for one that is closed. */
  number: number
  #buffer: ArrayBuffer | undefined
  /** Which memory it was, once the addon knows no more of the number. */
  #identity: object | null = null

  constructor(number: number) {
    this.number = number
    unreachable.watch(this, number)
  }

  get open(): boolean {
    return this.number !== NONE
  }

  /** The memory itself: the same `ArrayBuffer` at every call. */
  buffer(readOnly: boolean): ArrayBuffer {
    this.#buffer ??= this.#external(readOnly)
    return this.#buffer
  }

  /** Takes the memory out of this process. */
  close(): void {
    if (!this.open) return
    this.#identity = checked(native.memoryClose(this.number))
    this.number = NONE
    unreachable.forget(this)
  }

  /** Removes the object, open or closed. The addon leaves alone what has its name by now. */
  unlink(): void {
    if (this.#identity === null) checked(native.memoryUnlink(this.number))
    else checked(native.memoryRemoveClosed(this.#identity))
  }

  #external(readOnly: boolean): ArrayBuffer {
    if (readOnly) {
      throw new IpcError(
        'ERR_READ_ONLY',
        'a read-only object has no ArrayBuffer, which can always be written to',
        { hint: 'use read() or toBuffer()' },
      )
    }
    if (!this.open) return new ArrayBuffer(0)
    const buffer = checked(native.memoryBuffer(this.number))
    if (buffer === null) {
      throw new IpcError('ERR_NO_EXTERNAL_BUFFERS', 'this runtime forbids ArrayBuffers over shared memory', {
        hint: 'use read(), write() and toBuffer()',
      })
    }
    return buffer
  }
}
