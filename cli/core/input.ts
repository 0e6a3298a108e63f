import { createReadStream, fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'

/**
 * Standard input. For a folder or a disk, `process.stdin` would be an empty stream. A stream of the file itself fails for a
 * folder, and reads a disk.
 */
export function standardInput(): Readable {
  return isFolderOrDisk() ? createReadStream('', { fd: 0, autoClose: false }) : process.stdin
}

function isFolderOrDisk(): boolean {
  try {
    const type = fstatSync(0)
    return type.isDirectory() || type.isBlockDevice()
  } catch {
    return false // `process.stdin` reports what is wrong with it.
  }
}
