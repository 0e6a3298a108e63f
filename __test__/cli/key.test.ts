// `os-ipc key`: the key is the kernel's, and the lines open the object in C, Go and Python.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { Limit, Semaphore, SharedMemory } from '../../index.js'
import { cli, json } from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { python } from '../shared/peers.ts'
import { folder, write } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'

interface Key {
  name: string | null
  hex: string | null
  decimal: number | null
  unsigned: number | null
  c: string[]
  go: string[]
  python: string[]
}

const pythonCommand = (): string =>
  JSON.parse(readFileSync(new URL('../../.cache/peers/peers.json', import.meta.url), 'utf8')).python
    .command[0]

test('the key is the one in the kernel', async t => {
  const name = `${uniqueName(t)}-ü`
  const semaphore = Semaphore.create(name, { initial: 1 })
  t.teardown(() => semaphore.unlink())
  const { key = 0 } = semaphore.info()
  const hex = `0x${(key >>> 0).toString(16).padStart(8, '0')}`
  t.like(await json<Key>(t, ['key', name, '--json']), { name, hex, decimal: key, unsigned: key >>> 0 })
  t.is(key, keyOf(name))
  const { stdout } = await cli(t, ['key', name.slice(1)])
  t.true(stdout.startsWith(`${hex}  ${key}`))
  t.regex(stdout, /^C\n {2}#include <sys\/sem.h>$/m)
  t.is((await cli(t, ['value', hex])).stdout, '1\n')
})

test('named memory has no key, a key stays the same, and an invalid name is refused', async t => {
  t.like(await json<Key>(t, ['key', '/frames', '--memory', '--json']), { hex: null, decimal: null })
  t.like(await json<Key>(t, ['key', '0xFFFFFFFF', '--json']), {
    name: null,
    decimal: -1,
    unsigned: 4_294_967_295,
  })
  for (const name of ['a/b', '/', '..', '0', 'id:7', 'x'.repeat(251)]) {
    t.is((await cli(t, ['key', name])).code, 2, name)
  }
  t.is((await cli(t, ['key', '7', '--posix'])).code, 2)
})

// --- the lines, compiled and run

/** Compiles and runs the lines of C, with `rest` behind them. */
function runC(t: ExecutionContext, lines: readonly string[], rest: string): string {
  const includes = lines.filter(line => line.startsWith('#'))
  const body = lines.filter(line => !line.startsWith('#'))
  const home = folder(t)
  const file = write(
    join(home, 'key.c'),
    ['#include <stdio.h>', ...includes, 'int main(void) {', ...body, rest, '}', ''].join('\n'),
  )
  const compiled = spawnSync(
    'cc',
    ['-Wall', '-Wno-unused-variable', '-Werror', '-o', join(home, 'key'), file, '-pthread'],
    { encoding: 'utf8' },
  )
  t.is(compiled.status, 0, compiled.stderr)
  return spawnSync(join(home, 'key'), { encoding: 'utf8' }).stdout
}

async function runGo(
  t: ExecutionContext,
  lines: readonly string[],
  imports: string,
  rest: string,
): Promise<string> {
  const end = lines.findIndex(line => line.startsWith('import'))
  const home = folder(t)
  const file = write(
    join(home, 'key.go'),
    [
      'package main',
      ...lines.slice(0, end + 1),
      imports,
      'func main() {',
      ...lines.slice(end + 1),
      rest,
      '}',
      '',
    ].join('\n'),
  )
  const { code, stdout, stderr } = await program(t, ['go', 'run', file], { limit: 90_000 }).exit
  t.is(code, 0, stderr)
  return stdout.trimEnd()
}

function runPython(t: ExecutionContext, lines: readonly string[], rest: string): string {
  const { status, stdout, stderr } = spawnSync(pythonCommand(), ['-c', [...lines, rest].join('\n')], {
    encoding: 'utf8',
  })
  t.is(status, 0, stderr)
  return stdout
}

const cc = tool('cc', 'gcc')
const go = tool('go', 'golang-go')

requires(linux, cc)('the lines of C open semaphores and memory', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 3 })
  const set = await json<Key>(t, ['key', name, '--json'])
  t.is(runC(t, set.c, 'if (semop(set, &take, 1) == 0) printf("%d", semctl(set, 0, GETVAL));'), '2')
  t.is(semaphore.value, 2, 'the kernel takes nothing back from a semaphore')
  const limitName = uniqueName(t)
  const limit = Limit.create(limitName, { permits: 3, engine: 'sysv' })
  const permits = await json<Key>(t, ['key', limitName, '--json'])
  t.is(runC(t, permits.c, 'if (semop(set, &acquire, 1) == 0) printf("%d", semctl(set, 0, GETVAL));'), '2')
  t.is(limit.info().free, 3, 'SEM_UNDO: the program has ended')
  Semaphore.create(name, { initial: 5, backend: 'posix' })
  const posix = await json<Key>(t, ['key', name, '--posix', '--json'])
  t.is(runC(t, posix.c, 'int value = 0; sem_getvalue(semaphore, &value); printf("%d", value);'), '5')
  SharedMemory.create(name, { size: 10 }).write('of a name')
  const file = await json<Key>(t, ['key', name, '--memory', '--json'])
  t.is(runC(t, file.c, 'printf("%s", (char *)memory);'), 'of a name')
  const key = uniqueKey(t)
  SharedMemory.create(key, { size: 10 }).write('of a key')
  const segment = await json<Key>(t, ['key', `${key >>> 0}`, '--memory', '--json'])
  t.is(runC(t, segment.c, 'printf("%s", (char *)memory);'), 'of a key')
})

requires(linux, python)('the lines of Python open semaphores and memory', async t => {
  const name = uniqueName(t)
  Semaphore.create(name, { initial: 3 })
  const set = await json<Key>(t, ['key', name, '--json'])
  t.is(runPython(t, set.python, 'print(semaphore.value)'), '3\n')
  Semaphore.create(name, { initial: 5, backend: 'posix' })
  const posix = await json<Key>(t, ['key', name, '--posix', '--json'])
  t.is(runPython(t, posix.python, 'print(semaphore.value)'), '5\n')
  SharedMemory.create(name, { size: 10 }).write('of a name')
  const file = await json<Key>(t, ['key', name, '--memory', '--json'])
  const keep =
    'from multiprocessing import resource_tracker\nresource_tracker.unregister(memory._name, "shared_memory")'
  t.is(runPython(t, file.python, `print(bytes(memory.buf[:9]).decode())\n${keep}`), 'of a name\n')
  const key = uniqueKey(t)
  SharedMemory.create(key, { size: 10 }).write('of a key')
  const segment = await json<Key>(t, ['key', `${key >>> 0}`, '--memory', '--json'])
  t.is(runPython(t, segment.python, 'print(memory.read(8).decode())'), 'of a key\n')
})

requires(linux, go)('the lines of Go open semaphores and memory', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 3 })
  const set = await json<Key>(t, ['key', name, '--json'])
  t.is(
    await runGo(t, set.go, 'import "fmt"', 'fmt.Print(set, " ", errno == 0)'),
    `${semaphore.info().id} true`,
  )
  SharedMemory.create(name, { size: 10 }).write('of a name')
  const file = await json<Key>(t, ['key', name, '--memory', '--json'])
  t.is(await runGo(t, file.go, 'import "fmt"', 'fmt.Print(string(memory[:9]), err == nil)'), 'of a nametrue')
  const key = uniqueKey(t)
  const memory = SharedMemory.create(key, { size: 10 })
  const segment = await json<Key>(t, ['key', `${key >>> 0}`, '--memory', '--json'])
  t.is(
    await runGo(t, segment.go, 'import "fmt"', 'fmt.Print(segment, address != 0, errno == 0)'),
    `${memory.id} true true`,
  )
})

requires(
  linux,
  go,
  cc,
)('the lines of Go open a POSIX semaphore', async t => {
  const name = uniqueName(t)
  Semaphore.create(name, { initial: 5, backend: 'posix' })
  const posix = await json<Key>(t, ['key', name, '--posix', '--json'])
  t.is(await runGo(t, posix.go, 'import "fmt"', 'fmt.Print(semaphore != nil)'), 'true')
})

test('a name with quotes and line breaks is a literal of each language', async t => {
  const lines = await json<Key>(t, ['key', `/"a'b\\c\nd`, '--memory', '--json'])
  t.true(lines.c.some(line => line.includes(`"/\\"a'b\\\\c\\012d"`)))
  t.true(lines.python.some(line => line.includes(`"\\"a'b\\\\c\\x0ad"`)))
})
