// Waits whose units come quickly, one after the other: the event loop's own thread looks for them when it has nothing
// else to do, and nothing else waits for that.

import test, { type ExecutionContext } from 'ava'

import { capabilities, Semaphore } from '../index.js'
import { type Child, child } from './helpers/child.ts'
import { uniqueName } from './helpers/names.ts'
import { nodes } from './helpers/nodes.ts'
import { threads } from './helpers/threads.ts'
import { until } from './helpers/until.ts'

/** A process that does this with quick waits, on every Node; and the semaphore that it waits on. */
async function quick(
  t: ExecutionContext,
  job: string,
  check: (process: Child, back: Semaphore, there: Semaphore) => Promise<void>,
): Promise<void> {
  for (const node of nodes) {
    const names = [uniqueName(t), uniqueName(t)] as const
    const [there, back] = names.map(name => Semaphore.create(name, { initial: 0 })) as [Semaphore, Semaphore]
    const partner = child(t, 'hand-back.ts', { args: names, limit: 60_000 })
    t.is(await partner.next(), 'ready')
    await check(child(t, 'quick-waits.ts', { node, args: [job, ...names], limit: 60_000 }), back, there)
    there.unlink()
    t.is(await partner.next(), 'EIDRM')
    t.is((await partner.exit).code, 0)
    back.unlink()
    for (const semaphore of [there, back]) semaphore.close()
  }
}

const onSystemV = capabilities.defaultBackend === 'sysv' ? test : test.skip

onSystemV('the thread of the event loop waits itself, and counts right', async t => {
  await quick(t, 'take turns', async process => {
    const main = () => threads(process.pid).find(({ id }) => id === process.pid)
    // On a busy machine few waits are short.
    await until('the event loop waits', () => main()?.inSemop === true, 40_000)
    process.send('enough')
    const { count, value } = (await process.next()) as { count: number; value: number }
    t.true(count > 0)
    t.is(value, 0)
  })
})

onSystemV('timers, files, immediates and other waits go on', async t => {
  await quick(t, 'do other things', async process => {
    const done = (await process.next()) as Record<string, number>
    // In a second, of what takes one or two milliseconds.
    for (const count of ['timers', 'files', 'immediates', 'waits']) {
      t.true((done[count] as number) > 10, JSON.stringify(done))
    }
  })
})

onSystemV('a timeout, a signal and a late unit end a wait as they always do', async t => {
  await quick(t, 'wait in vain', async process => {
    t.deepEqual(await process.next(), {
      timeout: 'ETIMEDOUT',
      early: false,
      aborted: true,
      ticks: true,
      value: 0,
    })
  })
})

onSystemV('waitSync does not take the thread from a wait before it', async t => {
  await quick(t, 'block meanwhile', async process => {
    t.deepEqual(await process.next(), { value: 0 })
  })
})

onSystemV('a worker that waits for the same gets its turns', async t => {
  await quick(t, 'have a worker', async process => {
    t.deepEqual(await process.next(), { code: 0, value: 0 })
  })
})

onSystemV('the process exits, and ends by itself, with a wait pending', async t => {
  await quick(t, 'exit', async process => {
    t.like(await process.exit, { code: 7, stderr: '' })
  })
  await quick(t, 'end by itself', async (process, back) => {
    t.is(await process.next(), 'ends')
    t.like(await process.exit, { code: 0, stderr: '' })
    back.post()
    t.is(back.value, 1)
  })
})

onSystemV('a removal ends it', async t => {
  await quick(t, 'hear of the end', async (process, back) => {
    t.is(await process.next(), 'waits')
    back.unlink()
    t.is(await process.next(), 'EIDRM')
  })
})
