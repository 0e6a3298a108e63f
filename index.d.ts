/// <reference lib="esnext.disposable" />
/// <reference types="node" />
/// <reference lib="esnext.disposable" />
/** What an {@link IpcError} carries besides its message. */
interface IpcErrorDetails {
    errno?: number | undefined;
    syscall?: string | undefined;
    hint?: string | undefined;
    cause?: unknown;
}
/**
 * An operation that the operating system, or the state of the object, did not allow.
 *
 * It looks like a system error of Node: `ENOSPC: cannot create the semaphore, semget '/jobs'`.
 * Misuse (a wrong type, a bad name, a number out of range) is a `TypeError` or a `RangeError` instead.
 *
 * @example
 * ```ts
 * try {
 *   Semaphore.open('/jobs')
 * } catch (error) {
 *   if (error.code !== 'ENOENT') throw error
 * }
 * ```
 */
declare class IpcError extends Error {
    /** The errno's name (`'EEXIST'`, `'EIDRM'`, ...) or a code of this package (`'ERR_NAME_COLLISION'`, ...). */
    readonly code: string;
    /** The negative errno, as in Node's own errors; only where a system call failed. */
    readonly errno?: number;
    /** The system call that failed, such as `'semget'`. */
    readonly syscall?: string;
    /** What to do about it, where the code alone misleads. */
    readonly hint?: string;
    constructor(code: string, message: string, { errno, syscall, hint, cause }?: IpcErrorDetails);
}

/**
 * The System V key that C derives from an existing file and a number: {@link https://man7.org/linux/man-pages/man3/ftok.3.html ftok(3)}.
 *
 * @param path - A file that exists; only its device and inode count.
 * @param projectId - 1 to 255.
 * @returns A signed 32-bit key for `Semaphore` and `SharedMemory`.
 * @throws {IpcError} `ENOENT`, `EACCES`, ... when the file cannot be looked at.
 *
 * @example
 * ```ts
 * const jobs = Semaphore.openOrCreate(ftok('/etc/hostname', 1), { initial: 1 })
 * ```
 */
declare function ftok(path: string, projectId: number): number;

export { IpcError, ftok };
