// A peer truncates an object that this process has mapped: the Go library does, when it expects another size.

import { openSync, statSync, truncateSync } from 'node:fs'

import type { ExecutionContext } from 'ava'

import { SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { go } from '../shared/peers.ts'
import { linux, requires } from '../shared/requires.ts'
import { withTmpfs } from '../shared/surroundings.ts'

const truncated = {
  name: 'IpcError',
  code: 'ERR_TRUNCATED',
  message: /another process truncated .* from \d+ to \d+ bytes/,
}

function allTruncated(t: ExecutionContext, memory: SharedMemory): void {
  t.throws(() => memory.read(new Uint8Array(memory.size)), truncated)
  t.throws(() => memory.write(new Uint8Array(memory.size)), truncated)
  t.throws(() => memory.write('x', memory.size - 1), truncated)
  t.throws(() => memory.toBuffer(), truncated)
  t.throws(() => memory.toBuffer(memory.size - 1), truncated)
  t.throws(() => memory.clear(), truncated)
}

requires(linux)('read, write, toBuffer and clear beyond a truncation throw ERR_TRUNCATED', t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 20_000 })
  memory.write(Buffer.alloc(20_000, 7))
  for (const size of [19_999, 16_384, 10_000, 1, 0]) {
    truncateSync(`/dev/shm${name}`, size)
    allTruncated(t, memory)
    t.is(memory.info().size, size)
    t.is(memory.size, 20_000)
    t.deepEqual(memory.toBuffer(0, size), Buffer.alloc(size, 7))
    t.is(statSync(`/dev/shm${name}`).size, size, 'no call extended it again')
  }
  truncateSync(`/dev/shm${name}`, 20_000)
  memory.write('again', 12_000)
  t.is(SharedMemory.open(name).toBuffer(12_000, 5).toString(), 'again')
})

requires(go)('an open by the Go library with a smaller size is ERR_TRUNCATED here', async t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 20_000 })
  await go.run(t, 'shm-posix', 'ensure', name, 4096)
  allTruncated(t, memory)
})

requires(linux)('a view beyond a truncation reads zeros and does not end the process', t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 20_000 })
  const view = new Uint8Array(memory.buffer).fill(7)
  truncateSync(`/dev/shm${name}`, 4096)
  t.deepEqual([view[0], view[4095], view[4096], view[19_999]], [7, 7, 0, 0])
  view[10_000] = 9
  allTruncated(t, memory)
  truncateSync(`/dev/shm${name}`, 20_000)
  memory.write('shared', 10_000)
  t.is(view[10_000], 's'.charCodeAt(0), 'the pages belong to the object again')
  view[10_001] = 33
  t.is(SharedMemory.open(name).toBuffer(10_001, 1)[0], 33)
})

requires(linux)(
  'in the last page, stores of a view behind a truncation stay, and other bytes there are lost',
  t => {
    const name = uniqueName(t)
    using memory = SharedMemory.create(name, { size: 20_000 })
    const view = new Uint8Array(memory.buffer).fill(7)
    truncateSync(`/dev/shm${name}`, 19_000)
    t.throws(() => memory.read(new Uint8Array(1_000), 19_000), truncated)
    view[19_500] = 9
    t.is(memory.toBuffer(19_500, 1)[0], 9)
    t.throws(() => memory.toBuffer(19_500, 2), truncated)
    t.throws(() => memory.write('lost', 19_496), { code: 'ERR_TRUNCATED' })
  },
)

requires(linux)('truncating and extending an object all the time never ends the process', async t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 1 << 20 })
  const cutter = child(t, 'memory/cut.ts', { args: [name, 1 << 20] })
  t.is(await cutter.next(), 'cutting')
  const buffer = Buffer.alloc(1 << 20)
  let cuts = 0
  const start = performance.now()
  const since = () => performance.now() - start
  while (since() < 2_000 || (cuts === 0 && since() < 25_000)) {
    for (const copy of [() => memory.read(buffer), () => memory.write(buffer), () => memory.clear()]) {
      try {
        copy()
      } catch (error) {
        // ENOSPC: the size was right again when the copy checked the missing page.
        t.regex((error as { code: string }).code, /^(ERR_TRUNCATED|ENOSPC)$/)
        cuts += 1
      }
    }
  }
  t.true(cuts > 0)
})

requires(withTmpfs('1m'))(
  'an object that its peer sized without room is ENOSPC at the first access',
  async t => {
    const sparse = child(t, 'memory/sparse.ts', { within: [withTmpfs('1m')] })
    t.like(await sparse.next(), { code: 'ENOSPC' })
    t.like(await sparse.next(), { code: 'ENOSPC' })
    t.is(await sparse.next(), 'alive')
  },
)

requires(linux)('open gives up an object without a size after one second', t => {
  const name = uniqueName(t)
  openSync(`/dev/shm${name}`, 'w')
  const start = performance.now()
  t.throws(() => SharedMemory.open(name), { name: 'IpcError', code: 'ERR_NOT_INITIALISED' })
  const elapsed = performance.now() - start
  t.true(elapsed > 900 && elapsed < 25_000, `${elapsed} ms`)
})
