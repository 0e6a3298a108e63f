// Waits leave libuv's pool to the program: they never use more than a quarter of it, and nothing of a small one.

import test from 'ava'

import { Semaphore } from '../../index.js'
import { ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'
import { blocked, threads } from '../shared/threads.ts'
import { until } from '../shared/until.ts'

/** UV_THREADPOOL_SIZE, and the number of its threads that may block. */
const POOLS = [
  [1, 0],
  [4, 1],
  [16, 4],
] as const

for (const backend of ['sysv', 'posix'] as const) {
  for (const [size, share] of POOLS) {
    requires(linux).serial(
      `fs, dns and crypto work while the process waits on 64 semaphores, with a pool of ${size} (${backend})`,
      async t => {
        await Promise.all(
          nodes.map(async node => {
            const prefix = uniqueName(t)
            const names = Array.from({ length: 64 }, (_, i) => `${prefix}-${i}`)
            const semaphores = names.map(name => Semaphore.create(name, { initial: 0, backend }))
            t.teardown(() => {
              for (const semaphore of semaphores) semaphore.unlink()
            })
            const env = { UV_THREADPOOL_SIZE: String(size) }
            const args = [backend, ...names]
            const { pool, own } = (await child(t, 'waiting/use-pool.ts', {
              node,
              env,
              args,
            }).next()) as ReturnType<typeof blocked>
            t.true(pool <= share, `${pool} blocked`)
            if (backend === 'sysv') t.is(own + pool, 64)
          }),
        )
      },
    )
  }
}

requires(linux).serial(
  'the share of the pool depends on its size at the start, not on a later variable',
  async t => {
    const prefix = uniqueName(t)
    const names = Array.from({ length: 64 }, (_, i) => `${prefix}-${i}`)
    const semaphores = names.map(name => Semaphore.create(name, { initial: 0 }))
    t.teardown(() => {
      for (const semaphore of semaphores) semaphore.unlink()
    })
    await Promise.all(
      nodes.map(async node => {
        // The pool has 4 threads when the program sets the variable to 64.
        const late = `import { stat } from 'node:fs/promises'; await stat('/'); process.env.UV_THREADPOOL_SIZE = '64'`
        const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(late)}`]
        const env = { UV_THREADPOOL_SIZE: undefined }
        const args = ['sysv', ...names]
        // On a busy machine the pool may be too slow to get any work of the package.
        let seen = 0
        for (let tries = 0; tries < 10 && seen === 0; tries += 1) {
          const using = child(t, 'waiting/use-pool.ts', { node, nodeArgs, env, args })
          seen = ((await using.next()) as ReturnType<typeof blocked>).pool
        }
        t.is(seen, 1)
      }),
    )
  },
)

requires(linux).serial('10,000 waits on one semaphore block one thread', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  t.teardown(() => semaphore.close())
  const inAll = () => blocked().own + blocked().pool
  const before = inAll()
  const waits = Array.from({ length: 10_000 }, () => semaphore.wait())
  await until('a thread is blocked', () => semaphore.info().waiters === 1)
  t.is(semaphore.info().pending, 10_000)
  await until('it is the only one', () => inAll() === before + 1)
  semaphore.post(10_000)
  await Promise.all(waits)
  t.is(semaphore.value, 0)
})

requires(linux).serial(
  "a thread of the package leaves the program's signals to the program's own threads",
  async t => {
    const semaphore = ownSemaphore(t).unref()
    const waiting = semaphore.wait()
    await until('a thread is blocked', () => semaphore.info().waiters === 1)
    const ours = threads().filter(({ name }) => name === 'os-ipc')
    t.true(ours.length > 0)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGWINCH', 'SIGCHLD', 'SIGUSR1', 'SIGPROF'] as const) {
      t.true(
        ours.every(thread => thread.blocks(signal)),
        signal,
      )
    }
    t.false(ours.some(thread => thread.blocks('SIGURG')))
    const pool = threads().filter(({ name }) => name === 'libuv-worker')
    t.false(pool.some(thread => thread.blocks('SIGURG')))
    // Nothing else keeps this process alive until the wait has ended.
    semaphore.ref().post()
    await waiting
  },
)

requires(linux).serial('a pool that the program keeps busy does not delay a wait', async t => {
  await Promise.all(
    nodes.map(async node => {
      const name = uniqueName(t)
      const semaphore = Semaphore.create(name, { initial: 0 })
      t.teardown(() => semaphore.close())
      const busy = child(t, 'waiting/busy-pool.ts', { node, args: [name], env: { UV_THREADPOOL_SIZE: '4' } })
      t.is(await busy.next(), 'waits')
      semaphore.post()
      t.deepEqual(await busy.next(), { working: 4 })
    }),
  )
})

requires(linux).serial('ref() and unref() move a wait to another thread', async t => {
  await Promise.all(
    nodes.map(async node => {
      const name = uniqueName(t)
      const semaphore = Semaphore.create(name, { initial: 0 })
      t.teardown(() => semaphore.close())
      const switching = child(t, 'waiting/switch-ref.ts', {
        node,
        args: [name],
        env: { UV_THREADPOOL_SIZE: '4' },
      })
      t.deepEqual(await switching.next(), { own: 1, pool: 0 })
      const refd = (await switching.next()) as ReturnType<typeof blocked>
      t.is(refd.own + refd.pool, 1)
      t.is(await switching.next(), 1)
      t.is(await switching.next(), 'ends')
      t.like(await switching.exit, { code: 0 })
      t.is(semaphore.value, 0)
    }),
  )
})

for (const [size] of POOLS.slice(0, 2)) {
  for (const by of ['signal', 'timeout']) {
    test.serial(
      `a process that waits with only a ${by} lives until the wait ends, with a pool of ${size}`,
      async t => {
        await Promise.all(
          nodes.map(async node => {
            const { name } = ownSemaphore(t)
            const env = { UV_THREADPOOL_SIZE: String(size) }
            const waiting = child(t, 'waiting/wait-with-signal.ts', { node, env, args: [by, name] })
            t.like(await waiting.next(), by === 'signal' ? { error: 'TimeoutError' } : { code: 'ETIMEDOUT' })
            t.is(await waiting.next(), 'after')
            t.like(await waiting.exit, { code: 0, stderr: '' })
          }),
        )
      },
    )
  }
}
