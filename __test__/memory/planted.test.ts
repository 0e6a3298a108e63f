// Objects that another user planted under a name that a service opens: refused, not followed, not truncated.

import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'

import type { ExecutionContext } from 'ava'

import { SharedMemory } from '../../index.js'
import { program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { requires } from '../shared/requires.ts'
import { asUser } from '../shared/surroundings.ts'

const nobody = asUser(65534)

/** Runs a command as another user. */
async function plant(t: ExecutionContext, ...argv: string[]): Promise<void> {
  const { code, stderr } = await program(t, argv, { within: [nobody] }).exit
  t.is(code, 0, stderr)
}

/** A file of this user that must not change. */
function precious(t: ExecutionContext): string {
  const file = `/dev/shm${uniqueName(t)}`
  writeFileSync(file, 'precious', { mode: 0o666 })
  return file
}

function refused(t: ExecutionContext, name: string, kind: RegExp): void {
  const refusal = { name: 'IpcError', code: 'ERR_NOT_AN_OBJECT', message: kind }
  t.throws(() => SharedMemory.open(name), refusal)
  t.throws(() => SharedMemory.open(name, { readOnly: true, owner: 'any' }), refusal)
  t.throws(() => SharedMemory.openOrCreate(name, { size: 2, owner: 'any' }), refusal)
  t.throws(() => SharedMemory.create(name, { size: 2 }), { code: 'EEXIST' })
}

requires(nobody)('a planted symbolic link is not followed', async t => {
  const [name, target] = [uniqueName(t), precious(t)]
  await plant(t, 'ln', '-s', target, `/dev/shm${name}`)
  refused(t, name, /symbolic link/)
  t.is(readFileSync(target, 'utf8'), 'precious')
  t.true(SharedMemory.unlink(name))
  t.is(readFileSync(target, 'utf8'), 'precious')
})

requires(nobody)('a planted dangling link makes no file at its target', async t => {
  const [name, target] = [uniqueName(t), uniqueName(t)]
  await plant(t, 'ln', '-s', `/dev/shm${target}`, `/dev/shm${name}`)
  refused(t, name, /symbolic link/)
  t.throws(() => SharedMemory.open(target), { code: 'ENOENT' })
})

requires(nobody)('a hard link is refused', t => {
  const [name, target] = [uniqueName(t), precious(t)]
  // Where fs.protected_hardlinks is off, another user can do this; here the test does it.
  linkSync(target, `/dev/shm${name}`)
  refused(t, name, /another name/)
  t.is(readFileSync(target, 'utf8'), 'precious')
})

requires(nobody)('a planted FIFO neither blocks nor opens', async t => {
  const name = uniqueName(t)
  await plant(t, 'mkfifo', `/dev/shm${name}`)
  refused(t, name, /FIFO/)
})

requires(nobody)('a planted directory is refused', async t => {
  const name = uniqueName(t)
  t.teardown(() => rmSync(`/dev/shm${name}`, { recursive: true, force: true }))
  await plant(t, 'mkdir', `/dev/shm${name}`)
  refused(t, name, /directory/)
  t.throws(() => SharedMemory.unlink(name), { name: 'IpcError', message: /^(EISDIR|EPERM): / })
  t.true(statSync(`/dev/shm${name}`).isDirectory())
})

requires(nobody)('a planted object of another user is refused, and keeps its size', async t => {
  const name = uniqueName(t)
  await plant(t, 'sh', '-c', `umask 0; printf 12345678 > /dev/shm${name}`)
  const refusal = { code: 'ERR_FOREIGN_OWNER', message: /belongs to uid 65534/ }
  t.throws(() => SharedMemory.open(name), refusal)
  t.throws(() => SharedMemory.openOrCreate(name, { size: 2 }), refusal)
  t.is(statSync(`/dev/shm${name}`).size, 8)
  t.is(SharedMemory.open(name, { owner: 65534 }).size, 8)
})
