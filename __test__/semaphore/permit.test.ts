// Permits, on every backend: taken, released once, given back when their process ends.

import test from 'ava'

import { capabilities, IpcError, Permit, Semaphore } from '../../index.js'
import { onEveryBackend, unitsOf } from './helpers/suite.ts'
import { remote } from './helpers/remote.ts'
import { until } from '../shared/until.ts'

onEveryBackend(({ backend, test, create, open }) => {
  test('acquire takes a permit, and release gives it back', async t => {
    const semaphore = create(t, 2)
    const permit = await semaphore.acquire()
    t.true(permit instanceof Permit)
    t.false(permit.released)
    t.is(unitsOf(semaphore), 1)
    t.is(permit.release(), undefined)
    t.true(permit.released)
    t.is(unitsOf(semaphore), 2)
  })

  test('a permit is released once, however often it is asked for', async t => {
    const semaphore = create(t, 1)
    const permit = await semaphore.acquire()
    permit.release()
    permit.release()
    permit[Symbol.dispose]()
    await permit[Symbol.asyncDispose]()
    t.is(unitsOf(semaphore), 1)
  })

  test('a permit that was released twice takes nobody else’s', async t => {
    const semaphore = create(t, 2)
    const [first, second] = [await semaphore.acquire(), await semaphore.acquire()]
    first.release()
    first.release()
    t.is(unitsOf(semaphore), 1)
    second.release()
    t.is(unitsOf(semaphore), 2)
  })

  test('using and await using release at the end of the block', async t => {
    const semaphore = create(t, 2)
    {
      using _one = await semaphore.acquire()
      await using _two = await semaphore.acquire()
      t.is(unitsOf(semaphore), 0)
    }
    t.is(unitsOf(semaphore), 2)
  })

  test('acquire waits for a release, first come, first served', async t => {
    const semaphore = create(t, 1)
    const held = await semaphore.acquire()
    const order: number[] = []
    const turns = [0, 1, 2].map(async index => {
      const permit = await semaphore.acquire({ timeout: 15_000 })
      order.push(index)
      permit.release()
    })
    t.deepEqual(order, [])
    held.release()
    await Promise.all(turns)
    t.deepEqual(order, [0, 1, 2])
    t.is(unitsOf(semaphore), 1)
  })

  test('acquire waits for a release in another process', async t => {
    const semaphore = create(t, 1)
    const other = remote(t, 'open', semaphore.name, { backend })
    t.is(await other.call('acquire'), 1)
    t.is(semaphore.tryAcquire(), null)
    const waiting = semaphore.acquire({ timeout: 15_000 })
    t.is(await other.call('release'), 'done')
    const permit = await waiting
    t.is(await other.call('tryAcquire'), false)
    permit.release()
    t.is(await other.call('tryAcquire'), true)
  })

  test('tryAcquire takes a permit that is there, and says null when there is none', t => {
    const semaphore = create(t, 1)
    const permit = semaphore.tryAcquire()
    t.true(permit instanceof Permit)
    t.is(semaphore.tryAcquire(), null)
    permit?.release()
    t.is(unitsOf(semaphore), 1)
  })

  test('acquire gives up after its timeout, and leaves nothing behind', async t => {
    const semaphore = create(t, 0)
    for (const timeout of [0, 1, 20]) {
      await t.throwsAsync(semaphore.acquire({ timeout }), { instanceOf: IpcError, code: 'ETIMEDOUT' })
    }
    semaphore.post()
    t.is(unitsOf(semaphore), 1)
  })

  test('use runs a function while it holds a permit, and answers what it returned', async t => {
    const semaphore = create(t, 1)
    t.is(await semaphore.use(() => unitsOf(semaphore)), 0)
    t.is(await semaphore.use(async () => unitsOf(semaphore) + 10), 10)
    t.is(unitsOf(semaphore), 1)
  })

  test('use releases when the function throws or rejects, and passes the error on', async t => {
    const semaphore = create(t, 1)
    const trouble = new Error('trouble')
    for (const fail of [
      () => {
        throw trouble
      },
      () => Promise.reject(trouble),
    ]) {
      const error = await t.throwsAsync(semaphore.use(fail))
      t.is(error, trouble)
      t.is(unitsOf(semaphore), 1)
    }
  })

  test('use lets the function release early', async t => {
    const semaphore = create(t, 1)
    await semaphore.use(permit => {
      permit.release()
      t.is(unitsOf(semaphore), 1)
    })
    t.is(unitsOf(semaphore), 1)
  })

  test('use does not run the function when no permit came', async t => {
    const semaphore = create(t, 0)
    const never = () => t.fail('it ran')
    await t.throwsAsync(semaphore.use(never, { timeout: 5 }), { code: 'ETIMEDOUT' })
    const reason = new Error('no more')
    t.is(await t.throwsAsync(semaphore.use(never, { signal: AbortSignal.abort(reason) })), reason)
    await t.throwsAsync(semaphore.use(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
    semaphore.post()
    await t.throwsAsync(semaphore.use('f' as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.is(unitsOf(semaphore), 1)
  })

  test('never more run at once than there are permits', async t => {
    const semaphore = create(t, 3)
    const other = open(t, semaphore.name)
    let running = 0
    let most = 0
    const work = async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise(resolve => setTimeout(resolve, 1))
      running -= 1
    }
    await Promise.all(Array.from({ length: 30 }, (_, index) => (index % 2 ? semaphore : other).use(work)))
    t.is(most, 3)
    t.is(unitsOf(semaphore), 3)
  })

  test('a permit outlives the close of its handle, and can be released after it', async t => {
    const semaphore = create(t, 2)
    const watch = open(t, semaphore.name)
    const permits = [await semaphore.acquire(), semaphore.tryAcquire()]
    semaphore.close()
    t.is(unitsOf(watch), 0)
    permits[0]?.release()
    t.is(unitsOf(watch), 1)
    permits[1]?.release()
    permits[1]?.release()
    t.is(unitsOf(watch), 2)
  })

  test('a permit of a removed semaphore is released without a word', async t => {
    const semaphore = create(t, 1)
    const permit = await semaphore.acquire()
    semaphore.unlink()
    t.notThrows(() => permit.release())
    t.true(permit.released)
  })

  test('a permit of an old semaphore does not fill the new one of its name', async t => {
    const old = create(t, 1)
    const permit = await old.acquire()
    old.unlink()
    const made = Semaphore.create(old.name, { initial: 5, backend })
    t.teardown(() => made.close())
    permit.release()
    t.is(unitsOf(made), 5)
  })

  // ---- when the process ends

  for (const [way, end] of [
    ['ends', null],
    ['exits', ['exit', 3]],
  ] as const) {
    test(`the permits of a process that ${way} come back`, async t => {
      const semaphore = create(t, 3)
      const other = remote(t, 'open', semaphore.name, { backend })
      await other.call('acquire')
      await other.call('acquire')
      t.is(unitsOf(semaphore), 1)
      other.child.send(end)
      await other.child.exit
      t.is(unitsOf(semaphore), 3)
    })
  }

  test(
    capabilities.crashRecovery[backend]
      ? 'the permits of a killed process come back'
      : 'the permits of a killed process are gone, as the capabilities say',
    async t => {
      const semaphore = create(t, 3)
      const other = remote(t, 'open', semaphore.name, { backend })
      await other.call('acquire')
      await other.call('acquire')
      t.is(unitsOf(semaphore), 1)
      other.child.kill('SIGKILL')
      await other.child.exit
      t.is(unitsOf(semaphore), capabilities.crashRecovery[backend] ? 3 : 1)
    },
  )

  test('what a process took with wait stays taken, and what it posted stays posted', async t => {
    const semaphore = create(t, 3)
    const other = remote(t, 'open', semaphore.name, { backend })
    await other.call('tryWait')
    await other.call('wait')
    await other.call('waitSync')
    const waiting = other.call('wait')
    if (backend === 'sysv') await until('it waits', () => semaphore.info().waiters === 1)
    semaphore.post()
    await waiting
    await other.call('post', 7)
    other.child.kill('SIGKILL')
    await other.child.exit
    t.is(unitsOf(semaphore), 7)
  })

  test('pairs of wait and post leave the counter as it was when their process ends', async t => {
    const semaphore = create(t, 1)
    const other = remote(t, 'open', semaphore.name, { backend })
    t.is(await other.call('pairs', 100), 'done')
    t.is(unitsOf(semaphore), 1)
    other.child.send(null)
    t.like(await other.child.exit, { code: 0, stderr: '' })
    t.is(unitsOf(semaphore), 1)
  })
})

for (const backend of capabilities.semaphoreBackends.filter(backend => backend === 'sysv')) {
  test(`a permit that cannot be given back to a full counter stays held (${backend})`, async t => {
    const name = `/os-ipc-full-${process.pid}`
    const semaphore = Semaphore.create(name, { initial: 1, backend })
    t.teardown(() => Semaphore.unlink(name, { backend }))
    const permit = await semaphore.acquire()
    semaphore.post(32_767)
    t.throws(() => permit.release(), { instanceOf: IpcError, code: 'ERANGE' })
    t.false(permit.released)
    t.true(semaphore.tryWait())
    permit.release()
    t.true(permit.released)
    t.is(semaphore.value, 32_767)
  })
}
