import { lengthOf } from '../bytes.js'
import type { OpenedMemory } from '../../native.cjs'
import { acrossCopies } from '../copies.js'
import { type Answer, checked, fromNative, outOfRange } from '../errors.js'
import { inspectable } from '../inspect.js'
import { detached, noConstructor } from '../misuse.js'
import { MemoryHandle } from './handle.js'
import { native } from '../addon/native.js'
import { type Id, checkBytes, checkBytesOf, checkId, checkInteger, checkPosition } from '../options.js'
import { evaluation } from '../waiting/settling.js'
import { inspected, type SharedMemoryInfo, sharedMemoryInfo } from './info.js'
import {
  creation,
  type CreateSharedMemoryOptions,
  opening,
  openingOrCreation,
  type OpenOrCreateSharedMemoryOptions,
  type OpenSharedMemoryOptions,
} from './options.js'

/** The key of the constructor: only this module opens memory. */
const inside = Symbol('inside')

/** The kind of memory that has a name. */
const KIND_OF_NAMES = process.platform === 'win32' ? 'windows' : 'posix'

/**
 * Memory that processes share: a POSIX object by its name (a string; a missing leading slash is added), or a System V segment
 * by its key (a number) or id.
 *
 * It is mapped until `close()`, and exists until `unlink()`. The accesses of several processes have no order: guard the
 * memory with a `Semaphore`, or use `Atomics` on {@link SharedMemory.buffer}. A `read` or `write` of 1, 2, 4 or 8 bytes at
 * a position that is a multiple of its length is atomic; a longer one is not.
 *
 * @example
 * ```ts
 * using frames = SharedMemory.openOrCreate('/frames', { size: 1 << 20 })
 * frames.write('hello')
 * frames.toBuffer(0, 5).toString() // 'hello', here and in every process that opens '/frames'
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html shm_overview(7)}
 * @see {@link https://man7.org/linux/man-pages/man7/sysvipc.7.html sysvipc(7)}
 */
export class SharedMemory implements Disposable {
  /** The system that keeps it. */
  readonly kind: 'posix' | 'sysv' | 'windows'
  /** The name, with its leading slash; `undefined` for a System V segment. */
  readonly name: string | undefined
  /** The key of a System V segment; `undefined` for a POSIX object and for a segment without one. */
  readonly key: number | undefined
  /** The id of a System V segment, for {@link SharedMemory.attach}; `undefined` for a POSIX object. */
  readonly id: number | undefined
  /** Its size in bytes when it was opened. */
  readonly size: number
  /** Whether it was opened for reading only. */
  readonly readOnly: boolean
  /** Whether this call made it. */
  readonly created: boolean

  readonly #handle: MemoryHandle

  private constructor(key: symbol, opened: OpenedMemory, id: Id | undefined, readOnly: boolean) {
    if (key !== inside) {
      throw noConstructor('SharedMemory', [
        'create(id, { size })',
        'open(id)',
        'openOrCreate(id, { size })',
        'attach(shmid)',
      ])
    }
    const named = typeof id === 'string'
    this.kind = named ? KIND_OF_NAMES : 'sysv'
    this.name = named ? id : undefined
    this.key = opened.key
    this.id = opened.id
    this.size = opened.size
    this.readOnly = readOnly
    this.created = opened.created
    this.#handle = new MemoryHandle(opened, readOnly)
  }

  /**
   * Wraps the memory that `open` opens. If the stack has no room for the new object, the memory is closed again, after
   * `undo`; only the addon is called then.
   */
  static #opened(
    open: () => Answer<OpenedMemory>,
    id: Id | undefined,
    readOnly: boolean,
    undo?: (handle: number) => unknown,
  ): SharedMemory {
    const opened = open()
    if (typeof opened === 'string') throw fromNative(opened)
    try {
      return new SharedMemory(inside, opened, id, readOnly)
    } catch (error) {
      undo?.(opened.handle)
      native.memoryRelease(opened.handle)
      throw error
    }
  }

  /**
   * Makes a new object, filled with zeros. Either the object exists with its whole size allocated, or the call throws and
   * no object exists.
   *
   * @param id - A name (`'/frames'`) for POSIX, a 32-bit key for System V.
   * @throws {IpcError} `EEXIST` when it exists already; `ENOSPC`, `ENOMEM` when there is no room (see the error's
   * `hint`).
   *
   * @example
   * ```ts
   * const frames = SharedMemory.create('/frames', { size: 4096, mode: 0o660 })
   * ```
   *
   * @see {@link https://man7.org/linux/man-pages/man3/shm_open.3.html shm_open(3)}
   * @see {@link https://man7.org/linux/man-pages/man2/shmget.2.html shmget(2)}
   */
  static create(id: Id, options: CreateSharedMemoryOptions): SharedMemory {
    const { size, mode } = creation(options)
    const checkedId = checkId(id)
    const make = () => native.memoryCreate(evaluation.session, checkedId, size, mode)
    return SharedMemory.#opened(make, checkedId, false, native.memoryUnlink)
  }

  /**
   * Opens an existing object, with the size that the object has. Here a name may have 255 bytes and may contain `..`,
   * because other programs may use such names.
   *
   * @throws {IpcError} `ENOENT` when it does not exist; `EACCES`; `ERR_FOREIGN_OWNER` when its owner is neither this user
   * nor root nor `owner`; `ERR_NOT_AN_OBJECT` when the name is that of a link, a FIFO or a directory;
   * `ERR_NOT_INITIALISED` when its creator gave it no size within one second.
   *
   * @example
   * ```ts
   * const frames = SharedMemory.open('/frames', { readOnly: true })
   * ```
   */
  static open(id: Id, options?: OpenSharedMemoryOptions): SharedMemory {
    const { readOnly, owner } = opening(options)
    const checkedId = checkId(id)
    const open = () => native.memoryOpen(evaluation.session, checkedId, readOnly, owner)
    return SharedMemory.#opened(open, checkedId, readOnly)
  }

  /**
   * Opens the existing object, or makes it. An existing one may be larger than `size`; it is never resized.
   *
   * @throws {IpcError} `ERR_SIZE` when the existing one is smaller than `size`; otherwise as `open` and `create`.
   *
   * @example
   * ```ts
   * const { created } = SharedMemory.openOrCreate('/frames', { size: 4096 })
   * ```
   */
  static openOrCreate(id: Id, options: OpenOrCreateSharedMemoryOptions): SharedMemory {
    const { size, mode, owner } = openingOrCreation(options)
    const checkedId = checkId(id)
    const open = () => native.memoryOpenOrCreate(evaluation.session, checkedId, size, mode, owner)
    return SharedMemory.#opened(open, checkedId, false)
  }

  /**
   * Attaches a System V segment by its id. The segment may have no key, or may have lost it.
   *
   * @param shmid - The id that `shmget` returned to the segment's creator: {@link SharedMemory.id}.
   * @throws {IpcError} `EINVAL` when no segment has this id; otherwise as `open`.
   *
   * @example
   * ```ts
   * const frames = SharedMemory.attach(Number(process.env.SEGMENT))
   * ```
   *
   * @see {@link https://man7.org/linux/man-pages/man2/shmop.2.html shmat(2)}
   */
  static attach(shmid: number, options?: OpenSharedMemoryOptions): SharedMemory {
    const { readOnly, owner } = opening(options)
    const id = checkInteger('shmid', shmid, 0, 2 ** 31 - 1)
    const attach = () => native.memoryAttach(evaluation.session, id, readOnly, owner)
    return SharedMemory.#opened(attach, undefined, readOnly)
  }

  /**
   * Removes the object with this name or key. Processes that have it mapped keep it; the name or key is free at once.
   *
   * @returns False when no such object exists.
   * @throws {IpcError} `EPERM` or `EACCES` when it belongs to another user.
   *
   * @example
   * ```ts
   * SharedMemory.unlink('/frames')
   * ```
   *
   * @see {@link https://man7.org/linux/man-pages/man3/shm_unlink.3.html shm_unlink(3)}
   */
  static unlink(id: Id): boolean {
    return checked(native.memoryUnlinkId(checkId(id)))
  }

  /** The same as {@link SharedMemory.unlink}; the name comes from the Go library. */
  static remove(id: Id): boolean {
    return SharedMemory.unlink(id)
  }

  /** The handle of the memory on which `method` was called. */
  static #of(memory: SharedMemory, method: string): MemoryHandle {
    try {
      return memory.#handle
    } catch {
      throw detached('memory', method)
    }
  }

  /**
   * The memory itself: every access returns the same `ArrayBuffer`, `size` bytes long, and 0 bytes after `close()`.
   *
   * Typed arrays over it are not `SharedArrayBuffer`s to JavaScript, but `Atomics.add`, `load`, `store`, `exchange` and
   * `compareExchange` on them are atomic across processes; `Atomics.wait` and `notify` do not cross processes.
   * `postMessage` and `workerData` copy it without an error, so a worker does not get the memory. Post {@link
   * SharedMemory.shared} instead. `close()` does not detach a buffer that `transfer()` made of it. That buffer stays
   * valid, and reads as zeros once the thread that opened the memory ends.
   *
   * If a peer truncates a POSIX object that is in use, the lost part reads as zeros, and writes to it have no effect;
   * `read` and `write` throw `ERR_TRUNCATED` instead.
   *
   * @throws {IpcError} `ERR_READ_ONLY` on a read-only object: JavaScript has no read-only `ArrayBuffer`;
   * `ERR_NO_EXTERNAL_BUFFERS` where the runtime forbids such buffers (Electron); `read` and `write` work there.
   *
   * @example
   * ```ts
   * const counters = new Int32Array(memory.buffer)
   * Atomics.add(counters, 0, 1)
   * ```
   */
  get buffer(): ArrayBuffer {
    return this.#handle.buffer()
  }

  /**
   * The memory itself as a `SharedArrayBuffer`, for the threads of this process: `workerData` and `postMessage` pass it
   * on without a copy, and `Atomics.wait` and `notify` work on it between the threads, though not between processes.
   * Every access returns the same object.
   *
   * It cannot be detached. The memory stays mapped in this process until no thread has a reference to it any more, even
   * after `close()` and after the end of the thread that opened it. A truncation affects it in the same way as {@link
   * SharedMemory.buffer}.
   *
   * @throws {IpcError} `ERR_DETACHED` after `close()`; `ERR_READ_ONLY` on a read-only object; `ERR_NOT_SUPPORTED` where
   * the runtime cannot make one (`capabilities.sharedBuffers`). There, open the memory by its name in each worker.
   *
   * @example
   * ```ts
   * const worker = new Worker('./worker.js', { workerData: memory.shared })
   * ```
   */
  get shared(): SharedArrayBuffer {
    return this.#handle.shared()
  }

  /**
   * Copies bytes from `position` on into `target`, until `target` is full or the memory ends.
   *
   * @returns The number of bytes copied.
   * @throws {RangeError} `ERR_OUT_OF_RANGE` when `position` is beyond the end.
   * @throws {IpcError} `ERR_DETACHED`; `ERR_TRUNCATED` when another process made the object smaller.
   *
   * @example
   * ```ts
   * const header = new Uint8Array(16)
   * memory.read(header, 4096)
   * ```
   */
  read(target: Uint8Array, position = 0): number {
    const handle = SharedMemory.#of(this, 'read')
    checkBytesOf('target', target, 'a Uint8Array')
    checkPosition(position, handle.size)
    return checked(native.memoryRead(handle.number, target, position))
  }

  /**
   * Copies all of `data` to `position`; a string as UTF-8.
   *
   * @returns The number of bytes copied.
   * @throws {RangeError} `ERR_OUT_OF_RANGE` when `data` does not fit; nothing is written then.
   * @throws {IpcError} `ERR_DETACHED`; `ERR_READ_ONLY`; `ERR_TRUNCATED` when another process made the object smaller.
   *
   * @example
   * ```ts
   * memory.write('état', 100) // 5
   * ```
   */
  write(data: Uint8Array | string, position = 0): number {
    const handle = SharedMemory.#of(this, 'write')
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
    checkBytesOf('data', bytes, 'a Uint8Array or a string')
    checkPosition(position, handle.size)
    checked(native.memoryWrite(handle.number, bytes, position))
    return lengthOf(bytes)
  }

  /**
   * Copies `length` bytes from `position` on; when `length` is missing, all bytes from there on.
   *
   * @throws {RangeError} `ERR_OUT_OF_RANGE` when the memory has fewer bytes.
   * @throws {IpcError} `ERR_DETACHED`; `ERR_TRUNCATED` when another process made the object smaller.
   *
   * @example
   * ```ts
   * const text = memory.toBuffer(0, 5).toString()
   * ```
   */
  toBuffer(position = 0, length?: number): ReturnType<typeof Buffer.allocUnsafeSlow> {
    const handle = SharedMemory.#of(this, 'toBuffer')
    checkPosition(position, handle.size)
    const rest = handle.size - position
    if (length !== undefined && checkBytes('length', length) > rest) {
      throw outOfRange('length', `at most ${rest}, the bytes from position ${position} on`, length)
    }
    if (!handle.open) checked(native.memoryInfo(handle.number))
    const copy = Buffer.allocUnsafeSlow(length ?? rest)
    checked(native.memoryRead(handle.number, copy, position))
    return copy
  }

  /**
   * Fills the memory with zeros.
   *
   * @throws {IpcError} `ERR_DETACHED`; `ERR_READ_ONLY`; `ERR_TRUNCATED` when another process made the object smaller.
   *
   * @example
   * ```ts
   * memory.clear()
   * ```
   */
  clear(): void {
    checked(native.memoryClear(SharedMemory.#of(this, 'clear').number))
  }

  /**
   * Reads the kernel's present facts about the object.
   *
   * @throws {IpcError} `ERR_DETACHED`.
   *
   * @example
   * ```ts
   * if (memory.info().removed) reopen()
   * ```
   */
  info(): SharedMemoryInfo {
    return sharedMemoryInfo(checked(native.memoryInfo(SharedMemory.#of(this, 'info').number)))
  }

  /**
   * Unmaps the memory from this process: views of `buffer` have length 0 from now on. The object stays. A second call
   * does nothing. The memory stays mapped as long as `shared` is in use.
   *
   * File reads and writes that are under way on the buffer do no harm. They use zeros that belong only to this process,
   * or the memory itself if `shared` keeps it mapped.
   *
   * @example
   * ```ts
   * memory.close()
   * ```
   */
  close(): void {
    SharedMemory.#of(this, 'close').close()
  }

  /**
   * Removes this object, before or after `close()`. Its name or key is free at once; its memory is free when no process
   * has it mapped any more. If another object has the name by now, that object stays. A second call does nothing. A call
   * that failed can be repeated.
   *
   * @throws {IpcError} `EPERM` or `EACCES` when it belongs to another user.
   *
   * @example
   * ```ts
   * memory.unlink()
   * ```
   */
  unlink(): void {
    SharedMemory.#of(this, 'unlink').unlink()
  }

  /** The same as {@link SharedMemory.close}; the name comes from shmdt(2) and the Go library. */
  detach(): void {
    SharedMemory.#of(this, 'detach').close()
  }

  /** The same as {@link SharedMemory.unlink}; the name comes from the Go library. */
  remove(): void {
    SharedMemory.#of(this, 'remove').unlink()
  }

  /** The same as {@link SharedMemory.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

acrossCopies(SharedMemory, 'SharedMemory')

inspectable(SharedMemory, inspected)
