// process.execve keeps the pid and the kernel's undo list, but no permit that is not handed on.

import { child } from '../shared/child.ts'
import { execve } from '../shared/needs.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'

onEachEngine(execve)(
  'a new image gives back what the old one held, when it first opens the limit',
  async (t, engine) => {
    const limit = ownLimit(t, 4, { engine })
    const other = child(t, 'limit/exec-with-permits.ts', { args: [limit.name, 'forget'] })
    t.is(await other.next(), 'held')
    const { pid } = other
    t.deepEqual(limit.info().holders, [{ pid, permits: 2 }])
    other.send('exec')
    t.is(await other.next(), 'again')
    // The kernel cannot tell the images apart.
    t.like(limit.info(), { free: 2, holders: [{ pid, permits: 2 }] })
    other.send('open')
    t.deepEqual(await other.next(), [])
    t.is(freeOf(limit), 4)
    other.send('acquire')
    t.is(await other.next(), 'held')
    other.send('open again')
    t.deepEqual(await other.next(), [{ pid, permits: 1 }])
    t.like(limit.info(), { free: 3, holders: [{ pid, permits: 1 }] })
    other.kill('SIGKILL')
    await other.exit
    t.like(limit.info(), { free: 4, holders: [], unnamed: 0 }, 'nothing is undone twice')
  },
)

onEachEngine(execve)(
  'a permit that is handed on stays with the new image, until its process ends',
  async (t, engine) => {
    const limit = ownLimit(t, 4, { engine })
    const other = child(t, 'limit/exec-with-permits.ts', { args: [limit.name, 'hand on'] })
    t.is(await other.next(), 'held')
    const { pid } = other
    other.send('exec')
    t.is(await other.next(), 'again')
    other.send('open')
    t.deepEqual(await other.next(), [{ pid, permits: 2 }])
    other.send('acquire')
    t.is(await other.next(), 'held')
    t.like(limit.info(), { free: 1, holders: [{ pid, permits: 3 }], unnamed: 0 })
    other.send('end')
    t.is((await other.exit).code, 0)
    t.like(limit.info(), { free: 4, holders: [], unnamed: 0 })
  },
)

onEachEngine(execve)(
  'an image that never opens the limit keeps the permits until its process ends',
  async (t, engine) => {
    const limit = ownLimit(t, 4, { engine })
    const other = child(t, 'limit/exec-with-permits.ts', { args: [limit.name, 'forget'] })
    t.is(await other.next(), 'held')
    other.send('exec')
    t.is(await other.next(), 'again')
    const waiting = limit.resize(0, { timeout: 15_000 })
    other.kill('SIGKILL')
    await waiting
    t.like(limit.info(), { permits: 0, free: 0, holders: [] })
  },
)

onEachEngine()('a permit can be taken back from the next image', (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = limit.tryAcquire() as unknown as { [handOn: symbol]: (on: boolean) => void; release(): void }
  const handOn = Symbol.for('os-ipc.handOn')
  for (const on of [true, true, false, true, false]) permit[handOn]?.(on)
  t.deepEqual(limit.info().holders, [{ pid: process.pid, permits: 1 }])
  permit.release()
  t.like(limit.info(), { free: 1, holders: [], unnamed: 0 })
})
