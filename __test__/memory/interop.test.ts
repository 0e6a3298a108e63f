// Memory shared with other languages: both directions, both orders of creation.

import { SharedMemory } from '../../index.js'
import { kinds } from './helpers/memory.ts'
import { uniqueName } from '../shared/names.ts'
import { go, peers, python } from '../shared/peers.ts'
import { requires } from '../shared/requires.ts'

const hex = (text: string) => Buffer.from(text).toString('hex')

for (const peer of peers) {
  for (const { kind, uniqueId } of kinds) {
    const facility = `shm-${kind}`

    requires(peer)(`${peer.language} opens what we made (${kind})`, async t => {
      const id = uniqueId(t)
      using memory = SharedMemory.create(id, { size: 10_000 })
      t.is(await peer.run(t, facility, 'size', id), '10000')
      memory.write('from node', 100)
      t.is(await peer.run(t, facility, 'read', id, 100, 9), hex('from node'))
      t.is(await peer.run(t, facility, 'write', id, 9_990, hex('from peer!')), 'ok')
      t.is(memory.toBuffer(9_990).toString(), 'from peer!')
      t.is(new Uint8Array(memory.buffer)[9_999], '!'.charCodeAt(0))
      if (kind === 'sysv') t.is(await peer.run(t, facility, 'id', id), String(memory.id))
    })

    requires(peer)(`os-ipc opens memory that ${peer.language} made (${kind})`, async t => {
      const id = uniqueId(t)
      t.is(await peer.run(t, facility, 'create', id, 10_000), 'ok')
      using memory = SharedMemory.openOrCreate(id, { size: 10_000 })
      t.like(memory, { size: 10_000, created: false })
      t.is(await peer.run(t, facility, 'write', id, 0, hex('first')), 'ok')
      t.is(memory.toBuffer(0, 5).toString(), 'first')
      memory.write('second', 9_994)
      t.is(await peer.run(t, facility, 'read', id, 9_994, 6), hex('second'))
      t.is(await peer.run(t, facility, 'unlink', id), 'ok')
      t.true(memory.info().removed)
      t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
    })

    requires(peer)(
      `${peer.language} does not find removed memory, and does not make memory that exists (${kind})`,
      async t => {
        const id = uniqueId(t)
        using memory = SharedMemory.create(id, { size: 4096 })
        await t.throwsAsync(peer.run(t, facility, 'create', id, 4096), { code: 'EEXIST' })
        memory.unlink()
        await t.throwsAsync(peer.run(t, facility, 'open', id), { code: 'ENOENT' })
      },
    )
  }
}

requires(go)('the Go library, which truncates at each open, works when the sizes agree', async t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 8192 })
  memory.write('kept', 8000)
  t.is(await go.run(t, 'shm-posix', 'ensure', name, 8192), 'ok')
  t.is(memory.toBuffer(8000, 4).toString(), 'kept')
  const other = uniqueName(t)
  t.is(await go.run(t, 'shm-posix', 'ensure', other, 8192), 'ok')
  t.is(SharedMemory.open(other).size, 8192)
})

requires(python)('multiprocessing.shared_memory opens memory that os-ipc made', async t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 5000 })
  const plain = name.slice(1)
  t.is(await python.run(t, 'shm-python', 'size', plain), '5000')
  memory.write('node', 4000)
  t.is(await python.run(t, 'shm-python', 'read', plain, 4000, 4), hex('node'))
  t.is(await python.run(t, 'shm-python', 'write', plain, 0, hex('python')), 'ok')
  t.is(memory.toBuffer(0, 6).toString(), 'python')
  t.false(memory.info().removed, "Python's resource tracker left it alone")
})

requires(python)('os-ipc opens memory that multiprocessing.shared_memory made', async t => {
  const name = uniqueName(t)
  const plain = name.slice(1)
  t.is(await python.run(t, 'shm-python', 'create', plain, 5000), 'ok')
  using memory = SharedMemory.open(name)
  t.is(memory.size, 5000)
  memory.write('node')
  t.is(await python.run(t, 'shm-python', 'read', plain, 0, 4), hex('node'))
  t.is(await python.run(t, 'shm-python', 'unlink', plain), 'ok')
  t.true(memory.info().removed)
})
