// The command keeps what Node compiled, in a folder that only its user can write to.

import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { cli } from './helpers/cli.ts'
import { folder } from '../shared/project.ts'

const posix = process.platform !== 'win32' && 'enableCompileCache' in module ? test : test.skip

/** The files that a command keeps, with this folder as its home. */
async function kept(t: ExecutionContext, home: string, env: Record<string, string> = {}): Promise<string[]> {
  const { code, stderr } = await cli(t, ['create', '--help'], {
    env: { HOME: home, XDG_CACHE_HOME: undefined, NODE_COMPILE_CACHE: undefined, ...env },
  })
  t.deepEqual([code, stderr], [0, ''])
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(file => /-\w+\/\w+$/.test(file))
}

posix('what Node compiled is kept for the next start, where only this user can write', async t => {
  const home = folder(t)
  t.true((await kept(t, home)).every(file => file.startsWith('.cache/os-ipc/')))
  t.is(statSync(join(home, '.cache/os-ipc')).mode & 0o777, 0o700)
  const xdg = folder(t)
  t.not((await kept(t, xdg, { XDG_CACHE_HOME: xdg })).length, 0)
  t.true(existsSync(join(xdg, 'os-ipc')))
})

posix('nothing is kept where another user could plant code', async t => {
  const open = folder(t)
  chmodSync(open, 0o777)
  t.deepEqual(await kept(t, open), [], 'the home')
  const parent = folder(t)
  mkdirSync(join(parent, '.cache'))
  chmodSync(join(parent, '.cache'), 0o775)
  t.deepEqual(await kept(t, parent), [], 'the parent')
  const own = folder(t)
  mkdirSync(join(own, '.cache/os-ipc'), { recursive: true })
  chmodSync(join(own, '.cache/os-ipc'), 0o777)
  t.deepEqual(await kept(t, own), [], 'the folder')
  const link = folder(t)
  mkdirSync(join(link, '.cache'))
  symlinkSync(folder(t), join(link, '.cache/os-ipc'))
  t.deepEqual(await kept(t, link), [], 'a link')
})

posix('a home that is missing, relative or cannot be written to is no error', async t => {
  const home = folder(t)
  for (const HOME of [join(home, 'missing'), 'relative', '', '/proc']) {
    const { code, stderr } = await cli(t, ['create', '--help'], { env: { HOME, XDG_CACHE_HOME: undefined } })
    t.deepEqual([code, stderr], [0, ''], HOME)
  }
})
