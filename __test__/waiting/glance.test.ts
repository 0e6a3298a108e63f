// Waits whose units come quickly, one after the other: the event loop's own thread polls for them when it has no other
// work, and delays nothing by it. The tests run one after the other, because each keeps two processors busy.

import test, { type ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { type Backend, backends } from '../shared/backends.ts'
import { type Child, child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'

/** A process that does this with quick waits, on every Node; and the semaphore on which it waits. */
async function quick(
  t: ExecutionContext,
  backend: Backend,
  job: string,
  check: (process: Child, back: Semaphore) => Promise<void>,
): Promise<void> {
  for (const node of nodes) {
    const names = [uniqueName(t), uniqueName(t)] as const
    const [there, back] = names.map(name => Semaphore.create(name, { initial: 0, backend })) as [
      Semaphore,
      Semaphore,
    ]
    const partner = child(t, 'waiting/hand-back.ts', { args: [...names, backend], limit: 60_000 })
    t.is(await partner.next(), 'ready')
    await check(
      child(t, 'waiting/quick-waits.ts', { node, args: [job, ...names, backend], limit: 60_000 }),
      back,
    )
    partner.kill('SIGKILL')
    t.is((await partner.exit).signal, 'SIGKILL')
    for (const semaphore of [there, back]) {
      semaphore.unlink()
      semaphore.close()
    }
  }
}

for (const backend of backends) {
  test.serial(`${backend}: the event loop polls for units itself, and loses none`, async t => {
    await quick(t, backend, 'look', async process => {
      t.deepEqual(await process.next(), { looks: true, value: 0 })
    })
  })

  test.serial(`${backend}: timers, files, immediates and other waits go on`, async t => {
    await quick(t, backend, 'do other things', async process => {
      const done = (await process.next()) as Record<string, number>
      for (const count of ['timers', 'files', 'immediates', 'waits']) {
        t.true((done[count] as number) > 10, JSON.stringify(done))
      }
    })
  })

  test.serial(`${backend}: a timeout, a signal and a late unit end a wait as usual`, async t => {
    await quick(t, backend, 'wait in vain', async process => {
      t.deepEqual(await process.next(), {
        timeout: 'ETIMEDOUT',
        early: false,
        aborted: true,
        value: 0,
      })
    })
  })

  test.serial(`${backend}: waitSync does not stop the event loop's polling for an earlier wait`, async t => {
    await quick(t, backend, 'block meanwhile', async process => {
      t.deepEqual(await process.next(), { value: 0 })
    })
  })

  test.serial(`${backend}: a worker that waits for the same gets its turns`, async t => {
    await quick(t, backend, 'have a worker', async process => {
      t.deepEqual(await process.next(), { code: 0, value: 0 })
    })
  })

  test.serial(`${backend}: the process exits, and ends by itself, with a wait pending`, async t => {
    await quick(t, backend, 'exit', async process => {
      t.like(await process.exit, { code: 7, stderr: '' })
    })
    await quick(t, backend, 'end by itself', async (process, back) => {
      t.is(await process.next(), 'ends')
      t.like(await process.exit, { code: 0, stderr: '' })
      back.post()
      t.is(back.value, 1)
    })
  })
}

test.serial('sysv: a removal ends the wait', async t => {
  await quick(t, 'sysv', 'hear of the end', async (process, back) => {
    t.is(await process.next(), 'waits')
    back.unlink()
    t.is(await process.next(), 'EIDRM')
  })
})
