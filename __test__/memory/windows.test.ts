// A C program uses memory of Windows by the layout in docs/platforms.md.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { ExecutionContext } from 'ava'

import { SharedMemory } from '../../index.js'
import { type Exit, program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { type Need, requires } from '../shared/requires.ts'

const PEER = fileURLToPath(new URL('../../.cache/peers/windows.exe', import.meta.url))

const windows: Need = { missing: process.platform === 'win32' ? undefined : 'needs Windows' }
const peer: Need = {
  missing: existsSync(PEER) ? undefined : 'needs the C program for Windows: npm run peers',
}

const NOT_FOUND = 2
const INVALID = 87

function run(t: ExecutionContext, verb: string, name: string, ...rest: (string | number)[]): Promise<Exit> {
  return program(t, [PEER], { args: [verb, name.slice(1), ...rest] }).exit
}

requires(windows, peer)('a C program reads, changes and measures memory of this package', async t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 5000 })
  memory.write('written here', 4096)
  t.is((await run(t, 'size', name)).stdout.trim(), '5000')
  t.is((await run(t, 'read', name, 4096, 12)).stdout.trim(), 'written here')
  const { code, stderr } = await run(t, 'write', name, 4990, 'from C')
  t.is(code, 0, stderr)
  t.is(memory.toBuffer().toString('latin1', 4990, 4996), 'from C')
  t.is((await run(t, 'write', name, 4996, 'too long')).code, INVALID)
})

requires(windows, peer)('a C program finds the object that has the name now', async t => {
  const name = uniqueName(t)
  t.is((await run(t, 'size', name)).code, NOT_FOUND)
  using old = SharedMemory.create(name, { size: 8 })
  old.write('old')
  old.unlink()
  t.is((await run(t, 'size', name)).code, NOT_FOUND)
  using next = SharedMemory.create(name, { size: 16 })
  next.write('new')
  t.is((await run(t, 'read', name, 0, 3)).stdout.trim(), 'new')
  t.is(old.toBuffer().toString('latin1', 0, 3), 'old')
})
