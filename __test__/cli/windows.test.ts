// The command on Windows. Objects end there with the last process that has them open, so the tests keep them open.

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ExecutionContext } from 'ava'

import { Channel, Limit, locks, Semaphore, SharedMemory } from '../../index.js'
import { cli, OS_IPC, start } from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { type Need, requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const windows: Need = { missing: process.platform === 'win32' ? undefined : 'needs Windows' }

/** A program of Node that prints its arguments, and the variable that tells who started it. */
const ECHO = 'console.log(JSON.stringify(process.argv.slice(1)))'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A folder with batch files, and a PATH that begins with it. */
function batches(
  t: ExecutionContext,
  files: Record<string, string>,
): { home: string; env: Record<string, string> } {
  const home = folder(t)
  for (const [name, line] of Object.entries(files)) write(join(home, name), `@echo off\r\n${line}\r\n`)
  return { home, env: { PATH: `${home};${process.env.PATH}`, PATHEXT: '.COM;.EXE;.BAT;.CMD;.JS' } }
}

requires(windows)('run and lock pass on the arguments and the exit code of a program', async t => {
  const words = ['a b', 'q"uo"te', '100%PATH%', 'back\\', 'a&b|c>d', '^x', '']
  for (const command of ['run', 'lock']) {
    const args = [command, uniqueName(t), '--', process.execPath, '-e', ECHO, 'x', ...words]
    const { code, stdout, stderr } = await cli(t, args)
    t.is(code, 0, stderr)
    t.deepEqual(JSON.parse(stdout), ['x', ...words])
  }
  const failing = await cli(t, ['run', uniqueName(t), '--', process.execPath, '-e', 'process.exit(7)'])
  t.is(failing.code, 7)
})

requires(windows)('run finds a batch file by its name, and cmd changes none of its arguments', async t => {
  const { env } = batches(t, { 'tool.cmd': `"${process.execPath}" -e "${ECHO}" x %*\r\nexit /b 9` })
  const words = ['a b', 'q"uo"te', '100%PATH%', 'back\\', 'a&b|c>d', '^x', '', '%CD%', '!PATH!', '"&calc&"']
  for (const name of ['tool', 'TOOL.cmd']) {
    const { code, stdout, stderr } = await cli(t, ['run', uniqueName(t), '--', name, ...words], { env })
    t.is(code, 9, stderr)
    t.deepEqual(JSON.parse(stdout), ['x', ...words])
  }
  const broken = await cli(t, ['run', uniqueName(t), '--', 'tool', 'two\nlines'], { env })
  t.is(broken.code, 126)
  t.regex(broken.stderr, /a batch file cannot get an argument with a line break/)
})

requires(windows)(
  'run finds a batch file in a folder with a percent sign or a semicolon in its name',
  async t => {
    for (const name of ['a%OS%b', 'one;two']) {
      const home = join(folder(t), name)
      mkdirSync(home)
      writeFileSync(join(home, 'tool.cmd'), `@"${process.execPath}" -e "${ECHO}" x %*\r\n`)
      const env = { PATH: `"${home}";${process.env.PATH}` }
      for (const command of ['tool', join(home, 'tool.cmd')]) {
        const { code, stdout, stderr } = await cli(t, ['run', uniqueName(t), '--', command, 'a'], { env })
        t.is(code, 0, stderr)
        t.deepEqual(JSON.parse(stdout), ['x', 'a'])
      }
    }
  },
)

requires(windows)('rm says that a lock that is made of files cannot be removed', async t => {
  const name = uniqueName(t).slice(1)
  await locks.request(name, async () => {
    const { code, stderr } = await cli(t, ['rm', '--lock', name, '--force'])
    t.is(code, 1)
    t.regex(stderr, /is in use: it is held by .*made of files cannot be removed/s)
  })
})

requires(windows)('a command that cannot be started is an error with a remedy', async t => {
  const { home, env } = batches(t, { 'script.ps1': '', 'notes.txt': '' })
  for (const [name, code, message] of [
    ['no-such-command', 127, /there is no command 'no-such-command'; it is not on the PATH\r?\n/],
    ['echo', 127, /there is no command 'echo'; it is a part of cmd: -- cmd \/c echo\r?\n/],
    [join(home, 'absent.exe'), 127, /there is no command '.*absent\.exe'\r?\n/],
    [join(home, 'script.ps1'), 126, /cannot be executed: .*; powershell -File /],
    [join(home, 'notes.txt'), 126, /cannot be executed: Windows runs \.exe, \.com, \.cmd and \.bat files/],
  ] as const) {
    const end = await cli(t, ['run', uniqueName(t), '--', name], { env })
    t.is(end.code, code, end.stderr)
    t.regex(end.stderr, message)
  }
})

requires(windows)('run starts the program that it found before it waited', async t => {
  const name = uniqueName(t)
  const home = folder(t)
  const { env } = batches(t, { 'tool.cmd': 'exit /b 9' })
  using limit = Limit.create(name, { permits: 1 })
  const permit = limit.tryAcquire()
  const waiting = cli(t, ['run', name, '--', 'tool'], { env: { ...env, PATH: `${home};${env.PATH}` } })
  await until('it waits', () => (limit.info().waiters ?? 0) > 0)
  write(join(home, 'tool.cmd'), '@exit /b 8\r\n')
  permit?.release()
  const { code, stderr } = await waiting
  t.is(code, 9, stderr)
})

requires(windows)('at most N commands run at a time, and the message names the holder', async t => {
  const name = uniqueName(t)
  const holder = start(t, [
    'run',
    name,
    '-n',
    1,
    '--',
    process.execPath,
    '-e',
    'console.log(1);setInterval(() => {}, 1e6)',
  ])
  t.is(await holder.next(), 1)
  const late = await cli(t, ['run', name, '--timeout', 0, '--wait-code', 9, '--', process.execPath, '-e', ''])
  t.is(late.code, 9)
  t.regex(late.stderr, new RegExp(`was not free within 0 s; held by ${holder.pid}`))
})

requires(windows)('a killed os-ipc ends its command too, and the permit and the lock come back', async t => {
  const [limited, locked] = [uniqueName(t), uniqueName(t)]
  using limit = Limit.create(limited, { permits: 1 })
  for (const args of [
    ['run', limited],
    ['lock', locked],
  ]) {
    const hold = 'console.log(process.pid);setInterval(() => {}, 1e6)'
    const holder = start(t, [...args, '--', process.execPath, '-e', hold])
    const pid = (await holder.next()) as number
    t.not(pid, holder.pid)
    holder.kill('SIGKILL')
    await until('the command ends', () => !isAlive(pid))
  }
  await until('the permit is back', () => limit.info().free === 1)
  const next = await cli(t, [
    'lock',
    locked,
    '--timeout',
    30,
    '--',
    process.execPath,
    '-e',
    'process.exit(3)',
  ])
  t.is(next.code, 3, next.stderr)
})

requires(windows)('ls, show, limit, post, try, wait, value and rm work on objects of programs', async t => {
  const [sem, lim, mem] = [uniqueName(t, '-s'), uniqueName(t, '-l'), uniqueName(t, '-m')]
  using semaphore = Semaphore.create(sem, { initial: 1 })
  using limit = Limit.create(lim, { permits: 2 })
  using memory = SharedMemory.create(mem, { size: 16 })
  const run = async (...args: (string | number)[]) => {
    const { code, stdout, stderr } = await cli(t, args)
    return { code, text: `${stdout}${stderr}`.replaceAll('\r', '') }
  }
  const names = (await run('ls', '--names')).text.split('\n')
  for (const name of [sem, lim, mem]) t.true(names.includes(name), name)
  const [item] = JSON.parse((await run('ls', '--limits', '--json', lim)).text) as Record<string, unknown>[]
  t.like(item, { name: lim, permits: 2, free: 2, uid: null, owner: null, mode: null })
  t.regex((await run('show', lim)).text, /permits +2, 0 of them used/)
  t.regex((await run('show', sem)).text, /kind +Windows semaphore\n/)
  t.regex((await run('show', mem)).text, /kind +Windows shared memory\n/)

  t.deepEqual(await run('post', sem, '-n', 2), { code: 0, text: '' })
  t.deepEqual(await run('value', sem), { code: 0, text: '3\n' })
  t.is((await run('try', sem)).code, 0)
  t.is((await run('wait', sem)).code, 0)
  t.is(semaphore.value, 1)
  t.is((await run('limit', lim, 5)).code, 0)
  t.is(limit.permits, 5)

  t.is((await run('write', mem, 'hello')).code, 0)
  t.is(memory.toBuffer().toString('latin1', 0, 5), 'hello')
  t.is((await run('read', mem, '--length', 5)).text.trim(), 'hello')

  t.is((await run('rm', '--semaphore', sem)).code, 0)
  t.throws(() => semaphore.post(), { code: 'EIDRM' })
  t.is((await run('value', sem)).code, 3)
})

requires(windows)('send and receive work on a channel of a program', async t => {
  const name = uniqueName(t)
  using channel = Channel.create(name, { capacity: 4096 })
  t.is((await cli(t, ['send', name, 'one', 'two'])).code, 0)
  t.is((await cli(t, ['receive', name])).stdout.trim(), 'one')
  t.is(`${channel.tryReceive()}`, 'two')
  const sent = spawnSync(process.execPath, [OS_IPC, 'send', name], { input: 'one\r\ntwo\r\n' })
  t.is(sent.status, 0, `${sent.stderr}`)
  t.deepEqual([`${channel.tryReceive()}`, `${channel.tryReceive()}`], ['one', 'two'])
})

requires(windows)('a command that would make an object only for itself says that it ends', async t => {
  const name = uniqueName(t)
  const ends = new RegExp(
    `(semaphore|limit|memory|channel) ${name} ends with os-ipc: this system keeps no object`,
  )
  for (const args of [
    ['create', name, '--initial', 1],
    ['create', name, '--permits', 1],
    ['create', name, '--size', 8],
    ['write', name, '--create', 'text'],
    ['send', name, '--create', 'lost'],
  ]) {
    const { code, stderr } = await cli(t, args)
    t.is(code, 5, args.join(' '))
    t.regex(stderr, ends, args.join(' '))
  }
  using semaphore = Semaphore.create(name, { initial: 4 })
  t.is((await cli(t, ['create', name, '--initial', 1, '--if-absent'])).code, 0)
  t.is(semaphore.value, 4)
})

requires(windows)('key says that objects have no key here', async t => {
  const { code, stderr } = await cli(t, ['key', 'jobs'])
  t.is(code, 5)
  t.regex(stderr, /objects of Windows have no key/)
})

requires(windows)('no command reads \\proc, \\dev or \\etc of the drive', async t => {
  // Under Wine the drive Z has all of them.
  const { stdout, code } = await cli(t, ['doctor', '--json'])
  t.is(code, 0, stdout)
  const topics = new Set((JSON.parse(stdout) as { topic: string }[]).map(({ topic }) => topic))
  t.deepEqual([...topics].sort(), ['native binding', 'orphans', 'recovery'])
})

requires(windows)('os-ipc-win is the same command', async t => {
  const other = join(OS_IPC, '..', 'os-ipc-win.cjs')
  const { code, stdout } = await program(t, [process.execPath, other, '--version']).exit
  t.is(code, 0)
  t.is(stdout, (await cli(t, ['--version'])).stdout)
})
