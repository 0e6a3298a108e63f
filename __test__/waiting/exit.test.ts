// In whichever way a process ends, its pending waits do not delay it, and no unit is lost.

import test, { type ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { type Backend, backends } from '../shared/backends.ts'
import { child, type Exit } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { type NodeBinary, nodes } from '../shared/nodes.ts'

/** The ways in which a process may end, and the results that its parent sees. */
const ENDS: Record<string, Partial<Exit>> = {
  'process.exit': { code: 0, signal: null },
  'process.exit in a neighbour': { code: 0, signal: null },
  'an uncaught error': { code: 1, signal: null },
  'an unhandled rejection': { code: 1, signal: null },
  'process.exit after listening to our signal': { code: 0, signal: null },
  'process.exit after listening to our signal no more': { code: 0, signal: null },
  unref: { code: 0, signal: null },
  close: { code: 0, signal: null },
  // Windows has none: the process ends with this code.
  'a signal': process.platform === 'win32' ? { code: 1, signal: null } : { code: null, signal: 'SIGTERM' },
  'unref from the start': { code: 0, signal: null },
}

/** The most milliseconds for an end: a process that hangs never ends, so this only allows for a slow machine. */
const QUICK = 25_000

interface Run {
  how: string
  node: NodeBinary
  backend?: Backend
  semaphores?: number
  waits?: number
  pool?: number
  nodeArgs?: string[]
}

/** The number of runs that had a thread of libuv's pool blocked when they ended, which is the hard case. */
let onPool = 0

/** Ends a process that waits, and checks its semaphores afterwards. */
async function endsQuickly(t: ExecutionContext, run: Run, expected: Partial<Exit>): Promise<Exit> {
  const {
    how,
    node,
    backend = backends[0] as Backend,
    semaphores: count = 1,
    waits = 1,
    pool = 4,
    nodeArgs = [],
  } = run
  const prefix = uniqueName(t)
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  const semaphores = names.map(name => made(t, name, backend))
  const ending = child(t, 'waiting/end-while-waiting.ts', {
    node,
    nodeArgs,
    env: { UV_THREADPOOL_SIZE: String(pool) },
    args: [how, backend, waits, ...names],
  })
  const blocked = (await ending.next()) as { pool: number }
  t.true(blocked.pool <= pool / 4)
  if (blocked.pool > 0) onPool += 1
  const start = performance.now()
  const exit = await ending.exit
  t.true(performance.now() - start < QUICK)
  t.like(exit, expected, `${JSON.stringify(run)}\n${exit.stderr}`)
  t.notRegex(exit.stdout, /a unit came/)

  t.true(semaphores.every(semaphore => semaphore.value === 0))
  for (const semaphore of semaphores) semaphore.post()
  t.true(semaphores.every(semaphore => semaphore.value === 1))
  // The C library keeps counting a killed waiter.
  if (backend === 'sysv') t.true(semaphores.every(semaphore => semaphore.info().waiters === 0))
  return exit
}

function made(t: ExecutionContext, name: string, backend: Backend): Semaphore {
  const semaphore = Semaphore.create(name, { initial: 0, backend })
  t.teardown(() => {
    semaphore.unlink()
    semaphore.close()
  })
  return semaphore
}

for (const backend of backends) {
  for (const [how, expected] of Object.entries(ENDS)) {
    test.serial(`a process with a pending wait ends: ${how} (${backend})`, async t => {
      await Promise.all(nodes.map(node => endsQuickly(t, { how, node, backend }, expected)))
    })
  }
}

for (const pool of [1, 4, 16]) {
  for (const how of ['process.exit', 'an uncaught error', 'unref', 'a signal']) {
    test.serial(`500 waits on 100 semaphores, a pool of ${pool}: ${how}`, async t => {
      const many = { how, pool, semaphores: 100, waits: 500 }
      await Promise.all(nodes.map(node => endsQuickly(t, { ...many, node }, ENDS[how] as Partial<Exit>)))
    })
  }
}

test.serial(
  "an exit listener that throws before the package's own does not make the process hang",
  async t => {
    const nodeArgs = [
      '--import',
      'data:text/javascript,process.on("exit",()=>{throw new Error("on purpose")})',
    ]
    await Promise.all(
      nodes.map(async node => {
        const { stderr } = await endsQuickly(t, { how: 'process.exit', node, nodeArgs }, { signal: null })
        t.regex(stderr, /on purpose/)
      }),
    )
  },
)

test.serial("some of these processes had a blocked thread of libuv's pool", t => {
  t.true(onPool > 0)
})
