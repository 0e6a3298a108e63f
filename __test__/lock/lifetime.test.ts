// The end of a process or a worker that holds locks and waits for others, on every engine and every Node.

import { setTimeout as sleep } from 'node:timers/promises'

import { child } from '../shared/child.ts'
import { hold } from './helpers/hold.ts'
import { isFree, onEveryEngine } from './helpers/locks.ts'
import { nodes } from '../shared/nodes.ts'
import { requires, signals } from '../shared/requires.ts'
import { injected } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

onEveryEngine(engine => {
  const { name: engineName, test, manager, folder, lockName, isThere } = engine

  for (const how of ['exit', 'throw', 'kill']) {
    test(`a process that holds a lock and waits for another one ends at once: ${how}`, async t => {
      for (const node of nodes) {
        const [held, awaited] = [lockName(t), lockName(t)]
        const release = await hold(manager, awaited)
        const other = child(t, 'lock/end-with-locks.ts', {
          node,
          args: [folder, held, awaited, how],
          limit: 30_000,
        })
        t.is(await other.next(), 'ready')
        t.is(await manager.request(held, { ifAvailable: true }, lock => lock), null)
        const waiting = manager.request(held, lock => lock?.mode)
        other.send('end')
        const { code, killed, stdout } = await other.exit
        t.is(killed, how === 'kill')
        if (!killed) t.is(code, how === 'exit' ? 0 : 1)
        t.is(stdout.includes('"exit"'), how !== 'kill')
        t.false(stdout.includes('granted'))
        t.false(stdout.includes('true'), 'a thread of the pool waits')
        t.is(await waiting, 'exclusive')
        await release()
        await until('nothing is left', () => !isThere(held) && !isThere(awaited))
      }
    })
  }

  for (const how of ['terminate', 'exit']) {
    test(`a worker that ends releases its locks and drops its waits: ${how}`, async t => {
      for (const node of nodes) {
        const [held, awaited] = [lockName(t), lockName(t)]
        const release = await hold(manager, awaited, { mode: 'shared' })
        const other = child(t, 'lock/end-worker-with-locks.ts', {
          node,
          args: [folder, held, awaited, how],
          limit: 30_000,
        })
        t.is(await other.next(), 'ready')
        await until(
          'both wait',
          async () => (await manager.query()).pending.filter(({ name }) => name === awaited).length === 2,
        )
        t.is(await manager.request(held, { ifAvailable: true }, lock => lock), null)
        const waiting = manager.request(held, lock => lock?.mode)
        other.send('end')
        t.is(await other.next(), 'ended')
        // The process lives on.
        t.is(await waiting, 'exclusive')
        await until('none waits', async () =>
          (await manager.query()).pending.every(({ name }) => name !== awaited),
        )
        t.is(await manager.request(awaited, { mode: 'shared' }, lock => lock?.mode), 'shared')
        await release()
        t.is(await manager.request(awaited, lock => lock?.mode), 'exclusive')
        other.send('end')
        t.like(await other.exit, { code: 0, signal: null })
        await until('nothing is left', () => !isThere(held) && !isThere(awaited))
      }
    })
  }

  for (const how of ['in the callback', 'a moment later']) {
    test(`a worker that waits for its own lock, and then its process, end by process.exit(): ${how}`, async t => {
      for (const node of nodes) {
        const names = Array.from({ length: 8 }, () => lockName(t))
        const args = [folder, how, ...names]
        const { code, stderr } = await child(t, 'lock/exit-worker-with-locks.ts', { node, args }).exit
        t.is(code, 0, stderr)
        await until('nothing is left', () => !names.some(isThere))
      }
    })
  }

  for (const how of ['process.exit()', 'an error']) {
    test(`a request in a listener of the exit does not hold up ${how}`, async t => {
      for (const node of nodes) {
        const name = lockName(t)
        const args = [folder, name, how]
        const { signal, stdout } = await child(t, 'lock/request-at-exit.ts', { node, args }).exit
        t.is(signal, null)
        t.is(stdout, '"asks"\n')
        await until('nothing is left', () => !isThere(name))
      }
    })
  }

  test('workers that are terminated at any moment leave the lock free', async t => {
    for (const node of nodes) {
      const name = lockName(t)
      const args = [folder, name, 16]
      const workers = child(t, 'lock/terminate-workers-with-locks.ts', { node, args, limit: 90_000 })
      t.is(await workers.next(), 'exclusive')
      t.true(await workers.next())
      t.like(await workers.exit, { code: 0, signal: null })
      await until('nothing is left', () => !isThere(name))
    }
  })

  for (const how of ['end', 'exit']) {
    // The waiting thread is interrupted in its second call.
    const slow = injected(`${engineName === 'sysv' ? 'semop' : 'flock'}:delay_exit=50000:when=2`)
    requires(slow)(
      `a process that ends right after an aborted wait leaves no object: ${how} (${engineName})`,
      async t => {
        const leaves = async () => {
          const name = lockName(t)
          const { code, signal, stdout } = await child(t, 'lock/end-after-abort.ts', {
            args: [folder, name, how],
            within: [slow],
          }).exit
          t.deepEqual([code, signal, stdout], [0, null, '"waits"\n'])
          return isThere(name)
        }
        // A process waits for its thread for 1 s at its end, and leaves the object if that gets no processor for longer.
        t.false((await leaves()) && (await leaves()) && (await leaves()))
      },
    )
  }

  test('a pending request keeps the process alive, and a held lock does not', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const waits = child(t, 'lock/wait-for-lock.ts', { args: [folder, name, 'wait'] })
    t.is(await waits.next(), 'asked')
    await sleep(300)
    await release()
    t.is(await waits.next(), 'held')
    // Its callback never settles, and the process has no other work.
    t.like(await waits.exit, { code: 0, signal: null })
    t.is(await manager.request(name, () => 'free'), 'free')
    await until('nothing is left', () => !isThere(name))
  })

  test('AbortSignal.timeout ends the wait of a process without other work', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const waits = child(t, 'lock/wait-for-lock.ts', { args: [folder, name, 'timeout'] })
    t.is(await waits.next(), 'asked')
    t.is(await waits.next(), 'TimeoutError')
    t.like(await waits.exit, { code: 0, signal: null })
    await release()
  })

  requires(signals)(`a signal to the process ends no wait (${engineName})`, async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const waits = child(t, 'lock/wait-for-lock.ts', { args: [folder, name, 'listen'], limit: 30_000 })
    t.is(await waits.next(), 'asked')
    for (let times = 0; times < 100; times++) {
      waits.kill('SIGWINCH')
      if (times % 10 === 0) {
        waits.kill('SIGSTOP')
        waits.kill('SIGCONT')
      }
      await sleep(1)
    }
    // It waits for the sharers to leave, with the gate shut.
    await until('it waits', async () =>
      (await manager.query()).pending.some(pending => pending.name === name),
    )
    await until('the gate is shut', async () => !(await isFree(manager, name, 'shared')))
    await release()
    t.is(await waits.next(), 'held')
    t.is((await waits.exit).code, 0)
  })
})
