import type { OpenedMemory } from '../../native.cjs'
import { native } from '../addon/native.js'
import { type Answer, fromNative } from '../errors.js'
import { MemoryHandle } from '../memory/handle.js'
import type { Owner } from '../options.js'
import { evaluation } from '../waiting/settling.js'
import { ofChannel } from './failures.js'
import { HEADER, REMOVED, STATE } from './layout.js'
import { memoryName } from './names.js'

export function createMemory(name: string, capacity: number, mode: number): MemoryHandle {
  return handleOf(name, 'create', () =>
    native.memoryCreate(evaluation.session, memoryName(name), HEADER + capacity, mode),
  )
}

export function openMemory(name: string, owner: Owner | undefined): MemoryHandle {
  const open = () => native.memoryOpen(evaluation.session, memoryName(name), false, owner)
  return handleOf(name, 'open', open)
}

function handleOf(name: string, what: string, open: () => Answer<OpenedMemory>): MemoryHandle {
  const opened = open()
  if (typeof opened === 'string') throw ofChannel(name, what, fromNative(opened))
  return new MemoryHandle(opened, false)
}

/** Whether the channel of this memory was removed, or a process has begun to remove it. */
export function isRemoved(buffer: ArrayBuffer): boolean {
  return (Atomics.load(new Int32Array(buffer, 0, HEADER / 4), STATE) & REMOVED) !== 0
}
