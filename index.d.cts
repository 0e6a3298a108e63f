/// <reference lib="esnext.disposable" />
/// <reference types="node" />
/**
 * The engine of a limit: `'sysv'` is a set of System V semaphores with undo. `'ledger'` is a file (on Windows, a mapping)
 * in which each process writes how many permits it holds.
 */
type LimitEngine = 'sysv' | 'ledger';

/** The identifier of a semaphore or of memory: a name (string) or a raw System V key (32-bit integer). */
type Id = string | number;
/** The kinds of semaphores: `'sysv'` is semget(2), `'posix'` is sem_open(3), `'windows'` is shared memory of Windows. */
type Backend = 'sysv' | 'posix' | 'windows';
/** Another owner whose objects a call may open, besides this user and root: a uid, or `'any'` for every user. */
type Owner = number | 'any';

/** A fact about each backend. */
type PerBackend = Readonly<Record<Backend, boolean>>;
/** The engines of limits, and what happens to the permits of a dead process. */
interface LimitCapabilities {
    /** The engines that a limit can have here. If there are none, `Limit` throws `ERR_NOT_SUPPORTED`. */
    readonly engines: readonly LimitEngine[];
    /**
     * The engine of a new limit when no `engine` is given: `'sysv'` if the kernel gives back the permits of a dead process,
     * otherwise `'ledger'`. Some sandboxes, such as gVisor, accept `SEM_UNDO` and ignore it.
     */
    readonly default: LimitEngine | undefined;
    /** Whether the permits of a dead process come back in the default engine. */
    readonly crashRecovery: boolean;
}
/**
 * The features of this platform. Each difference between platforms is a fact here.
 *
 * `semaphoreBackends`, `limits` and `locks` depend on the kernel. The package asks the kernel when one of them is first
 * read.
 */
interface Capabilities {
    /** Whether the native addon has loaded. If it has not, every call throws `ERR_NATIVE_BINDING`. */
    readonly supported: boolean;
    /** The reason why the addon has not loaded, and the remedy; `undefined` if it has loaded. */
    readonly reason: string | undefined;
    /** The operating system and the processor, such as `'linux-x64'`. */
    readonly platform: string;
    /** The backends that semaphores can have here; `'sysv'` is missing if a filter of system calls refuses it. */
    readonly semaphoreBackends: readonly Backend[];
    /** The backend of a name when no `backend` is given. */
    readonly defaultBackend: Backend;
    /** Whether the kernel ends a wait at its deadline. If it does not, the package ends the wait by its own clock. */
    readonly timedWait: PerBackend;
    /** The features of {@link Limit} on this platform. */
    readonly limits: LimitCapabilities;
    /** Whether `value` can be read. */
    readonly value: PerBackend;
    /** Whether `unlink` wakes the waiters. */
    readonly unlinkWakes: PerBackend;
    /**
     * What {@link locks} are made of: System V semaphores, or files with flock(2) (on Windows, LockFileEx). In both cases
     * the locks of a dead process are free.
     */
    readonly locks: 'sysv' | 'files';
    /** Whether objects outlive their last user. If they do, they stay until a program removes them or the host restarts. */
    readonly persistent: boolean;
    /** Whether {@link list} can list the objects of this host. */
    readonly list: boolean;
    /** Whether this runtime allows {@link SharedMemory.buffer}. Electron does not. */
    readonly externalBuffers: boolean;
    /** Whether this runtime allows {@link SharedMemory.shared}: Bun and recent Node.js do; Deno, Electron and older Node.js do not. */
    readonly sharedBuffers: boolean;
}
/**
 * The features of this platform.
 *
 * @example
 * ```ts
 * if (!capabilities.supported) console.warn(capabilities.reason)
 * ```
 */
declare const capabilities: Capabilities;

/** The fields of every event of a semaphore or a limit. */
interface SemaphoreMessage {
    /** The name of the semaphore or limit with its leading slash; `undefined` for a raw System V key. */
    name: string | undefined;
    /** The raw System V key that it was opened with; `undefined` for a name. */
    key: number | undefined;
    /** The backend of a semaphore, or the engine of a limit. */
    backend: Backend | LimitEngine;
    /** True for a permit of a limit, false for a unit of a semaphore. */
    permit: boolean;
}
/** `os-ipc:wait`: a call has to wait. */
interface WaitMessage extends SemaphoreMessage {
    /** The number of this wait, counted from 1 in each thread. The event that ends the wait has the same number. */
    wait: number;
}
/** `os-ipc:acquired`: a unit or permit was taken. */
interface AcquiredMessage extends SemaphoreMessage {
    /** The number of the wait that this ends; `undefined` when the unit was available at once. */
    wait: number | undefined;
    /** Milliseconds that the call waited; 0 when the unit was available at once. */
    waited: number;
}
/** `os-ipc:timeout` and `os-ipc:failed`: a wait ended without a unit. */
interface FailedMessage extends SemaphoreMessage {
    /** The number of the wait that this ends; `undefined` for `timeout: 0`, which does not wait. */
    wait: number | undefined;
    /** Milliseconds that the call waited. */
    waited: number;
    /** The error with which the wait rejects, or which it throws. */
    error: unknown;
}
/** `os-ipc:released`: a permit was given back, or units were posted. */
interface ReleasedMessage extends SemaphoreMessage {
    /** The number: 1 for a permit, the argument of `post` for units. */
    count: number;
    /** Milliseconds that the permit was held; `undefined` for units, and when the channel had no subscriber at the time of the grant. */
    held: number | undefined;
}
/** The messages of the channels of `node:diagnostics_channel` that semaphores and limits publish to. */
interface DiagnosticsMessages {
    'os-ipc:wait': WaitMessage;
    'os-ipc:acquired': AcquiredMessage;
    'os-ipc:released': ReleasedMessage;
    'os-ipc:timeout': FailedMessage;
    'os-ipc:failed': FailedMessage;
}

/** The properties of an {@link IpcError} besides its message. */
interface IpcErrorDetails {
    errno?: number | undefined;
    syscall?: string | undefined;
    hint?: string | undefined;
    uid?: number | undefined;
    mode?: number | undefined;
    limit?: number | undefined;
    holders?: readonly {
        readonly pid: number;
        readonly permits: number;
    }[] | undefined;
    cause?: unknown;
}
/**
 * An operation that the operating system or the state of the object did not allow.
 *
 * It looks like a system error of Node: `ENOSPC: cannot create the semaphore, semget '/jobs'`.
 * Misuse (a wrong type, a bad name, a number out of range) is a `TypeError` or a `RangeError` instead.
 *
 * @example
 * ```ts
 * try {
 *   Semaphore.open('/jobs')
 * } catch (error) {
 *   if (!(error instanceof IpcError && error.code === 'ENOENT')) throw error
 * }
 * ```
 */
declare class IpcError extends Error {
    /** The errno's name (`'EEXIST'`, `'EIDRM'`, ...) or a code of this package (`'ERR_NAME_COLLISION'`, ...). */
    readonly code: string;
    /** The negative errno, as in Node's own errors; missing if no system call failed. */
    readonly errno?: number;
    /** The system call that failed, such as `'semget'`. */
    readonly syscall?: string;
    /** The meaning of the error here, and the remedy; every error of a system call has one. */
    readonly hint?: string;
    /** The owner's uid of the object that the call could not use, where it is known. */
    readonly uid?: number;
    /** The permission bits of that object. */
    readonly mode?: number;
    /** The limit that was reached: a number of bytes, files, sets or units, as the hint says. */
    readonly limit?: number;
    /** The holders of the limit, with their numbers of permits, when a wait for a permit ended with `ETIMEDOUT`. */
    readonly holders?: readonly {
        readonly pid: number;
        readonly permits: number;
    }[];
    constructor(code: string, message: string, details?: IpcErrorDetails);
}

/**
 * The System V key that C derives from an existing file and a number: {@link https://man7.org/linux/man-pages/man3/ftok.3.html ftok(3)}.
 *
 * @param path - A file that exists; only its device and inode count.
 * @param projectId - 1 to 255.
 * @returns A signed 32-bit key for `Semaphore` and `SharedMemory`.
 * @throws {IpcError} `ENOENT`, `EACCES`, ... when stat(2) of the file fails.
 *
 * @example
 * ```ts
 * const jobs = Semaphore.openOrCreate(ftok('/etc/hostname', 1), { initial: 1 })
 * ```
 */
declare function ftok(path: string, projectId: number): number;

/** The options of {@link SharedMemory.create}. */
interface CreateSharedMemoryOptions {
    /** The size in bytes, at least 1. */
    size: number;
    /** Permission bits, independent of the umask; `0o600` when missing. */
    mode?: number | undefined;
}
/** The options of {@link SharedMemory.open} and {@link SharedMemory.attach}. */
interface OpenSharedMemoryOptions {
    /** Maps the memory read-only, so that this process cannot write to it. */
    readOnly?: boolean | undefined;
    /** Another owner whose object this call may open, besides this user and root: a uid, or `'any'`. */
    owner?: Owner | undefined;
}
/** The options of {@link SharedMemory.openOrCreate}. */
interface OpenOrCreateSharedMemoryOptions extends CreateSharedMemoryOptions {
    /** Another owner whose object this call may open, besides this user and root: a uid, or `'any'`. */
    owner?: Owner | undefined;
}

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
declare class SharedMemory implements Disposable {
    #private;
    /** The system that keeps it. */
    readonly kind: 'posix' | 'sysv' | 'windows';
    /** The name, with its leading slash; `undefined` for a System V segment. */
    readonly name: string | undefined;
    /** The key of a System V segment; `undefined` for a POSIX object and for a segment without one. */
    readonly key: number | undefined;
    /** The id of a System V segment, for {@link SharedMemory.attach}; `undefined` for a POSIX object. */
    readonly id: number | undefined;
    /** Its size in bytes when it was opened. */
    readonly size: number;
    /** Whether it was opened for reading only. */
    readonly readOnly: boolean;
    /** Whether this call made it. */
    readonly created: boolean;
    private constructor();
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
    static create(id: Id, options: CreateSharedMemoryOptions): SharedMemory;
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
    static open(id: Id, options?: OpenSharedMemoryOptions): SharedMemory;
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
    static openOrCreate(id: Id, options: OpenOrCreateSharedMemoryOptions): SharedMemory;
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
    static attach(shmid: number, options?: OpenSharedMemoryOptions): SharedMemory;
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
    static unlink(id: Id): boolean;
    /** The same as {@link SharedMemory.unlink}; the name comes from the Go library. */
    static remove(id: Id): boolean;
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
    get buffer(): ArrayBuffer;
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
    get shared(): SharedArrayBuffer;
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
    read(target: Uint8Array, position?: number): number;
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
    write(data: Uint8Array | string, position?: number): number;
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
    toBuffer(position?: number, length?: number): ReturnType<typeof Buffer.allocUnsafeSlow>;
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
    clear(): void;
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
    info(): SharedMemoryInfo;
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
    close(): void;
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
    unlink(): void;
    /** The same as {@link SharedMemory.close}; the name comes from shmdt(2) and the Go library. */
    detach(): void;
    /** The same as {@link SharedMemory.unlink}; the name comes from the Go library. */
    remove(): void;
    /** The same as {@link SharedMemory.close}. */
    [Symbol.dispose](): void;
}

/** The kernel's facts about a memory object. A fact is `undefined` if the system does not have it. */
interface SharedMemoryInfo {
    /** The system that keeps it. */
    readonly kind: 'posix' | 'sysv' | 'windows';
    /** The name of a POSIX object, or of memory on Windows. */
    readonly name: string | undefined;
    /** The key of a System V segment; `undefined` if it has none or has lost it. */
    readonly key: number | undefined;
    /** The id of a System V segment. */
    readonly id: number | undefined;
    /** The present size in bytes: a peer can truncate a POSIX object. */
    readonly size: number;
    /** The number of attachments of a System V segment, in all processes. */
    readonly attached: number | undefined;
    /** The process that made a System V segment; `undefined` when it belongs to another PID namespace. */
    readonly creatorPid: number | undefined;
    /** The last process that attached or detached it; `undefined` when it belongs to another PID namespace. */
    readonly lastPid: number | undefined;
    /** The uid of the owner; 0 on Windows, which has none. */
    readonly uid: number;
    /** The gid of its group; 0 on Windows. */
    readonly gid: number;
    /** Permission bits. */
    readonly mode: number;
    /** The time at which a POSIX object was made, where the file system keeps it. */
    readonly createdAt: Date | undefined;
    /** The time of the last attachment of a System V segment. */
    readonly attachedAt: Date | undefined;
    /** The time of its last detachment. */
    readonly detachedAt: Date | undefined;
    /** The time of the last change of its owner or mode or, for POSIX, of its size or name. */
    readonly changedAt: Date | undefined;
    /** Whether its name or key is gone; it then lasts until its last process ends. `undefined` on darwin for POSIX. */
    readonly removed: boolean | undefined;
}

/** The codecs as the header records them. */
declare const CODECS: readonly ["bytes", "json", "structured"];
/** How values become bytes. */
type Codec = (typeof CODECS)[number];

/** A channel of {@link list}. */
interface ListedChannel {
    /** The name with its slash. */
    readonly name: string;
    /** The bytes that messages can use. */
    readonly capacity: number;
    /** The longest message in bytes. */
    readonly maxMessage: number;
    /** How its creator encodes values. */
    readonly codec: Codec;
    /** The bytes in use. */
    readonly bytes: number;
    /**
     * The number of messages in it: how many were sent and not received. If a process was killed while it sent or received,
     * the number can be wrong.
     */
    readonly messages: number;
    /** How many messages were sent so far, modulo 2^32. */
    readonly sent: number;
    /** How many messages were received so far, modulo 2^32. */
    readonly received: number;
    /** The pids of the living processes that have sent to it and have it open. */
    readonly senders: number[];
    /** The pids of the living processes that have received from it and have it open. */
    readonly receivers: number[];
    /**
     * The process that copies a message into it now, and the one that copies a message out of it. If a pid stays the same,
     * that process is stopped or in a callback, and no other process can send or receive.
     */
    readonly sending: number | undefined;
    readonly receiving: number | undefined;
    /** How many open handles the living processes have; at most 255. */
    readonly handles: number;
    /** The names of the objects that it consists of, for other tools. */
    readonly objects: {
        readonly memory: string;
        readonly receivers: string;
        readonly senders: string;
    };
    /** Whether `end()` was called. */
    readonly ended: boolean;
    /** The uid of the owner. */
    readonly uid: number;
    /** The gid of its group. */
    readonly gid: number;
    /** Permission bits. */
    readonly mode: number;
    /** The time at which it was made, where the file system keeps it. */
    readonly createdAt: Date | undefined;
}

/** A lock. Its last user may have ended a moment ago, or may have been killed. */
interface ListedLock {
    readonly name: string;
    /** The System V key of its set. */
    readonly key: number | undefined;
    /** The id of its System V set. */
    readonly id: number | undefined;
    /** Whether a process holds it exclusively. */
    readonly exclusive: boolean;
    /** The number of holders that share it. */
    readonly shared: number;
    /** The number of threads of all processes that wait in the kernel; each process of this package has at most one there. */
    readonly waiters: number;
    /** The pids of its users, as far as the kernel knows them. */
    readonly processes: number[];
    /** The uid of the owner. */
    readonly uid: number;
    /** The gid of the owner. */
    readonly gid: number;
    /** Permission bits. */
    readonly mode: number;
    /** The time at which it was made, in whole seconds. */
    readonly changedAt: Date;
}

/** The option that selects the engine of a limit. */
interface LimitEngineOptions {
    /**
     * The engine of the limit. `capabilities.limits` has the engines of this host and the default. Without this option, a
     * limit that exists opens whatever its engine is, and a new limit gets the default engine.
     */
    engine?: LimitEngine | undefined;
}
/** The options of {@link Limit.create}. */
interface CreateLimitOptions extends LimitEngineOptions {
    /** The number of permits, 0 to 32,767. */
    permits: number;
    /** Permission bits; `0o600` when missing. The umask does not change them. */
    mode?: number | undefined;
}
/** The options of {@link Limit.open}. */
interface OpenLimitOptions extends LimitEngineOptions {
    /** Another owner whose limit this call may open, besides this user and root: a uid, or `'any'`. */
    owner?: Owner | undefined;
}
/** The options of {@link Limit.openOrCreate}. */
interface OpenOrCreateLimitOptions extends CreateLimitOptions, OpenLimitOptions {
}

/** The options that end a wait. */
interface WaitOptions {
    /** Milliseconds, at least 0; without it, or with `Infinity`, a wait has no end. */
    timeout?: number | undefined;
    /** Ends the wait; its promise rejects with `signal.reason`. */
    signal?: AbortSignal | undefined;
}
/** The option that ends a blocking call. */
interface WaitSyncOptions {
    /** Milliseconds, at least 0; without it, or with `Infinity`, the call has no end. */
    timeout?: number | undefined;
}

/**
 * A source of permits, on one machine or on many: `Limit`, `RedisLimit` of `os-ipc/redis`, or your own class.
 *
 * A source over a network returns promises, and a source on one machine returns values at once. The types allow both, and
 * `await` works with both.
 *
 * @example
 * ```ts
 * async function work(jobs: PermitSource) {
 *   await jobs.use(({ signal }) => fetch(url, { signal }), { timeout: 10_000 })
 * }
 * ```
 */
interface PermitSource extends AsyncDisposable {
    /** The name of the permits for all their users, with its leading slash; `undefined` where they have none. */
    readonly name: string | undefined;
    /**
     * Takes a permit, and waits until one is free.
     *
     * @throws {IpcError} `ETIMEDOUT`, `ERR_CLOSED`; or the signal's reason.
     */
    acquire(options?: WaitOptions): Promise<PermitLike>;
    /** Takes a permit if one is free now; otherwise returns `null`. */
    tryAcquire(): PermitLike | null | Promise<PermitLike | null>;
    /** Runs a function while holding a permit, and releases the permit when the function has returned or thrown. */
    use<T>(fn: (permit: PermitLike) => T | Promise<T>, options?: WaitOptions): Promise<T>;
    /** Reads the present facts about the permits. */
    info(): PermitSourceInfo | Promise<PermitSourceInfo>;
    /**
     * Ends the source: pending waits reject with `ERR_CLOSED`, and so does every later call except this one. Permits stay held
     * until they are released.
     */
    close(): void | Promise<void>;
}
/** A permit of any {@link PermitSource}. */
interface PermitLike extends Disposable, AsyncDisposable {
    /** Whether it was released. */
    readonly released: boolean;
    /** Aborts with an `ERR_PERMIT_LOST` when the permit is lost. A permit of one machine is never lost. */
    readonly signal: AbortSignal;
    /** Releases the permit. A second call does nothing; for a lost permit the call does nothing either. */
    release(): void | Promise<void>;
}
/** The facts that every {@link PermitSource} has. */
interface PermitSourceInfo {
    /** The name with its leading slash, where it is known. */
    readonly name: string | undefined;
    /** The number of free permits, where it is known. */
    readonly free: number | undefined;
    /** The number of pending waits of this process. */
    readonly pending: number;
}

/**
 * A permit of a {@link Limit} that this process holds.
 *
 * The permit comes back when the process dies, also by `kill -9`. A permit that the program forgets stays held as long as
 * the process lives.
 *
 * @example
 * ```ts
 * {
 *   using permit = await limit.acquire()
 *   // at most as many processes are here as the limit has permits
 * }
 * ```
 */
declare class Permit implements PermitLike {
    #private;
    private constructor();
    /** Whether it was released. */
    get released(): boolean;
    /**
     * Never aborts: a permit of this machine is held until it is released, or until its process dies. The signal serves
     * code that takes its permits from any {@link PermitSource}.
     *
     * @example
     * ```ts
     * await jobs.use(({ signal }) => fetch(url, { signal }))
     * ```
     */
    get signal(): AbortSignal;
    /**
     * Releases the permit; a second call does nothing.
     *
     * It works after the limit's `close()` too. If the limit was removed, its permits were removed with it.
     *
     * @throws {IpcError} `ERANGE` when another program filled the counter meanwhile. The permit then stays held.
     */
    release(): void;
    /** The same as {@link release}. */
    [Symbol.dispose](): void;
    /** The same as {@link release}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A limit on how many holders run at a time, over all processes of this host.
 *
 * A permit has an owner, and comes back when its process dies, also by `kill -9`. The limit records the number of its permits
 * and the processes that hold them; {@link resize} changes the number while the limit is in use.
 *
 * @example
 * ```ts
 * const jobs = Limit.openOrCreate('/jobs', { permits: 4 })
 * await jobs.use(() => convert(file)) // at most 4 at a time, over all processes of this host
 * ```
 */
declare class Limit implements PermitSource, Disposable {
    #private;
    /** The name with its leading slash; `undefined` for a raw System V key. */
    readonly name: string | undefined;
    /** The engine. */
    readonly engine: LimitEngine;
    /** Whether this call made the limit. */
    readonly created: boolean;
    private constructor();
    /**
     * Makes a limit that must not exist yet.
     *
     * @param id - A name (1 to 250 bytes of UTF-8 without `..`; a missing leading slash is added) or a raw System V key.
     * @throws {IpcError} `EEXIST` when it exists already, `ENOSPC` at the host's limit, `ERR_WRONG_KIND` when a semaphore has the
     * name, `ERR_NAME_COLLISION`, `ERR_RESERVED_KEY`, `ERR_NOT_SUPPORTED` where the platform has no limits.
     *
     * @example
     * ```ts
     * using uploads = Limit.create('/uploads', { permits: 2 })
     * ```
     */
    static create(id: Id, options: CreateLimitOptions): Limit;
    /**
     * Opens a limit that exists. A semaphore set that a program in another language made opens too: it has no recorded number
     * of permits and no holders.
     *
     * @throws {IpcError} `ENOENT` when it does not exist, `EACCES` without permission to read and change it,
     * `ERR_FOREIGN_OWNER` when its owner is neither this user nor root, `ERR_WRONG_KIND` when it is a semaphore,
     * `ERR_NAME_COLLISION` when it belongs to another name, `ERR_NOT_INITIALISED` when its creator died or hangs.
     *
     * @example
     * ```ts
     * using jobs = Limit.open('/jobs')
     * console.log(jobs.info().holders)
     * ```
     */
    static open(id: Id, options?: OpenLimitOptions): Limit;
    /**
     * Opens a limit, or makes it when it does not exist.
     *
     * A limit that exists keeps its number of permits. If `permits` is another number, the process warns
     * (`OS_IPC_PERMITS_DIFFER`), once for each limit; {@link resize} changes the number.
     *
     * @throws {IpcError} As {@link open} and {@link create}, except `ENOENT` and `EEXIST`.
     *
     * @example
     * ```ts
     * using jobs = Limit.openOrCreate('/jobs', { permits: 4 })
     * if (jobs.permits !== 4) await jobs.resize(4)
     * ```
     */
    static openOrCreate(id: Id, options: OpenOrCreateLimitOptions): Limit;
    /**
     * Removes a limit. All waits for its permits reject with `EIDRM`.
     *
     * @returns Whether it existed.
     * @throws {IpcError} `EPERM` when it belongs to another user, `ERR_WRONG_KIND` when it is a semaphore, `ERR_NAME_COLLISION`
     * when it belongs to another name.
     */
    static unlink(id: Id, options?: LimitEngineOptions): boolean;
    /**
     * The number of permits that the limit records now; `undefined` for a set that another program made.
     *
     * @throws {IpcError} `EIDRM` when the limit was removed.
     */
    get permits(): number | undefined;
    /**
     * Takes a permit, and waits until one is free: first come, first served in this process.
     *
     * @throws {IpcError} `ETIMEDOUT`, which names the processes that hold the permits (`holders`), `EIDRM` when the limit was
     * removed, `ERR_CLOSED`; or the signal's reason.
     *
     * @example
     * ```ts
     * using permit = await jobs.acquire({ signal: AbortSignal.timeout(60_000) })
     * ```
     */
    acquire(options?: WaitOptions): Promise<Permit>;
    /**
     * Takes a permit if one is free now; it does not queue behind pending waits.
     *
     * @returns `null` when no permit is free.
     * @throws {IpcError} `EIDRM` when the limit was removed.
     */
    tryAcquire(): Permit | null;
    /**
     * Takes a permit, and blocks this thread until one is free: for scripts and workers.
     *
     * The thread runs no other code meanwhile, not even the handler of a signal.
     *
     * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when the limit was removed.
     *
     * @example
     * ```ts
     * using permit = jobs.acquireSync({ timeout: 5_000 })
     * ```
     */
    acquireSync(options?: WaitSyncOptions): Permit;
    /**
     * Runs a function while holding a permit, and releases the permit when the function has returned or thrown.
     *
     * The function gets the permit. It may release the permit early, and pass on its `signal`.
     *
     * @returns The result of the function.
     * @throws As {@link acquire}, and the error that the function throws.
     *
     * @example
     * ```ts
     * const page = await jobs.use(() => fetch(url), { timeout: 10_000 })
     * ```
     */
    use<T>(fn: (permit: Permit) => T | Promise<T>, options?: WaitOptions): Promise<T>;
    /**
     * Changes the number of permits, for all processes.
     *
     * A limit grows at once. It shrinks permit by permit: the call removes each free permit, and waits in the queue for the
     * next one. If the call is aborted or its process dies, the limit keeps the number that it has reached. If two calls
     * run at the same time, each resolves when the limit has reached the number of that call. The number of the last call
     * stays.
     *
     * @param permits - 0 to 32,767. After 0, no call gets a permit until the limit grows again.
     * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when the limit was removed, `ERR_CLOSED`, `ERR_NOT_SUPPORTED` for a set that
     * another program made; or the signal's reason.
     *
     * @example
     * ```ts
     * await jobs.resize(8)
     * ```
     */
    resize(permits: number, options?: WaitOptions): Promise<void>;
    /**
     * Reads the present facts about the limit, and the number of pending waits of this process.
     *
     * @throws {IpcError} `EIDRM` when it was removed.
     */
    info(): LimitInfo;
    /** Makes pending waits of this handle keep the process alive, which is the default. */
    ref(): this;
    /** Lets the process end while waits of this handle are pending. */
    unref(): this;
    /**
     * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call except this one and `unlink()` throws it.
     *
     * Permits stay held until they are released. The limit itself stays for other handles.
     */
    close(): void;
    /**
     * Removes the limit of this handle, before or after `close()`. If another limit has the name by now, that limit stays.
     * A second call does nothing. A call that failed can be repeated.
     *
     * @throws {IpcError} `EPERM` when it belongs to another user.
     */
    unlink(): void;
    /** The same as {@link close}. */
    [Symbol.dispose](): void;
    /** The same as {@link close}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** The number of permits that a process holds. */
interface LimitHolder {
    readonly pid: number;
    readonly permits: number;
}
/** The facts about a limit. A fact is `undefined` if the system does not have it. */
interface LimitInfo {
    /** The engine. */
    readonly engine: LimitEngine;
    /** The name with its leading slash, where the limit carries it. */
    readonly name: string | undefined;
    /** The System V key, a signed 32-bit number; `undefined` for a ledger. */
    readonly key: number | undefined;
    /** The System V set's id; `undefined` for a ledger. */
    readonly id: number | undefined;
    /** The recorded number of permits; `undefined` for a set that another program made. */
    readonly permits: number | undefined;
    /** The number of free permits. */
    readonly free: number;
    /** The holders, by pid, with their numbers of permits; `undefined` for a set that another program made. */
    readonly holders: readonly LimitHolder[] | undefined;
    /**
     * The number of held permits without a holder in `holders`. `holders` names at most 64 processes (of a ledger, 1,024),
     * and none of another PID namespace. Permits that another program took without undo count here too.
     */
    readonly unnamed: number | undefined;
    /**
     * The processes that hold permits, wait or change the limit, and are stopped by a signal or a debugger; `undefined` for a System V set.
     * Other waiters pass a stopped waiter. A stopped holder keeps its permits.
     */
    readonly stopped: readonly number[] | undefined;
    /**
     * The number of threads of all processes that wait in the kernel; each process of this package has at most one there.
     * For a ledger this is the number of processes that wait.
     */
    readonly waiters: number;
    /** The number of pending waits of this process. */
    readonly pending: number;
    /** The process that took or released a permit last; `undefined` for none, for a process of another PID namespace, and for a ledger. */
    readonly lastPid: number | undefined;
    /** The uid of the owner. */
    readonly uid: number;
    /** The gid of the owner. */
    readonly gid: number;
    /** Permission bits. */
    readonly mode: number;
    /** The time of the last operation, in whole seconds. For a ledger, the time at which a permit was taken last; `undefined` if none was. */
    readonly operatedAt: Date | undefined;
    /** The time at which it was made, or last changed in owner, mode or (by semctl) value, in whole seconds. */
    readonly changedAt: Date;
    /** Whether it certainly belongs to this name, and not to another name with the same key. */
    readonly verified: boolean;
}

/** The option that selects the backend of an id. */
interface BackendOptions {
    /** `'sysv'` (the default on Linux) or `'posix'` (the default on darwin). A number is always System V. */
    backend?: Backend | undefined;
}
/** The options of {@link Semaphore.create}. */
interface CreateSemaphoreOptions extends BackendOptions {
    /** The initial value of the counter, 0 to 32,767; with the backend `'posix'` to 2,147,483,647 (darwin: 32,767). */
    initial: number;
    /** Permission bits; `0o600` when missing. The umask does not change them. */
    mode?: number | undefined;
}
/** The options of {@link Semaphore.open}. */
interface OpenSemaphoreOptions extends BackendOptions {
    /** Another owner whose semaphore this call may open, besides this user and root: a uid, or `'any'`. */
    owner?: Owner | undefined;
}
/** The options of {@link Semaphore.openOrCreate}. */
interface OpenOrCreateSemaphoreOptions extends CreateSemaphoreOptions, OpenSemaphoreOptions {
}

/**
 * A named counting semaphore of the operating system, shared by every process that opens it.
 *
 * Its units have no owner: they are signals between processes. To limit how many holders run at a time, use a {@link Limit}:
 * its permits have an owner, and come back when the owner dies.
 *
 * Semantics: {@link https://man7.org/linux/man-pages/man2/semop.2.html semop(2)},
 * {@link https://man7.org/linux/man-pages/man7/sem_overview.7.html sem_overview(7)}.
 *
 * @example
 * ```ts
 * const ready = Semaphore.openOrCreate('/ready', { initial: 0 })
 * await ready.wait() // until another process calls ready.post()
 * ```
 */
declare class Semaphore implements Disposable, AsyncDisposable {
    #private;
    /** The name with its leading slash; `undefined` for a raw System V key. */
    readonly name: string | undefined;
    /** The backend. */
    readonly backend: Backend;
    /** Whether this call made the semaphore. */
    readonly created: boolean;
    private constructor();
    /**
     * Makes a semaphore that must not exist yet.
     *
     * @param id - A name (1 to 250 bytes of UTF-8 without `..`; a missing leading slash is added) or a raw System V key.
     * @throws {IpcError} `EEXIST` when it exists already, `ENOSPC` at the host's limit, `ERR_NAME_COLLISION`, `ERR_RESERVED_KEY`.
     *
     * @example
     * ```ts
     * using ready = Semaphore.create('/ready', { initial: 0 })
     * ```
     */
    static create(id: Id, options: CreateSemaphoreOptions): Semaphore;
    /**
     * Opens an existing semaphore of any program: here a name may have 255 bytes (POSIX with glibc: 251), and may contain `..`.
     *
     * @throws {IpcError} `ENOENT` when it does not exist, `EACCES` without permission to read and change it,
     * `ERR_FOREIGN_OWNER` when its owner is neither this user nor root, `ERR_NAME_COLLISION` when it belongs to another name,
     * `ERR_WRONG_KIND` when it is a limit, `ERR_NOT_INITIALISED` when its creator died or hangs.
     *
     * @example
     * ```ts
     * using ready = Semaphore.open('/ready')
     * ready.post()
     * ```
     */
    static open(id: Id, options?: OpenSemaphoreOptions): Semaphore;
    /**
     * Opens a semaphore, or makes it when it does not exist. `initial` applies only to a new semaphore.
     *
     * If several processes call it at once, exactly one of them makes the semaphore.
     *
     * @throws {IpcError} As {@link open} and {@link create}, except `ENOENT` and `EEXIST`.
     *
     * @example
     * ```ts
     * using ready = Semaphore.openOrCreate('/ready', { initial: 0 })
     * if (ready.created) console.log('the first one here')
     * ```
     */
    static openOrCreate(id: Id, options: OpenOrCreateSemaphoreOptions): Semaphore;
    /**
     * Removes a semaphore. On System V all waits on it reject with `EIDRM`; a POSIX semaphore stays, without its name, for
     * the processes that have it open.
     *
     * @returns Whether it existed.
     * @throws {IpcError} `EPERM` when it belongs to another user, `ERR_NAME_COLLISION` when it belongs to another name.
     */
    static unlink(id: Id, options?: BackendOptions): boolean;
    /**
     * The counter: the number of units that are available now.
     *
     * @throws {IpcError} `EIDRM` when it was removed, `ENOSYS` where the platform cannot tell (`capabilities.value`).
     */
    get value(): number;
    /**
     * Adds all units or none, and wakes one wait for each unit.
     *
     * @param count - 1 to 32,767, with the backend `'posix'` on Linux 1 to 1,000,000; 1 when missing.
     * @throws {IpcError} `ERANGE` (POSIX: `EOVERFLOW`) when the counter would pass its limit, `EIDRM` when it was removed.
     */
    post(count?: number): void;
    /**
     * Takes a unit if one is available now; it does not queue behind pending waits.
     *
     * @returns False when the counter is 0.
     * @throws {IpcError} `EIDRM` when it was removed.
     */
    tryWait(): boolean;
    /**
     * Takes a unit, and waits until one is available: first come, first served in this process.
     *
     * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when it was removed, `ERR_CLOSED`; or the signal's reason.
     *
     * @example
     * ```ts
     * await ready.wait({ timeout: 5_000 })
     * ```
     */
    wait(options?: WaitOptions): Promise<void>;
    /**
     * Takes a unit, and blocks this thread until one is available: for scripts and workers.
     *
     * The thread runs no other code meanwhile, not even the handler of a signal.
     *
     * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when it was removed.
     */
    waitSync(options?: WaitSyncOptions): void;
    /**
     * Reads the kernel's facts about the semaphore, and the number of pending waits of this process.
     *
     * @throws {IpcError} `EIDRM` when it was removed.
     */
    info(): SemaphoreInfo;
    /** Makes pending waits of this handle keep the process alive, which is the default. */
    ref(): this;
    /** Lets the process end while waits of this handle are pending. */
    unref(): this;
    /**
     * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call except this one and `unlink()` throws it.
     * The semaphore itself stays for other handles.
     */
    close(): void;
    /**
     * Removes the semaphore of this handle, before or after `close()`. If another semaphore has the name by now, that
     * semaphore stays. A second call does nothing. A call that failed can be repeated.
     *
     * @throws {IpcError} `EPERM` (POSIX: `EACCES`) when it belongs to another user.
     */
    unlink(): void;
    /** The same as {@link close}. */
    [Symbol.dispose](): void;
    /** The same as {@link close}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** The facts about a semaphore. A fact is `undefined` if the system does not have it. */
interface SemaphoreInfo {
    /** The backend. */
    readonly backend: Backend;
    /** The name with its leading slash, where the semaphore carries it. */
    readonly name: string | undefined;
    /** The System V key, a signed 32-bit number. */
    readonly key: number | undefined;
    /** The System V set's id. */
    readonly id: number | undefined;
    /** The counter. */
    readonly value: number | undefined;
    /**
     * The number of threads of all processes that wait in the kernel; each process of this package has at most one there. A POSIX
     * semaphore keeps counting a thread that was killed while it waited.
     */
    readonly waiters: number | undefined;
    /** The number of pending waits of this process. */
    readonly pending: number;
    /** The process that changed the counter last; `undefined` for none, or for a process of another PID namespace. */
    readonly lastPid: number | undefined;
    /** The uid of the owner. */
    readonly uid: number | undefined;
    /** The gid of the owner. */
    readonly gid: number | undefined;
    /** Permission bits. */
    readonly mode: number | undefined;
    /** The time of the last operation, in whole seconds. */
    readonly operatedAt: Date | undefined;
    /** The time at which it was made, or last changed in owner, mode or (by semctl) value, in whole seconds. */
    readonly changedAt: Date | undefined;
    /** Whether it certainly belongs to this name, and not to another name with the same key. */
    readonly verified: boolean;
    /** Whether its name was removed or belongs to another one now (POSIX). */
    readonly removed: boolean;
}

/** All objects on this host that this process may read. */
interface Listing {
    readonly semaphores: SemaphoreInfo[];
    /** Limits. The set of semaphores of a limit is not among `semaphores`. */
    readonly limits: LimitInfo[];
    /** Locks. The set of semaphores of a lock is not among `semaphores`. */
    readonly locks: ListedLock[];
    /** Channels. The memory and the two semaphores of a channel are not among `memory` and `semaphores`. */
    readonly channels: ListedChannel[];
    readonly memory: SharedMemoryInfo[];
}
/**
 * Lists all objects on this host that this process may read, whichever program or language made them.
 *
 * @throws {IpcError} `ERR_NOT_SUPPORTED` where the platform cannot list its objects (`capabilities.list`).
 *
 * @example
 * ```ts
 * const { semaphores, limits, locks, channels, memory } = list()
 * for (const { name, key, value } of semaphores) console.log(name ?? key, value)
 * for (const { name, free, permits, holders } of limits) console.log(name, `${free}/${permits}`, holders)
 * for (const { name, processes } of locks) console.log(name, processes)
 * for (const { name, messages, receivers } of channels) console.log(name, messages, receivers)
 * for (const { name, key, size } of memory) console.log(name ?? key, size)
 * ```
 */
declare function list(): Listing;

/** The mode of a lock: `'exclusive'` has one holder; `'shared'` has any number of holders that all request `'shared'`. */
type LockMode = 'exclusive' | 'shared';
/** The options of a request. */
interface LockOptions {
    /** `'exclusive'` when missing. */
    mode?: LockMode;
    /** Takes the lock only if it is free now; otherwise the callback gets `null`. */
    ifAvailable?: boolean;
    /** Not supported: a process cannot take a lock away from another process. */
    steal?: boolean;
    /** Ends the wait; the promise rejects with `signal.reason`. After the grant the signal has no effect. */
    signal?: AbortSignal;
    /**
     * Milliseconds after which the request rejects with `ETIMEDOUT`, if the lock was not granted by then. 0 takes the lock
     * only if it is free. The DOM has no such option.
     */
    timeout?: number | undefined;
}
/** A lock that is held, of any {@link LockManager}: also of `node:worker_threads`, whose locks have neither signal nor fence. */
interface Lock {
    /** The name that was requested. */
    readonly name: string;
    /** The mode in which it is held. */
    readonly mode: LockMode;
    /**
     * Aborts with an `ERR_LOCK_LOST` when the lock is lost while it is held. A lock of `os-ipc/postgres` is lost with its
     * session.
     */
    readonly signal?: AbortSignal | undefined;
    /** A number that is larger than that of every earlier holder, where locks can be lost. */
    readonly fence?: number | undefined;
}
/** A lock of this host that is held; the argument of the callback. It is never lost. */
interface HostLock extends Lock {
    /** Never aborts: a lock of one host is never lost. */
    readonly signal: AbortSignal;
    /** `undefined`: a lock that is never lost needs no fence. */
    readonly fence: undefined;
}
/** The function that runs while the lock is held. The lock is released when the function's result has settled. */
type LockGrantedCallback<T> = (lock: Lock | null) => T;
/** The same for a lock of this host. */
type HostLockGrantedCallback<T> = (lock: HostLock | null) => T;
/** A holder of a lock, or a request that waits for one. */
interface LockInfo {
    /** The lock's name. */
    name: string;
    /** The mode in which it is held or requested. */
    mode: LockMode;
    /**
     * The process: `'node-PID'`. A process reads the same id in its own snapshot as others do in theirs. `'unknown'` where the
     * kernel does not tell the pid.
     */
    clientId: string;
    /** The thread of this process that made the request: `threadId` of `node:worker_threads`. Unknown for other processes. */
    threadId?: number;
    /** The pid; `undefined` where the kernel does not tell it. */
    pid?: number | undefined;
}
/** The locks that are held, and the requests that wait. */
interface LockManagerSnapshot {
    held: LockInfo[];
    pending: LockInfo[];
}
/**
 * Any locks in the shape of the DOM's `LockManager`: {@link locks}, a `PostgresLocks`, and the `locks` of `node:worker_threads`
 * are assignable to it.
 */
interface LockManager {
    /** Runs `callback` while it holds the lock, and resolves with its result. */
    request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
    request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
    /** Lists the locks that are held, and the requests that wait for them. */
    query(): Promise<LockManagerSnapshot>;
}
/** The type of {@link locks}, which is assignable to the DOM's `LockManager` and to that of `node:worker_threads`. */
interface HostLocks extends LockManager {
    /**
     * Runs `callback` while it holds the lock. Meanwhile no other callback on this host holds a lock of this name in a
     * conflicting mode.
     *
     * Requests of this process are granted in their order. The lock is released when the result of the callback has
     * settled, when the callback has thrown, and when the process dies.
     *
     * @param name - Any text of at most 250 bytes of UTF-8 that does not start with `-`.
     * @returns The result of the callback.
     * @throws The error that the callback throws, or the signal's reason. A `NotSupportedError` (`DOMException`) for a name
     * that starts with `-`, for `steal`, and for `signal` with `ifAvailable`. {@link IpcError} `ETIMEDOUT`; `EACCES` or
     * `ERR_FOREIGN_OWNER` where another user has a lock of this name, `ERR_NAME_COLLISION` where the name's key is taken,
     * `ENOSPC` at the host's limit.
     *
     * @example
     * ```ts
     * await locks.request('reports', async () => {
     *   // no other process of this host is in this callback
     * })
     * ```
     */
    request<T>(name: string, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>;
    request<T>(name: string, options: LockOptions, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>;
    /**
     * Lists the locks that are held on this host, and the requests that wait for them.
     *
     * `held` has the locks of this process in the order of their requests, then those of other processes. `pending` is in the
     * order of the requests; the requests of another process for one lock stand together, at the place of the first of them.
     *
     * @example
     * ```ts
     * const { held } = await locks.query()
     * for (const { name, mode, pid } of held) console.log(name, mode, pid)
     * ```
     */
    query(): Promise<LockManagerSnapshot>;
}

/** The fields of every event of a lock. */
interface LockMessage {
    /** The lock's name. */
    name: string;
    /** The requested mode. */
    mode: LockMode;
}
/** `os-ipc:lock:wait`: a request has to wait. */
interface LockWaitMessage extends LockMessage {
    /** The number of this wait, counted from 1 in each thread. The event that ends the wait has the same number. */
    wait: number;
}
/** `os-ipc:lock:acquired`: a lock was granted. */
interface LockAcquiredMessage extends LockMessage {
    /** The number of the wait that this ends; `undefined` when the lock was free at once. */
    wait: number | undefined;
    /** Milliseconds that the request waited; 0 when the lock was free at once. */
    waited: number;
}
/** `os-ipc:lock:timeout` and `os-ipc:lock:failed`: a wait ended without the lock. */
interface LockFailedMessage extends LockMessage {
    /** The number of the wait that this ends; `undefined` when the request had the timeout 0. */
    wait: number | undefined;
    /** Milliseconds that the request waited. */
    waited: number;
    /** The error with which the request rejects. */
    error: unknown;
}
/** `os-ipc:lock:released`: a lock was released. */
interface LockReleasedMessage extends LockMessage {
    /** Milliseconds that the lock was held; `undefined` when the channel had no subscriber at the time of the grant. */
    held: number | undefined;
}
/** The messages of the channels of `node:diagnostics_channel` to which locks publish. */
interface LockDiagnosticsMessages {
    'os-ipc:lock:wait': LockWaitMessage;
    'os-ipc:lock:acquired': LockAcquiredMessage;
    'os-ipc:lock:released': LockReleasedMessage;
    'os-ipc:lock:timeout': LockFailedMessage;
    'os-ipc:lock:failed': LockFailedMessage;
}

/**
 * `navigator.locks` for all processes of a user on this host: {@link https://w3c.github.io/web-locks/ Web Locks}.
 *
 * A lock exists while a process uses it. When its holder dies, also by `kill -9`, the next waiter gets the lock.
 *
 * @example
 * ```ts
 * await locks.request('cache', { mode: 'shared' }, async () => {
 *   // other sharing holders may be here as well, but no exclusive holder
 * })
 * const done = await locks.request('nightly', { ifAvailable: true }, async lock => {
 *   if (lock === null) return false // another process holds the lock
 *   return true
 * })
 * ```
 */
declare const locks: HostLocks;

/** The settings of a whole process, workers included. */
interface Settings {
    /**
     * Whether a wait may spin for a moment (0.05 ms at most) before its thread sleeps. It spins only if the last waits were
     * short.
     *
     * True, unless the process was started with `OS_IPC_SPIN=0`. Spinning makes a hand-over between processes several times
     * as fast. A failed spin costs up to 0.05 ms of processor time. This matters if many busy processes share few
     * processors.
     *
     * @throws {TypeError} When the value is not a boolean.
     */
    spin: boolean;
}
/**
 * The settings of the whole process.
 *
 * @example
 * ```ts
 * settings.spin = false
 * ```
 */
declare const settings: Settings;

/** The present facts about a channel. Other processes use it meanwhile, so each number may have changed already. */
interface ChannelInfo {
    readonly name: string;
    readonly capacity: number;
    readonly maxMessage: number;
    readonly codec: Codec;
    /** The bytes of the ring that messages use, with the 8 bytes before each of them. */
    readonly bytes: number;
    /** The messages that were sent and not received. */
    readonly messages: number;
    /** How many messages were sent so far, modulo 2^32. If a process is killed while it sends, the number can be too large. */
    readonly sent: number;
    /** How many messages were received so far, modulo 2^32; as for `sent`. */
    readonly received: number;
    /** The pids of the living processes that have sent to it and have it open. */
    readonly senders: number[];
    /** The pids of the living processes that have received from it and have it open. */
    readonly receivers: number[];
    /**
     * The process that copies a message into the channel now. If the pid stays the same, that process is stopped or in a
     * callback.
     */
    readonly sending: number | undefined;
    /** The process that copies a message out of the channel now. */
    readonly receiving: number | undefined;
    /** Whether `end()` was called. */
    readonly ended: boolean;
    /** Whether the channel was unlinked. */
    readonly removed: boolean;
}

/** The options of {@link Channel.create}. */
interface CreateChannelOptions {
    /** The bytes that messages can use, rounded up to a power of two: at most 1 GiB. A message can have half of it. */
    capacity: number;
    /** How values become bytes; `'structured'` when missing. */
    codec?: Codec | undefined;
    /**
     * Permission bits of its objects, independent of the umask; `0o600` when missing. Every user of a channel needs the
     * right to write.
     */
    mode?: number | undefined;
}
/** The options of {@link Channel.open}. */
interface OpenChannelOptions {
    /** Another owner whose channel this call may open, besides this user and root: a uid, or `'any'`. */
    owner?: Owner | undefined;
}
/** The options of {@link Channel.openOrCreate}. */
interface OpenOrCreateChannelOptions extends CreateChannelOptions, OpenChannelOptions {
}
/** The options of {@link Channel.receive}. */
interface ReceiveOptions extends WaitOptions {
    /**
     * The most messages that this call takes out of the channel; 1 when missing. The messages after the first are for later
     * calls.
     */
    prefetch?: number | undefined;
}
/** The options of {@link Channel.batches}. */
interface BatchesOptions extends WaitOptions {
    /** The most messages of a batch; 1,024 when missing. */
    max?: number | undefined;
}

/**
 * Messages between processes, through shared memory: many senders, many receivers, each message to one receiver, in the
 * order of its sender.
 *
 * It holds `capacity` bytes; senders wait while it is full. It exists until `unlink()`, with the messages in it. A
 * process that is killed loses the messages that it had received, and does not block the other processes.
 *
 * @example
 * ```ts
 * const tasks = Channel.openOrCreate('/tasks', { capacity: 1 << 20 })
 * await tasks.send({ id: 1 }) // in one process
 * for await (const task of tasks) console.log(task) // in others, until tasks.end()
 * ```
 */
declare class Channel<T = unknown> implements AsyncIterable<T>, Disposable {
    #private;
    /** The name with its leading slash. */
    readonly name: string;
    /** The bytes of the ring, a power of two. Each message uses 8 of them, and its own length rounded up to a multiple of 8. */
    readonly capacity: number;
    /** The longest message in bytes: half the capacity, less 8. */
    readonly maxMessage: number;
    /** The encoding that `send` uses. `receive` understands every codec. */
    readonly codec: Codec;
    /** Whether this call made the channel. */
    readonly created: boolean;
    private constructor();
    /**
     * Makes a new channel.
     *
     * @throws {IpcError} `EEXIST` when it exists already; `ENOSPC`, `ENOMEM` when there is no room (see the error's `hint`).
     *
     * @example
     * ```ts
     * const frames = Channel.create<Buffer>('/frames', { capacity: 64 << 20, codec: 'bytes' })
     * ```
     */
    static create<T = unknown>(name: string, options: CreateChannelOptions): Channel<T>;
    /**
     * Opens an existing channel.
     *
     * @throws {IpcError} `ENOENT` when it does not exist; `EACCES`; `ERR_FOREIGN_OWNER` when its owner is neither this user nor
     *   root nor `owner`; `ERR_NO_SLOT` when it is open 255 times; `ERR_VERSION`; `ERR_CORRUPT`; `ERR_NOT_SUPPORTED` when it
     *   belongs to another PID namespace.
     *
     * @example
     * ```ts
     * const frames = Channel.open<Buffer>('/frames')
     * ```
     */
    static open<T = unknown>(name: string, options?: OpenChannelOptions): Channel<T>;
    /**
     * Opens a channel, or makes it when it does not exist. A channel that exists keeps its capacity and codec.
     *
     * @throws {IpcError} as `open` and `create`.
     *
     * @example
     * ```ts
     * const tasks = Channel.openOrCreate('/tasks', { capacity: 1 << 20 })
     * ```
     */
    static openOrCreate<T = unknown>(name: string, options: OpenOrCreateChannelOptions): Channel<T>;
    /**
     * Removes the channel of this name. Processes that have it open can still receive the messages in it. All their other
     * calls fail with `EIDRM`.
     *
     * @returns False when no such channel exists.
     *
     * @example
     * ```ts
     * Channel.unlink('/tasks')
     * ```
     */
    static unlink(name: string): boolean;
    /**
     * Sends a message. When the promise resolves, the message is in the channel, and survives the death of this process.
     * Calls that wait at the same time keep their order. Do not change a `Buffer` before the promise resolves.
     *
     * @throws {TypeError} when the codec cannot encode the value, for example `undefined`.
     * @throws {IpcError} `ERR_MESSAGE_TOO_LARGE`; `ERR_ENDED`; `ETIMEDOUT` when there was no room in time; `ERR_CLOSED`;
     * `EIDRM`; `ERR_CORRUPT`.
     *
     * @example
     * ```ts
     * await tasks.send({ id: 1 }, { timeout: 1_000 })
     * ```
     */
    send(value: T, options?: WaitOptions): Promise<void>;
    /**
     * Sends a message if there is room at once. False means that the channel is full, that earlier sends of this handle
     * still wait, or that another process is sending now.
     *
     * @throws as `send`.
     *
     * @example
     * ```ts
     * if (!tasks.trySend({ id: 2 })) console.log('full')
     * ```
     */
    trySend(value: T): boolean;
    /**
     * Sends messages in their order, several at a time. This is faster than a `send` for each. If the call rejects, the
     * messages before the failed one have been sent.
     *
     * @throws {IpcError} as `send`.
     *
     * @example
     * ```ts
     * await tasks.sendMany([1, 2, 3].map(id => ({ id })))
     * ```
     */
    sendMany(values: Iterable<T>, options?: WaitOptions): Promise<void>;
    /**
     * Sends a message of `bytes` bytes that `fill` writes in place, without a copy. Receivers get a `Buffer`, whatever the
     * codec is.
     *
     * `fill` runs once, as soon as there is room. No other process can send until it returns, so it must be synchronous and
     * short. It must not use this channel. If it throws, nothing is sent.
     *
     * @throws {IpcError} as `send`.
     *
     * @example
     * ```ts
     * await frames.sendWith(640 * 480, view => view.fill(255))
     * ```
     */
    sendWith(bytes: number, fill: (view: Uint8Array) => void, options?: WaitOptions): Promise<void>;
    /**
     * Receives the next message; `undefined` once the channel has ended and is empty.
     *
     * With `prefetch`, the call takes up to this number of messages at once, and keeps them in this process for later
     * calls. This is faster. If this process dies or closes the channel, the kept messages are lost.
     *
     * @throws {IpcError} `ETIMEDOUT`; `ERR_BAD_MESSAGE` when the message cannot be decoded; `ERR_CLOSED`; `EIDRM`;
     * `ERR_CORRUPT`.
     *
     * @example
     * ```ts
     * const task = await tasks.receive({ timeout: 1_000 })
     * ```
     */
    receive(options?: ReceiveOptions): Promise<T | undefined>;
    /**
     * Receives the next message if one is there at once. `undefined` also means that the channel has ended, that earlier
     * receives of this handle still wait, or that another process is receiving now.
     *
     * @throws {IpcError} as `receive`.
     *
     * @example
     * ```ts
     * const task = tasks.tryReceive() ?? 'none'
     * ```
     */
    tryReceive(): T | undefined;
    /**
     * Receives the bytes of the next message, whatever its codec is, into `target`.
     *
     * @returns The length of the message; `undefined` once the channel has ended and is empty.
     * @throws {IpcError} `ERR_MESSAGE_TOO_LARGE` when `target` is too short, and the message then stays; otherwise as
     * `receive`.
     *
     * @example
     * ```ts
     * const frame = Buffer.alloc(frames.maxMessage)
     * const length = await frames.receiveInto(frame)
     * ```
     */
    receiveInto(target: Uint8Array, options?: WaitOptions): Promise<number | undefined>;
    /**
     * Calls `visit` with the bytes of each present message, up to `max` messages, in place and without a copy. The view is
     * valid until `visit` returns. Then the message is taken.
     *
     * No other process can receive meanwhile, so `visit` must be synchronous and short. It must not use this channel. If it
     * throws, its message stays.
     *
     * @returns The number of messages.
     * @throws {IpcError} `ERR_CLOSED`; `EIDRM`; `ERR_CORRUPT`.
     *
     * @example
     * ```ts
     * let sum = 0
     * frames.drain(view => { sum += view.length })
     * ```
     */
    drain(visit: (view: Uint8Array) => void, max?: number): number;
    /**
     * Receives one message after the other, until the channel has ended and is empty. `Readable.from(channel)` makes a
     * stream of it.
     */
    [Symbol.asyncIterator](): AsyncIterableIterator<T>;
    /**
     * Receives messages in arrays. Each array has all messages that are present, at least one and at most `max`.
     *
     * @example
     * ```ts
     * for await (const list of tasks.batches({ max: 100 })) console.log(list.length)
     * ```
     */
    batches(options?: BatchesOptions): AsyncIterableIterator<T[]>;
    /**
     * Ends the channel for all processes. Further sends reject with `ERR_ENDED`. Receivers get the messages that are left,
     * and then `undefined`.
     *
     * @example
     * ```ts
     * tasks.end()
     * ```
     */
    end(): void;
    /**
     * Reads the present facts about the channel.
     *
     * @throws {IpcError} `ERR_CLOSED`.
     *
     * @example
     * ```ts
     * const { messages, receivers } = tasks.info()
     * ```
     */
    info(): ChannelInfo;
    /** Makes pending calls of this handle keep the process alive, which is the default. */
    ref(): this;
    /** Lets the process end while calls of this handle are pending. */
    unref(): this;
    /**
     * Closes this handle: its pending calls reject with `ERR_CLOSED`, and its prefetched messages are lost. The channel
     * itself stays. A second call does nothing.
     *
     * @example
     * ```ts
     * tasks.close()
     * ```
     */
    close(): void;
    /**
     * Removes this channel, before or after `close()`; see {@link Channel.unlink}. If another channel has the name by now,
     * that channel stays. A second call does nothing.
     *
     * @example
     * ```ts
     * tasks.unlink()
     * ```
     */
    unlink(): void;
    /** The same as {@link Channel.close}. */
    [Symbol.dispose](): void;
}

/** `os-ipc:channel:sent` and `os-ipc:channel:received`: messages of a {@link Channel} were sent or received. */
interface ChannelMessage {
    /** The name of the channel. */
    name: string;
    /** The number of messages that the call sent or took at once. */
    messages: number;
}
/**
 * `os-ipc:channel:wait`: a call begins to wait, because there is no room or no message, or because another process sends
 * or receives now.
 */
interface ChannelWaitMessage {
    /** The name of the channel. */
    name: string;
    /** The side that waits. */
    side: 'send' | 'receive';
}
/** The messages of the channels of `node:diagnostics_channel` to which a {@link Channel} publishes. */
interface ChannelDiagnosticsMessages {
    'os-ipc:channel:sent': ChannelMessage;
    'os-ipc:channel:received': ChannelMessage;
    'os-ipc:channel:wait': ChannelWaitMessage;
}

export { Channel, IpcError, Limit, Permit, Semaphore, SharedMemory, capabilities, ftok, list, locks, settings };
export type { AcquiredMessage, Backend, BackendOptions, BatchesOptions, Capabilities, ChannelDiagnosticsMessages, ChannelInfo, ChannelMessage, ChannelWaitMessage, Codec, CreateChannelOptions, CreateLimitOptions, CreateSemaphoreOptions, CreateSharedMemoryOptions, DiagnosticsMessages, FailedMessage, HostLock, HostLockGrantedCallback, HostLocks, Id, IpcErrorDetails, LimitCapabilities, LimitEngine, LimitEngineOptions, LimitHolder, LimitInfo, ListedChannel, ListedLock, Listing, Lock, LockAcquiredMessage, LockDiagnosticsMessages, LockFailedMessage, LockGrantedCallback, LockInfo, LockManager, LockManagerSnapshot, LockMessage, LockMode, LockOptions, LockReleasedMessage, LockWaitMessage, OpenChannelOptions, OpenLimitOptions, OpenOrCreateChannelOptions, OpenOrCreateLimitOptions, OpenOrCreateSemaphoreOptions, OpenOrCreateSharedMemoryOptions, OpenSemaphoreOptions, OpenSharedMemoryOptions, Owner, PerBackend, PermitLike, PermitSource, PermitSourceInfo, ReceiveOptions, ReleasedMessage, SemaphoreInfo, SemaphoreMessage, Settings, SharedMemoryInfo, WaitMessage, WaitOptions, WaitSyncOptions };
