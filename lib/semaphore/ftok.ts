import { checked, wrongType, wrongValue } from '../errors.js'
import { native } from '../addon/native.js'
import { checkInteger } from '../options.js'

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
export function ftok(path: string, projectId: number): number {
  if (typeof path !== 'string') throw wrongType('path', 'a string', path)
  if (!path.isWellFormed()) throw wrongValue('a path is well-formed Unicode: it has a lone surrogate')
  return checked(native.ftok(path, checkInteger('projectId', projectId, 1, 255)))
}
