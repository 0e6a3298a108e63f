// A removal by a process that is slow: another object can have the name meanwhile.

import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { removeNamed, uniqueName } from '../shared/names.ts'
import { requires } from '../shared/requires.ts'
import { injected } from '../shared/surroundings.ts'

const posix = { backend: 'posix' } as const
const kinds = {
  memory: {
    call: 'unlinkat',
    create: (name: string) => SharedMemory.create(name, { size: 8 }),
    open: (name: string) => SharedMemory.open(name),
    unlink: (name: string) => SharedMemory.unlink(name),
  },
  semaphore: {
    call: 'unlink',
    create: (name: string) => Semaphore.create(name, { initial: 0, ...posix }),
    open: (name: string) => Semaphore.open(name, posix),
    unlink: (name: string) => Semaphore.unlink(name, posix),
  },
}

for (const [kind, { call, create, open, unlink }] of Object.entries(kinds)) {
  const slow = injected(`${call}:delay_enter=150000`)
  requires(slow)(`unlink() leaves an object that takes the name at that moment (${kind})`, async t => {
    const name = uniqueName(t)
    t.teardown(() => removeNamed(name))
    create(name).close()
    const remover = child(t, 'memory/unlink-slowly.ts', { args: [kind, name], within: [slow] })
    t.is(await remover.next(), 'open')
    remover.send('go')
    t.is(await remover.next(), 'unlinking')
    // It has compared the object with the one that has the name, and is about to remove the name.
    await sleep(50)
    unlink(name)
    create(name).close()
    t.is(await remover.next(), 'unlinked')
    t.notThrows(() => open(name).close())
  })
}
