// process.execve: the pid and the kernel's undo list stay, and no handle does.

import { child } from '../shared/child.ts'
import { hold } from './helpers/hold.ts'
import { onEveryEngine } from './helpers/locks.ts'
import { execve, requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

onEveryEngine(engine => {
  const { name: engineName, manager, folder, lockName, isThere } = engine

  for (const how of ['exclusive', 'shared', 'gate']) {
    requires(execve)(
      `after execve, the new image releases the old image's lock when it uses it: ${how} (${engineName})`,
      async t => {
        const name = lockName(t)
        const release = how === 'gate' ? await hold(manager, name, { mode: 'shared' }) : undefined
        const other = child(t, 'lock/exec-with-locks.ts', { args: [folder, name, how] })
        t.deepEqual(await other.next(), { old: how === 'gate' ? [0, 2] : [1, 1] })
        if (how === 'gate') {
          const taken = () => manager.request(name, { mode: 'shared', ifAvailable: true }, lock => lock)
          await until('the gate is shut', async () => (await taken()) === null)
        }
        const { pid } = other
        other.send('exec')
        // Query shows the kernel's facts: execve closes files, but a set keeps its undo list.
        const kept = engineName === 'sysv'
        t.deepEqual(await other.next(), { again: !kept ? [0, 0] : how === 'gate' ? [0, 2] : [1, 1] })
        t.deepEqual(await other.next(), { mode: 'shared' })
        t.deepEqual(await other.next(), { after: [0, 0] })
        t.is(other.pid, pid)
        await release?.()
        t.is(await manager.request(name, lock => lock?.mode), 'exclusive')
        other.send('end')
        t.is((await other.exit).code, 0)
        t.is(await manager.request(name, lock => lock?.mode), 'exclusive', 'nothing is undone twice')
        await until('nothing is left', () => !isThere(name))
      },
    )
  }

  requires(execve)(
    `a lock that is never used again after execve is free when the process ends (${engineName})`,
    async t => {
      const name = lockName(t)
      const other = child(t, 'lock/exec-with-locks.ts', { args: [folder, name, 'exclusive'] })
      t.deepEqual(await other.next(), { old: [1, 1] })
      other.send('exec')
      t.truthy(await other.next())
      other.kill('SIGKILL')
      t.is(await manager.request(name, lock => lock?.mode), 'exclusive')
    },
  )
})
