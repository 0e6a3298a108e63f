// The switch that turns spinning off. A spin yields the processor again and again, so its sched_yield(2) calls are counted.
// The tests run one after the other, because each keeps two processors busy.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import test, { type ExecutionContext } from 'ava'

import { Semaphore, settings } from '../../index.js'
import { type Backend, backends } from '../shared/backends.ts'
import { child, type FixtureOptions } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import type { Surroundings } from '../shared/surroundings.ts'

/** Fewer yields than that prove no spin: Node may yield for reasons of its own. */
const FEW = 10

/** The number of times that a process yields while a unit goes back and forth; the value of `settings.spin` at its end. */
async function yields(
  t: ExecutionContext,
  backend: Backend,
  how: 'promises' | 'sync',
  { off = false, ...options }: FixtureOptions & { off?: boolean } = {},
): Promise<{ spin: unknown; count: number }> {
  const names = [uniqueName(t), uniqueName(t)] as const
  using there = Semaphore.create(names[0], { initial: 0, backend })
  using back = Semaphore.create(names[1], { initial: 0, backend })
  const partner = child(t, 'waiting/hand-back.ts', { args: [...names, backend], limit: 60_000, ...options })
  t.is(await partner.next(), 'ready')
  const log = join(folder(t), 'calls')
  const traced: Surroundings = {
    missing: undefined,
    wrap: argv => [
      ...[
        'strace',
        '-D',
        '-f',
        '--seccomp-bpf',
        '-qq',
        '-e',
        'trace=sched_yield',
        '-e',
        'signal=none',
        '-o',
        log,
        '--',
      ],
      ...argv,
    ],
  }
  const args = [how, ...names, backend, ...(off ? ['off'] : [])]
  const process = child(t, 'waiting/spin.ts', { args, limit: 60_000, within: [traced], ...options })
  const spin = await process.next()
  await process.exit
  partner.kill('SIGKILL')
  await partner.exit
  for (const semaphore of [there, back]) semaphore.unlink()
  return { spin, count: readFileSync(log, 'utf8').match(/sched_yield/g)?.length ?? 0 }
}

for (const backend of backends) {
  for (const how of ['promises', 'sync'] as const) {
    requires(linux, tool('strace')).serial(
      `${backend}, ${how}: OS_IPC_SPIN=0 and settings.spin turn it off`,
      async t => {
        let on = await yields(t, backend, how)
        // On a busy machine few waits are short, and a process whose spins were delayed stops spinning for a while.
        const deadline = performance.now() + 60_000
        while (on.count < FEW && performance.now() < deadline) on = await yields(t, backend, how)
        t.is(on.spin, true)
        t.true(on.count >= FEW, `${on.count}`)
        const byVariable = await yields(t, backend, how, { env: { OS_IPC_SPIN: '0' } })
        t.is(byVariable.spin, false)
        t.true(byVariable.count < FEW, `${byVariable.count}`)
        const bySetting = await yields(t, backend, how, { off: true })
        t.is(bySetting.spin, false)
        t.true(bySetting.count < FEW, `${bySetting.count}`)
      },
    )
  }
}

test.serial(
  "settings.spin is a boolean of the whole process, and a new worker does not reset the program's value",
  async t => {
    t.is(settings.spin, true)
    for (const wrong of [0, 'false', undefined, null]) {
      t.throws(() => Reflect.set(settings, 'spin', wrong), {
        instanceOf: TypeError,
        message: /settings.spin must be a boolean/,
      })
    }
    t.teardown(() => {
      settings.spin = true
    })
    settings.spin = false
    t.is(await spinOf(), false)
    settings.spin = true
    t.is(await spinOf({ OS_IPC_SPIN: '0' }), true)
    t.is(settings.spin, true)
  },
)

/** The value that a worker with this environment reads. */
async function spinOf(env?: Record<string, string>): Promise<unknown> {
  const code = `
import(${JSON.stringify(new URL('../../index.js', import.meta.url).href)})
  .then(({ settings }) => require('node:worker_threads').parentPort.postMessage(settings.spin))
`
  const worker = new Worker(code, { eval: true, ...(env && { env: { ...process.env, ...env } }) })
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  worker.once('message', resolve).once('error', reject)
  return promise.finally(() => worker.terminate())
}
