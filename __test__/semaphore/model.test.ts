// Any sequence of calls does what a model of a number, a queue and a set of names does.

import test from 'ava'
import fc from 'fast-check'

import { Semaphore, SharedMemory } from '../../index.js'
import { backends } from '../shared/backends.ts'
import { uniqueName } from '../shared/names.ts'
import { Players, steps } from './model/play.ts'
import { anyName, anyNumber, isForeignName, isMode, isName, isPosition, isSize } from './model/reference.ts'

/** The long run has no time limit. */
const longRun = process.env['OS_IPC_MODEL_RUNS']
const runs =
  longRun === undefined ? { numRuns: 100, interruptAfterTimeLimit: 90_000 } : { numRuns: Number(longRun) }

for (const kind of [...backends, 'limit'] as const) {
  test.serial(`any sequence of calls in 1 to 3 processes does what the model does (${kind})`, async t => {
    if (longRun !== undefined) t.timeout(600_000)
    const players = new Players(t, kind)
    await fc.assert(
      fc.asyncProperty(steps(kind), async sequence => players.play(uniqueName(t), sequence)),
      runs,
    )
    t.pass()
  })
}

for (const kind of ['semaphore', 'memory'] as const) {
  test(`a name of a ${kind} is taken or refused as the reference says`, t => {
    fc.assert(
      fc.property(anyName(), name => {
        const open = () => (kind === 'memory' ? SharedMemory.open(name) : Semaphore.open(name))
        const code = isForeignName(kind, name) ? 'ENOENT' : 'ERR_INVALID_ARG_VALUE'
        t.throws(open, { code }, JSON.stringify(name))
        if (isName(kind, name)) return
        const create = () =>
          kind === 'memory' ? SharedMemory.create(name, { size: 1 }) : Semaphore.create(name, { initial: 1 })
        t.throws(create, { code: 'ERR_INVALID_ARG_VALUE' }, JSON.stringify(name))
      }),
      { numRuns: 2_000 },
    )
  })
}

test('a size is taken or refused as the reference says', t => {
  fc.assert(
    fc.property(anyNumber(), size => {
      // The host may have room for this size, and other processes need that room.
      fc.pre(!isSize(size) || size < 1 << 20 || size >= 2 ** 45)
      const name = uniqueName(t)
      const create = () => SharedMemory.create(name, { size: size as number })
      if (isSize(size) && size < 1 << 20) {
        using memory = create()
        t.is(memory.size, size)
        memory.unlink()
      } else {
        // A size is valid even where the host can never have room for it.
        const codes = isSize(size)
          ? /^(ENOSPC|ENOMEM|EFBIG|ERR_OUT_OF_RANGE)$/
          : /^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/
        t.regex((t.throws(create) as NodeJS.ErrnoException).code ?? '', codes, String(size))
      }
    }),
    { numRuns: 500 },
  )
})

test('a mode is taken or refused as the reference says', t => {
  fc.assert(
    fc.property(anyNumber(), given => {
      // When the mode shuts out the owner, only root may read it.
      const mode = isMode(given) ? given | 0o600 : given
      const name = uniqueName(t)
      const create = () => Semaphore.create(name, { initial: 0, mode: mode as number })
      if (isMode(mode)) {
        using semaphore = create()
        // Windows has no modes.
        t.is(semaphore.info().mode, process.platform === 'win32' ? 0o600 : mode)
        semaphore.unlink()
      } else {
        t.regex(
          (t.throws(create) as NodeJS.ErrnoException).code ?? '',
          /^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/,
        )
      }
    }),
    { numRuns: 500 },
  )
})

test('read returns what was written at any position, and no call touches bytes beyond the end', t => {
  const size = 4096
  using memory = SharedMemory.create(uniqueName(t), { size })
  const expected = Buffer.alloc(size)
  fc.assert(
    fc.property(anyNumber(), fc.uint8Array({ maxLength: 64 }), (position, data) => {
      const write = () => memory.write(data, position as number)
      if (isPosition(position, size) && position + data.length <= size) {
        t.is(write(), data.length)
        expected.set(data, position)
      } else {
        t.regex(
          (t.throws(write) as NodeJS.ErrnoException).code ?? '',
          /^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/,
        )
      }
      t.deepEqual(memory.toBuffer(), expected)
    }),
    { numRuns: 500 },
  )
})
