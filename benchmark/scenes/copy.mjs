import { cannot, go, bareCalls, node, python } from '../shared/contenders.mjs'
import { BYTES, fill, sum } from '../shared/fill.mjs'
import { inProcess, onlyLocks } from '../shared/reasons.mjs'
import { ratio, reported, worst } from '../shared/targets.mjs'

/** The offset of the private memory within its page: that of a Buffer is 16 bytes. */
const OFFSETS = [0, 16, 32, 48, 64, 4080]
/** The offsets at which the bare calls are measured: memcpy is fastest at 0, and slowest at 16 on AMD Zen. */
const BARE_OFFSETS = [0, 16, 64]

/** A segment, and `own` bytes that begin `offset` bytes behind a page; a second segment gives such an address. */
async function memories({ object, atTheEnd, sumOf }, offset, direction, kind = 'posix') {
  const { SharedMemory } = await import('../shared/ours.mjs')
  const id = kind === 'posix' ? object : 0x62660000 + (process.pid & 0xffff)
  const shared = SharedMemory.create(id, { size: BYTES })
  const second = SharedMemory.create(`${object}-own`, { size: BYTES + 2 * 4096 })
  atTheEnd(() => {
    shared.unlink()
    second.unlink()
  })
  const own = fill(new Uint8Array(second.buffer, offset, BYTES))
  shared.write(own)
  if (direction === 'read') own.fill(0)
  if (direction === 'write') shared.clear()
  if (direction) sumOf(() => sum(direction === 'read' ? own : shared.toBuffer()))
  return { shared, own }
}

const read = (offset, kind) =>
  node(async context => {
    const { shared, own } = await memories(context, offset, 'read', kind)
    return count => {
      let bytes = 0
      for (let index = 0; index < count; index += 1) bytes += shared.read(own)
      return { work: bytes }
    }
  })

const write = offset =>
  node(async context => {
    const { shared, own } = await memories(context, offset, 'write')
    return count => {
      let bytes = 0
      for (let index = 0; index < count; index += 1) bytes += shared.write(own)
      return { work: bytes }
    }
  })

const writeAndClear = kind =>
  node(async context => {
    const { shared, own } = await memories(context, 16, undefined, kind)
    return count => {
      let bytes = 0
      for (let index = 0; index < count; index += 1) {
        bytes += shared.write(own)
        shared.clear()
      }
      return { work: bytes }
    }
  })

/** Two memories of shm-typed-array; `from` and `to` give the direction of the copy. */
const shmTypedArray = (offset, direction) =>
  node(async ({ object, atTheEnd }) => {
    const { default: shm } = await import('shm-typed-array')
    const shared = shm.create(BYTES, 'Buffer', object)
    const own = shm.create(BYTES + 2 * 4096, 'Buffer', `${object}-own`).subarray(offset, offset + BYTES)
    atTheEnd(() => {
      shm.destroy(object)
      shm.destroy(`${object}-own`)
    })
    fill(own)
    const [from, to] = direction === 'read' ? [shared, own] : [own, shared]
    return count => {
      for (let index = 0; index < count; index += 1) to.set(from)
      return { work: count * BYTES }
    }
  })

/** The copy of Node itself, over the `buffer` of os-ipc. */
const set = offset =>
  node(async context => {
    const { shared, own } = await memories(context, offset)
    const view = new Uint8Array(shared.buffer)
    return count => {
      for (let index = 0; index < count; index += 1) own.set(view)
      return { work: count * BYTES }
    }
  })

const reads = Object.fromEntries(OFFSETS.map(offset => [`os-ipc, read at ${offset}`, read(offset)]))
const writes = Object.fromEntries(OFFSETS.map(offset => [`os-ipc, write at ${offset}`, write(offset)]))
const limits = direction =>
  Object.fromEntries(
    BARE_OFFSETS.map(offset => [
      `bare calls, ${direction} at ${offset}`,
      bareCalls('copy', direction, String(offset)),
    ]),
  )

export const scene = {
  name: 'copy',
  title: '146,000 bytes out of a segment and into it; the number is the offset of the other side in its page',
  operation: 'a copy',
  work: BYTES,
  contenders: {
    ...reads,
    ...limits('read'),
    ...writes,
    ...limits('write'),
    'os-ipc, write + clear': writeAndClear('posix'),
    'os-ipc, System V, read at 16': read(16, 'sysv'),
    'os-ipc, System V, write + clear': writeAndClear('sysv'),
    'Go, READ': go('memory', 'read'),
    'Go, WRITE + Clear': go('memory', 'write'),
    'shm-typed-array, read at 0': shmTypedArray(0, 'read'),
    'shm-typed-array, read at 16': shmTypedArray(16, 'read'),
    'shm-typed-array, write at 0': shmTypedArray(0, 'write'),
    'shm-typed-array, write at 16': shmTypedArray(16, 'write'),
    'TypedArray.set over os-ipc, read at 16': set(16),
    'Python sysv_ipc, read': python('copy', 'sysv', 'read'),
    'Python posix_ipc, read': python('copy', 'posix', 'read'),
    'Python posix_ipc, write': python('copy', 'posix', 'write'),
    'fs-ext': onlyLocks,
    'os-lock': onlyLocks,
    'proper-lockfile': onlyLocks,
    'async-mutex': inProcess,
    'Unix socket': cannot('see the scene `message`'),
    'process.send': cannot('see the scene `message`'),
  },
  targets: [
    worst(
      'slowest read of os-ipc / best memcpy',
      Object.keys(reads),
      BARE_OFFSETS.map(offset => `bare calls, read at ${offset}`),
      1.25,
    ),
    // With the kind of segments that Go's library has.
    ...reported(
      worst(
        'slowest write of os-ipc / best memcpy',
        Object.keys(writes),
        BARE_OFFSETS.map(offset => `bare calls, write at ${offset}`),
        1.25,
      ),
      ratio('os-ipc, System V, read at 16', 'Go, READ', 1.1),
      ratio('os-ipc, System V, write + clear', 'Go, WRITE + Clear', 1.1),
    ),
  ],
}
