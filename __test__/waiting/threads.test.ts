// At the limit of threads a wait fails, the process lives, and the next wait works where threads are free again.

import { spawnSync } from 'node:child_process'

import { backends } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { requires } from '../shared/requires.ts'
import { asUser } from '../shared/surroundings.ts'

/** A uid that no other process uses, because the limit counts all threads of a user. */
const USER = 61_235
const user = asUser(USER)

/** The outcomes of every kind of wait. */
const all = (end: string) => ({ wait: end, 'a wait with a timeout': end, 'an unref wait': end })

for (const backend of backends) {
  for (const [node, alone] of nodes.flatMap(node => [
    [node, 'alone'] as const,
    [node, 'with a worker'] as const,
  ])) {
    requires(user).serial(
      `no wait aborts the process where no thread can be made (${backend}, Node ${node.major}, ${alone})`,
      async t => {
        const name = uniqueName(t)
        const process = child(t, 'waiting/at-thread-limit.ts', {
          node,
          args: [backend, name, alone],
          within: [user],
        })
        const limit = (threads: number) => {
          const [file = '', ...rest] = user.wrap([
            'prlimit',
            '--pid',
            `${process.pid}`,
            `--nproc=${threads}:`,
          ])
          t.is(spawnSync(file, rest).status, 0)
        }
        t.is(await process.next(), 'limited')
        limit(1)
        process.send('go')
        const limited = (await process.next()) as { main: Record<string, string>; worker: object }
        // Where libuv's pool has started before, it may serve the main thread's waits.
        for (const [what, end] of Object.entries(limited.main)) {
          t.true(end === 'EAGAIN' || (end === 'got it' && what !== 'a lock'), `${what}: ${end}`)
        }
        t.is(limited.main['an unref wait'], 'EAGAIN')
        if (alone !== 'alone') t.deepEqual(limited.worker, all('EAGAIN'))
        t.is(await process.next(), 'free')
        limit(1_000)
        process.send('go')
        const free = await process.next()
        t.like(free, { main: { ...all('got it'), 'a lock': 'got it' } })
        if (alone !== 'alone') t.like(free, { worker: all('got it') })
        t.is(await process.next(), 'the first wait has its unit')
        t.like(await process.exit, { code: 0, signal: null })
      },
    )
  }
}
