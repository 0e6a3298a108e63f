// The behaviour of SharedMemory, which is the same for both kinds.

import { spawnSync } from 'node:child_process'

import test from 'ava'

import { list, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { kinds } from './helpers/memory.ts'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { asUser } from '../shared/surroundings.ts'
import { linux, requires, root, systemV } from '../shared/requires.ts'

for (const { kind, uniqueId } of kinds) {
  test(`create makes an object filled with zeros (${kind})`, t => {
    const id = uniqueId(t)
    using memory = SharedMemory.create(id, { size: 5000 })
    t.like(memory, { kind, size: 5000, created: true, readOnly: false })
    t.is(memory.name, typeof id === 'string' ? id : undefined)
    t.is(memory.key, typeof id === 'number' ? id : undefined)
    t.is(typeof memory.id, typeof id === 'number' ? 'number' : 'undefined')
    t.true(memory.toBuffer().equals(Buffer.alloc(5000)))
  })

  test(`create refuses an existing object (${kind})`, t => {
    const id = uniqueId(t)
    using _memory = SharedMemory.create(id, { size: 1 })
    const syscall = { sysv: 'shmget', posix: 'linkat', windows: 'CreateFileMapping' }[kind]
    t.throws(() => SharedMemory.create(id, { size: 1 }), {
      name: 'IpcError',
      code: 'EEXIST',
      message: /^EEXIST: /,
    })
    t.like(
      t.throws(() => SharedMemory.create(id, { size: 1 })),
      { errno: -17, syscall },
    )
  })

  test(`open finds an existing object, with its size (${kind})`, t => {
    const id = uniqueId(t)
    t.throws(() => SharedMemory.open(id), { name: 'IpcError', code: 'ENOENT' })
    using made = SharedMemory.create(id, { size: 777 })
    using opened = SharedMemory.open(id)
    t.like(opened, { size: 777, created: false, id: made.id })
    made.write('both')
    t.is(opened.toBuffer(0, 4).toString(), 'both')
  })

  test(`openOrCreate opens an object that is large enough (${kind})`, t => {
    const id = uniqueId(t)
    using first = SharedMemory.openOrCreate(id, { size: 100 })
    using second = SharedMemory.openOrCreate(id, { size: 50 })
    t.true(first.created)
    t.like(second, { created: false, size: 100 })
    t.throws(() => SharedMemory.openOrCreate(id, { size: 101 }), {
      code: 'ERR_SIZE',
      message: /100 bytes.*101/,
    })
  })

  test(`static unlink returns whether the object existed (${kind})`, t => {
    const id = uniqueId(t)
    t.false(SharedMemory.unlink(id))
    SharedMemory.create(id, { size: 1 }).close()
    t.true(SharedMemory.unlink(id))
    t.false(SharedMemory.unlink(id))
    t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
  })

  test(`close and unlink do nothing the second time, in any order (${kind})`, t => {
    const id = uniqueId(t)
    const memory = SharedMemory.create(id, { size: 1 })
    memory.unlink()
    t.true(memory.info().removed)
    memory.unlink()
    memory.close()
    memory.close()
    memory.unlink()
    const closed = SharedMemory.create(id, { size: 1 })
    closed.close()
    closed.unlink()
    closed.unlink()
    closed.close()
    t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
  })

  test(`detach and remove are the Go library's names for close and unlink (${kind})`, t => {
    const id = uniqueId(t)
    const memory = SharedMemory.create(id, { size: 1 })
    const other = SharedMemory.open(id)
    other.detach()
    t.throws(() => other.info(), { code: 'ERR_DETACHED' })
    other.close()
    memory.remove()
    t.true(memory.info().removed)
    memory.unlink()
    memory.detach()
    t.false(SharedMemory.remove(id))
    SharedMemory.create(id, { size: 1 }).close()
    t.true(SharedMemory.remove(id))
    t.false(SharedMemory.unlink(id))
  })

  test(`unlink spares the object that took the place of its own (${kind})`, t => {
    const id = uniqueId(t)
    const [old, older] = [SharedMemory.create(id, { size: 1 }), SharedMemory.open(id)]
    older.close()
    old.unlink()
    using young = SharedMemory.create(id, { size: 2 })
    old.unlink()
    old.close()
    old.unlink()
    older.unlink()
    t.is(SharedMemory.open(id).size, 2)
    t.false(young.info().removed)
  })

  test(`write copies bytes and UTF-8, read and toBuffer copy them out (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 16 })
    t.is(memory.write('état'), 5)
    t.is(memory.write(new Uint8Array([1, 2, 3]), 13), 3)
    t.is(memory.write(new Uint8Array(0), 16), 0)
    t.is(memory.toBuffer(0, 5).toString(), 'état')
    t.deepEqual([...memory.toBuffer(13)], [1, 2, 3])
    t.is(memory.toBuffer().length, 16)
    const target = new Uint8Array(8)
    t.is(memory.read(target, 12), 4)
    t.deepEqual([...target], [0, 1, 2, 3, 0, 0, 0, 0])
    t.is(memory.read(target, 16), 0)
    t.is(memory.read(target.subarray(2, 4), 14), 2)
    t.deepEqual([...target], [0, 1, 2, 3, 0, 0, 0, 0])
  })

  test(`a write that does not fit writes nothing (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 4 })
    for (const [data, position] of [
      ['12345', 0],
      ['éé1', 0],
      ['1', 4],
      ['', 5],
    ] as const) {
      t.throws(() => memory.write(data, position), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' })
    }
    t.deepEqual([...memory.toBuffer()], [0, 0, 0, 0])
  })

  test(`copies of every length and alignment are complete (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 160_000 })
    const numbers = Buffer.from(Array.from({ length: 160_000 }, (_, index) => index % 251))
    memory.write(numbers)
    const page = new ArrayBuffer(180_000)
    for (const length of [0, 1, 2, 3, 4, 7, 8, 9, 64, 2047, 2048, 2049, 4096, 146_000]) {
      for (const offset of [0, 1, 16, 31, 32, 48, 64, 4080]) {
        const target = new Uint8Array(page, offset, length).fill(0)
        t.is(memory.read(target, 8 + offset), length)
        t.is(
          Buffer.compare(target, numbers.subarray(8 + offset, 8 + offset + length)),
          0,
          `${length} at ${offset}`,
        )
        memory.write(target, 8 + offset)
      }
    }
    t.true(memory.toBuffer().equals(numbers))
  })

  test(`a copy from the memory to itself is a move (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 30_000 })
    const numbers = Buffer.from(Array.from({ length: 30_000 }, (_, index) => index % 251))
    for (const [from, to] of [
      [0, 100],
      [100, 0],
      [0, 7000],
    ] as const) {
      const expected = Buffer.from(numbers).copyWithin(to, from, from + 20_000)
      memory.write(numbers)
      memory.write(new Uint8Array(memory.buffer, from, 20_000), to)
      t.true(memory.toBuffer().equals(expected), `write ${from} to ${to}`)
      memory.write(numbers)
      memory.read(new Uint8Array(memory.buffer, to, 20_000), from)
      t.true(memory.toBuffer().equals(expected), `read ${from} to ${to}`)
    }
  })

  test(`read and write take arrays over shared, resizable and detached buffers (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 4 })
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
    memory.write(shared)
    t.deepEqual([...memory.toBuffer()], [7, 7, 7, 7])
    memory.clear()
    t.is(memory.read(shared), 4)
    t.deepEqual([...shared], [0, 0, 0, 0])

    const resizable = new ArrayBuffer(2, { maxByteLength: 8 })
    const tracking = new Uint8Array(resizable)
    t.is(memory.read(tracking), 2)
    resizable.resize(8)
    t.is(memory.read(tracking), 4)

    const gone = new Uint8Array(4)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    t.is(memory.read(gone), 0)
    t.is(memory.write(gone, 4), 0)
  })

  test(`clear fills the memory with zeros (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 146_000 })
    memory.write(Buffer.alloc(146_000, 1))
    memory.clear()
    t.true(memory.toBuffer().equals(Buffer.alloc(146_000)))
  })

  test(`a read-only handle reads, and cannot write (${kind})`, t => {
    const id = uniqueId(t)
    using made = SharedMemory.create(id, { size: 4 })
    made.write('here')
    using memory = SharedMemory.open(id, { readOnly: true })
    t.true(memory.readOnly)
    t.is(memory.toBuffer().toString(), 'here')
    t.throws(() => memory.write('gone'), { name: 'IpcError', code: 'ERR_READ_ONLY' })
    t.throws(() => memory.clear(), { code: 'ERR_READ_ONLY' })
    t.throws(() => memory.buffer, { code: 'ERR_READ_ONLY' })
    t.is(made.toBuffer().toString(), 'here')
  })

  test(`a program that changes the properties of memory changes nothing else (${kind})`, t => {
    const id = uniqueId(t)
    using made = SharedMemory.create(id, { size: 4 })
    using reader = SharedMemory.open(id, { readOnly: true })
    Object.assign(reader, { readOnly: false, size: 1 << 20 })
    t.throws(() => reader.buffer, { code: 'ERR_READ_ONLY' })
    t.throws(() => reader.shared, { code: 'ERR_READ_ONLY' })
    t.is(reader.toBuffer().length, 4)
    t.throws(() => reader.toBuffer(5), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => reader.read(new Uint8Array(1), 5), { code: 'ERR_OUT_OF_RANGE' })
    Object.assign(made, { size: 1 << 20 })
    t.throws(() => made.write('long', 1), { code: 'ERR_OUT_OF_RANGE' })
    t.is(made.buffer.byteLength, 4)
  })

  test(`after close every call except unlink throws (${kind})`, t => {
    const memory = SharedMemory.create(uniqueId(t), { size: 4 })
    memory[Symbol.dispose]()
    const calls = [
      () => memory.read(new Uint8Array(1)),
      () => memory.write('x'),
      () => memory.toBuffer(),
      () => memory.clear(),
      () => memory.info(),
    ]
    for (const call of calls) t.throws(call, { name: 'IpcError', code: 'ERR_DETACHED' })
    t.is(memory.buffer.byteLength, 0)
    t.is(memory.buffer, memory.buffer)
  })

  test(`info and list report the kernel's facts (${kind})`, t => {
    const id = uniqueId(t)
    const before = Date.now()
    using memory = SharedMemory.create(id, { size: 5000, mode: 0o640 })
    const info = memory.info()
    t.like(info, {
      kind,
      size: 5000,
      mode: 0o640,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      removed: false,
    })
    t.like(info, { name: typeof id === 'string' ? id : undefined, key: memory.key, id: memory.id })
    const changed = Number(info.changedAt)
    t.true(changed > before - 5000 && changed < Date.now() + 5000)
    if (kind === 'sysv') {
      t.like(info, { attached: 1, creatorPid: process.pid, lastPid: process.pid, detachedAt: undefined })
      t.true(info.attachedAt instanceof Date)
      SharedMemory.open(id).close()
      t.true(memory.info().detachedAt instanceof Date)
      t.is(memory.info().attached, 1)
    }
    const listed = list().memory.filter(
      one => one.kind === kind && one.name === info.name && one.key === info.key,
    )
    t.is(listed.length, 1)
    t.is(listed[0]?.size, 5000)
  })

  requires(linux)(`the umask does not matter (${kind})`, async t => {
    const maker = child(t, 'memory/umask.ts', { args: [JSON.stringify(uniqueId(t))] })
    t.is(await maker.next(), 0o664)
  })

  requires(asUser(65534))(`open without permission throws EACCES (${kind})`, async t => {
    const id = uniqueId(t)
    using _memory = SharedMemory.create(id, { size: 4, mode: 0o600 })
    const within = [asUser(65534)]
    const open = child(t, 'memory/call.ts', { args: ['open', JSON.stringify(id)], within })
    t.like(await open.next(), { error: 'IpcError', code: 'EACCES', errno: -13 })
    const remove = child(t, 'memory/call.ts', { args: ['unlink', JSON.stringify(id)], within })
    t.regex(((await remove.next()) as { code: string }).code, /^(EPERM|EACCES)$/)
  })

  requires(asUser(65534))(`read permission is enough to open it read-only (${kind})`, async t => {
    const id = uniqueId(t)
    using _memory = SharedMemory.create(id, { size: 4, mode: 0o644 })
    const call = (options: object) =>
      child(t, 'memory/call.ts', {
        args: ['open', JSON.stringify(id), JSON.stringify(options)],
        within: [asUser(65534)],
      })
    t.like(await call({ readOnly: true }).next(), { size: 4 })
    t.like(await call({}).next(), { code: 'EACCES' })
  })

  requires(asUser(65534), root)(
    `an object of another user is refused unless the option owner names that user (${kind})`,
    async t => {
      const id = uniqueId(t)
      const options = JSON.stringify({ size: 4, mode: 0o666 })
      const maker = child(t, 'memory/call.ts', {
        args: ['create', JSON.stringify(id), options],
        within: [asUser(65534)],
      })
      t.like(await maker.next(), { created: true })
      const refusal = { name: 'IpcError', code: 'ERR_FOREIGN_OWNER', message: /belongs to uid 65534/ }
      t.throws(() => SharedMemory.open(id), refusal)
      t.throws(() => SharedMemory.open(id, { readOnly: true, owner: 1 }), refusal)
      t.throws(() => SharedMemory.openOrCreate(id, { size: 4 }), refusal)
      for (const owner of [65534, 'any'] as const) {
        using memory = SharedMemory.open(id, { owner })
        t.is(memory.size, 4)
        if (memory.id !== undefined) {
          t.throws(() => SharedMemory.attach(memory.id ?? 0), refusal)
          SharedMemory.attach(memory.id, { owner }).close()
        }
      }
    },
  )
}

requires(systemV)('attach finds a segment by its id, also after its key is gone', t => {
  const key = uniqueKey(t)
  using memory = SharedMemory.create(key, { size: 4 })
  using attached = SharedMemory.attach(memory.id ?? -1)
  t.like(attached, { kind: 'sysv', key, id: memory.id, size: 4, created: false })
  memory.unlink()
  using late = SharedMemory.attach(memory.id ?? -1, { readOnly: true })
  t.is(late.key, undefined)
  t.like(late.info(), { removed: true, attached: 3, key: undefined })
  using again = SharedMemory.create(key, { size: 8 })
  t.not(again.id, memory.id)
})

requires(systemV)('attach to an unused id throws EINVAL', t => {
  t.throws(() => SharedMemory.attach(2 ** 31 - 1), { name: 'IpcError', code: 'EINVAL' })
})

requires(systemV)('a key may be written signed or unsigned', t => {
  const key = uniqueKey(t)
  using memory = SharedMemory.create(key >>> 0, { size: 1 })
  t.is(memory.key, key)
  t.is(SharedMemory.open(key).id, memory.id)
})

test('a missing leading slash is added to a name of memory', t => {
  const name = uniqueName(t)
  using made = SharedMemory.create(name.slice(1), { size: 8 })
  t.is(made.name, name)
  t.is(made.info().name, name)
  made.write('slash')
  using opened = SharedMemory.open(name)
  t.is(opened.toBuffer(0, 5).toString(), 'slash')
  using again = SharedMemory.openOrCreate(name.slice(1), { size: 8 })
  t.false(again.created)
  t.true(list().memory.some(memory => memory.name === name))
  t.true(SharedMemory.unlink(name.slice(1)))
  t.throws(() => SharedMemory.open(name), { code: 'ENOENT' })
})

test('ids, sizes, modes and options of the wrong kind are refused before any system call', t => {
  const name = uniqueName(t)
  const type = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' }
  const value = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' }
  const range = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' }
  const create = (id: unknown, options: unknown) => () =>
    SharedMemory.create(id as string, options as { size: number })

  for (const id of [undefined, null, 1n, {}, [], true, Symbol('id')]) t.throws(create(id, { size: 1 }), type)
  for (const id of [
    '',
    '/',
    'a/b',
    '/a/b',
    '.',
    '..',
    '/..',
    '/.',
    '/a\0b',
    '/\ud800',
    `/${'a'.repeat(251)}`,
  ]) {
    t.throws(create(id, { size: 1 }), value, JSON.stringify(id))
  }
  for (const id of [Number.NaN, 1.5, 2 ** 32, -(2 ** 31) - 1, Number.POSITIVE_INFINITY]) {
    t.throws(create(id, { size: 1 }), range)
  }
  t.throws(create(0, { size: 1 }), { name: 'IpcError', code: 'ERR_RESERVED_KEY' })
  for (const size of [undefined, '1', 1n, null]) t.throws(create(name, { size }), type)
  for (const size of [0, -1, Number.NaN, 1.5, 2 ** 53, Number.POSITIVE_INFINITY])
    t.throws(create(name, { size }), range)
  for (const mode of ['600', 1n, null]) t.throws(create(name, { size: 1, mode }), type)
  for (const mode of [-1, 0o1000, Number.NaN]) t.throws(create(name, { size: 1, mode }), range)
  for (const options of [null, 1, 'x']) t.throws(create(name, options), type)

  const open = (options: unknown) => () => SharedMemory.open(name, options as object)
  for (const owner of ['root', null, 1n]) t.throws(open({ owner }), type)
  for (const owner of [-1, 2 ** 32, 0.5]) t.throws(open({ owner }), range)
  for (const readOnly of [0, 'yes', null]) t.throws(open({ readOnly }), type)
  for (const shmid of ['1', 1n, undefined])
    t.throws(() => SharedMemory.attach(shmid as unknown as number), type)
  for (const shmid of [-1, 2 ** 31, 0.5]) t.throws(() => SharedMemory.attach(shmid), range)
  t.throws(() => SharedMemory.open(name), { code: 'ENOENT' })
})

for (const { kind, uniqueId } of kinds) {
  test(`sizes around 2^31 are exact, and a size without room is an error (${kind})`, t => {
    const id = uniqueId(t)
    for (const size of [2 ** 47, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      const error = t.throws(() => SharedMemory.create(id, { size }), { name: 'IpcError' })
      t.regex((error as unknown as { code: string }).code, /^(ENOSPC|ENOMEM|EINVAL|EFBIG)$/)
      t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
    }
  })

  test(`positions, lengths and data of the wrong kind are refused (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 8 })
    const type = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' }
    const range = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' }
    const bytes = new Uint8Array(1)
    for (const position of ['0', 1n, null]) {
      t.throws(() => memory.read(bytes, position as unknown as number), type)
      t.throws(() => memory.write(bytes, position as unknown as number), type)
      t.throws(() => memory.toBuffer(position as unknown as number), type)
      t.throws(() => memory.toBuffer(0, position as unknown as number), type)
    }
    for (const position of [-1, 9, Number.NaN, 0.5, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 53]) {
      t.throws(() => memory.read(bytes, position), range)
      t.throws(() => memory.write(bytes, position), range)
      t.throws(() => memory.toBuffer(position), range)
      t.throws(() => memory.toBuffer(0, position), range)
    }
    t.throws(() => memory.toBuffer(4, 5), range)
    for (const data of [
      undefined,
      null,
      1,
      {},
      [1],
      new ArrayBuffer(1),
      new Int32Array(1),
      new DataView(memory.buffer),
    ]) {
      t.throws(() => memory.read(data as unknown as Uint8Array), type)
      t.throws(() => memory.write(data as unknown as Uint8Array), type)
    }
    t.throws(() => memory.read('text' as unknown as Uint8Array), type)
  })
}

requires(linux)('positions beyond 2^31 are exact', t => {
  const name = uniqueName(t)
  // A sparse file, because a test cannot use 3 GB of memory.
  t.is(spawnSync('truncate', ['-s', String(3 * 2 ** 30), `/dev/shm${name}`]).status, 0)
  using memory = SharedMemory.open(name)
  t.is(memory.size, 3 * 2 ** 30)
  for (const position of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1]) {
    memory.write('x', position)
    t.is(memory.toBuffer(position, 1).toString(), 'x')
  }
  t.is(new Uint8Array(memory.buffer)[2 ** 31 + 1], 120)
})
