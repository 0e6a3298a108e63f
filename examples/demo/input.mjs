// The file: checks it, reads it into shared memory, and hashes the bytes on the disk.

import { createHash } from 'node:crypto'
import { constants, createReadStream, statfsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { freemem } from 'node:os'

import { sliceOf } from './plan.mjs'

const CHUNK_BYTES = 1024 * 1024

/** The reason why the demo cannot begin, in one line. */
export class Unfit extends Error {}

/** Opens a file that is not empty and that fits into shared memory. */
export async function openInput(path) {
  // A FIFO must not make the demo wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(error => {
    throw new Unfit(`${path}: ${REASONS[error.code] ?? error.message}`)
  })
  try {
    const stat = await file.stat()
    if (stat.isDirectory()) throw new Unfit(`${path}: this is a directory`)
    if (!stat.isFile()) throw new Unfit(`${path}: this is not a regular file`)
    if (stat.size === 0) throw new Unfit(`${path}: the file is empty`)
    const room = roomForMemory()
    if (stat.size > room) throw tooLarge(path, stat.size, room)
    return { path, file, size: stat.size }
  } catch (error) {
    await file.close()
    throw error
  }
}

const REASONS = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'this is a directory',
}

export function tooLarge(path, size, room) {
  const free = room === undefined ? '' : ` (${megabytes(room)} free)`
  return new Unfit(`${path}: ${megabytes(size)} are more than shared memory has room for${free}`)
}

/** The room for the file: free memory, and on Linux the file system that holds POSIX segments. */
function roomForMemory() {
  if (process.platform !== 'linux') return freemem()
  const { bavail, bsize } = statfsSync('/dev/shm')
  return Math.min(freemem(), bavail * bsize)
}

/** Reads the file into the segment, a piece at a time, straight into shared memory. */
export async function load({ path, file, size }, segment, onProgress) {
  for (let position = 0; position < size; ) {
    const length = Math.min(CHUNK_BYTES, size - position)
    const view = new Uint8Array(segment.buffer, position, length)
    const { bytesRead } = await file.read(view, 0, length, position)
    if (bytesRead === 0) throw new Unfit(`${path}: the file became shorter while it was read`)
    position += bytesRead
    onProgress(position / size)
  }
}

/** The hash of every slice, read from the disk again. */
export async function hashesOnDisk(path, count, size) {
  const hashes = []
  for (let slice = 0; slice < count; slice++) {
    const { offset, length } = sliceOf(slice, count, size)
    const hasher = createHash('sha256')
    for await (const chunk of createReadStream(path, { start: offset, end: offset + length - 1 })) {
      hasher.update(chunk)
    }
    hashes.push(hasher.digest('hex'))
  }
  return hashes
}

export function megabytes(bytes) {
  return bytes < 1e6 ? `${bytes.toLocaleString('en')} bytes` : `${(bytes / 1e6).toFixed(1)} MB`
}
