// `os-ipc run` and `os-ipc lock` become the command: it keeps the process, and nothing of os-ipc remains in it.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import type { ExecutionContext } from 'ava'

import { Limit, list, locks, Semaphore } from '../../index.js'
import { cli, freeOf, installed, installedShell, start } from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { privateIpc } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const INDEX = new URL('../../index.js', import.meta.url).href

/** A lock name; what the command leaves of the lock is removed when the test ends. */
function lockName(t: ExecutionContext): string {
  const name = `${uniqueName(t).slice(1)}, a lock`
  t.teardown(() => {
    const left = list().locks.find(lock => lock.name === name)?.key
    if (left !== undefined) Semaphore.unlink(left)
  })
  return name
}

/** A program for Node that can use the package as `ipc`. */
function script(code: string): string[] {
  return [process.execPath, '--input-type=module', '-e', `const ipc = await import('${INDEX}')\n${code}`]
}

requires(linux)('the command is the only process, with the pid that was started', async t => {
  const running = start(t, ['run', uniqueName(t), '--', 'sh', '-c', 'echo $$; read line'])
  t.is(await running.next(), running.pid)
  t.is(readFileSync(`/proc/${running.pid}/comm`, 'utf8'), 'sh\n')
  t.is(readdirSync(`/proc/${running.pid}/task`).length, 1)
  t.is(spawnSync('ps', ['-o', 'pid=', '--ppid', `${running.pid}`], { encoding: 'utf8' }).stdout, '')
  running.send('end')
  t.is((await running.exit).code, 0)
})

requires(linux)('a signal that ends the command is the signal in its exit status', async t => {
  const name = uniqueName(t)
  for (const signal of ['KILL', 'TERM', 'SEGV', 'PIPE', 'USR1', 'HUP']) {
    const ran = await cli(t, ['run', name, '--', 'sh', '-c', `kill -${signal} $$; sleep 9`])
    t.like(ran, { code: null, signal: `SIG${signal}` })
  }
  t.is(freeOf(name), 1)
})

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  requires(linux)(`${signal} gives permit and lock back at once`, async t => {
    const [name, lock] = [uniqueName(t), lockName(t)]
    const running = start(t, ['run', name, '--', 'sh', '-c', 'echo ready; exec sleep 30'])
    const locked = start(t, ['lock', lock, '--', 'sh', '-c', 'echo ready; exec sleep 30'])
    await Promise.all([running.until('ready'), locked.until('ready')])
    const limit = Limit.open(name)
    t.is(limit.info().free, 0)
    t.is(await locks.request(lock, { ifAvailable: true }, held => held), null)
    running.kill(signal)
    locked.kill(signal)
    const permit = await limit.acquire({ timeout: 20_000 })
    permit.release()
    t.is(await locks.request(lock, { signal: AbortSignal.timeout(20_000) }, held => held?.name), lock)
  })
}

requires(linux)('SIGTSTP stops the command with its permit, and SIGCONT wakes it', async t => {
  const name = uniqueName(t)
  const state = (pid: number) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  // A shell runs between the test and os-ipc because the kernel does not stop an orphaned process group.
  const line = `set -m; os-ipc run ${name} -- sleep 30 & echo $!; read line; kill $!`
  const parent = program(t, ['bash', '-c', line], { env: { PATH: installed(t) } })
  const pid = Number(await parent.next())
  await until('it runs', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n')
  process.kill(pid, 'SIGTSTP')
  await until('it is stopped', () => state(pid) === 'T')
  t.is(freeOf(name), 0)
  process.kill(pid, 'SIGCONT')
  await until('it goes on', () => state(pid) === 'S')
  t.is(freeOf(name), 0)
  parent.send('end')
  await parent.exit
  await until('the permit is back', () => freeOf(name) === 1)
})

// --- the command's own use of the package

for (const mode of ['exclusive', 'shared']) {
  requires(linux)(`a command that uses the same lock keeps the lock that it runs under: ${mode}`, async t => {
    const name = lockName(t)
    const code = `
const text = ${JSON.stringify(name)}
const held = async () => (await ipc.locks.query()).held.filter(lock => lock.name === text).map(lock => [lock.mode, lock.pid])
console.log(JSON.stringify(await held()))
console.log(JSON.stringify(await ipc.locks.request(text, { ifAvailable: true }, lock => lock?.name ?? null)))
console.log(JSON.stringify(await ipc.locks.request(text, { mode: 'shared', ifAvailable: true }, lock => lock?.mode ?? null)))
console.log(JSON.stringify(await held()))
process.stdin.once('data', () => process.exit(3))`
    const options = mode === 'shared' ? ['--shared'] : []
    const running = start(t, ['lock', name, ...options, '--', ...script(code)])
    const ours = [[mode, running.pid]]
    t.deepEqual(await running.next(), ours)
    t.is(await running.next(), null, 'as for every other process')
    t.is(await running.next(), mode === 'shared' ? 'shared' : null)
    t.deepEqual(await running.next(), ours)
    t.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
    const { processes } = list().locks.find(lock => lock.name === name) ?? {}
    t.is(processes?.filter(pid => pid === running.pid).length, 1)
    running.send('end')
    t.is((await running.exit).code, 3)
    t.is(await locks.request(name, lock => lock?.mode), 'exclusive')
  })
}

requires(linux)(
  'a command that uses the same limit has its own permits beside the one that it runs under',
  async t => {
    const name = uniqueName(t)
    const code = `
const limit = ipc.Limit.open(${JSON.stringify(name)})
console.log(limit.info().free)
const permit = limit.tryAcquire()
console.log(limit.info().free, limit.tryAcquire())
permit.release()
console.log(limit.info().free)`
    t.like(await cli(t, ['run', name, '-n', 2, '--', ...script(code)]), {
      code: 0,
      stdout: '1\n0 null\n1\n',
      stderr: '',
    })
    t.is(freeOf(name), 2)
  },
)

requires(linux)(
  'run in lock in run: the innermost command holds both permits and the lock until it ends',
  async t => {
    const [one, two, lock] = [uniqueName(t), uniqueName(t), lockName(t)]
    const line = `os-ipc run ${one} -- os-ipc lock '${lock}' -- os-ipc run ${two} -- sh -c 'echo ready; read line; exit 4'`
    const running = program(t, ['bash', '-c', `exec ${line}`], { env: { PATH: installed(t) } })
    await running.until('ready')
    t.deepEqual([freeOf(one), freeOf(two)], [0, 0])
    t.is(await locks.request(lock, { ifAvailable: true }, held => held), null)
    t.is(readFileSync(`/proc/${running.pid}/comm`, 'utf8'), 'sh\n')
    running.send('end')
    t.is((await running.exit).code, 4)
    t.deepEqual([freeOf(one), freeOf(two)], [1, 1])
    t.is(await locks.request(lock, held => held?.name), lock)
  },
)

// Alone: the locks of other tests remove sets too.
requires(linux, privateIpc())('the sets of locks that commands leave behind do not pile up', async t => {
  const line = `for name in a b c d e; do os-ipc lock $name -- true || exit; done; os-ipc ls --locks --names`
  t.like(await installedShell(t, line, { within: [privateIpc()] }), { code: 0, stdout: 'e\n', stderr: '' })
})

requires(
  linux,
  tool('unshare', 'util-linux'),
  privateIpc(),
)(
  'a command that leaves the IPC namespace gives its permit back, but keeps it under a supervisor',
  async t => {
    const within = [privateIpc()]
    for (const [how, value] of [
      ['', '1'],
      ['--supervise', '0'],
    ] as const) {
      // The script reads the limit through a process that stayed in the first namespace.
      const left = join(folder(t), 'left')
      // The shell reads the limit through a process that stayed in the first namespace.
      const line = `os-ipc run /jobs ${how} -- unshare --ipc sh -c 'echo $$ > ${left}; exec sleep 60' & job=$!
        until [ -s ${left} ]; do sleep 0.05; done
        os-ipc limit /jobs | sed -n 's/^free *//p'; kill -9 $job $(cat ${left}); wait`
      const { stdout } = await installedShell(t, line, { within })
      t.is(stdout, `${value}\n`)
    }
  },
)

// --- nothing but the command

requires(linux)('the command has the limit of open files that os-ipc was started with', async t => {
  const look = `sh -c 'ulimit -Sn; ulimit -Hn'`
  for (const before of ['ulimit -Sn 777', ':']) {
    const { stdout, stderr } = await installedShell(
      t,
      `${before}; ${look}; os-ipc run ${uniqueName(t)} -- ${look}`,
    )
    t.is(stderr, '')
    t.is(stdout, stdout.slice(0, stdout.length / 2).repeat(2))
  }
})

requires(linux, tool('perl'))('the command gets blocking pipes, even after os-ipc wrote to them', async t => {
  const name = uniqueName(t)
  const limit = Limit.create(name, { permits: 0 })
  const written = join(folder(t), 'written')
  const module = write(
    join(folder(t), 'warn.mjs'),
    `import { writeFileSync } from 'node:fs'
setTimeout(() => console.error('warned', writeFileSync('${written}', '')), 1)`,
  )
  const flags = `use Fcntl; printf "%d ", fcntl($_, F_GETFL, 0) & O_NONBLOCK for *STDIN, *STDOUT, *STDERR`
  const running = program(t, ['sh', '-c', ': | exec os-ipc run "$0" -- perl -e "$1"', name, flags], {
    env: { PATH: installed(t), NODE_OPTIONS: `--import=${module}` },
  })
  await until('it wrote, and waits', () => existsSync(written) && limit.info().waiters === 1)
  await limit.resize(1)
  t.like(await running.exit, { code: 0, stdout: '0 0 0 \n', stderr: 'warned undefined\n' })
})

requires(linux)('a script without #! is run by a shell, as execvp does', async t => {
  const { stdout, stderr } = await installedShell(
    t,
    `d=$(mktemp -d); printf 'echo "ran $1"' >$d/job; chmod +x $d/job; os-ipc run ${uniqueName(t)} -- $d/job it; rm -r $d`,
  )
  t.like({ stdout, stderr }, { stdout: 'ran it\n', stderr: '' })
})

requires(linux)(
  'a command whose file is gone when its turn comes leaves neither permit nor lock behind',
  async t => {
    const name = uniqueName(t)
    const lock = lockName(t)
    const limit = Limit.create(name, { permits: 0 })
    const files = ['one', 'two'].map(file => {
      const path = write(join(folder(t), file), '#!/bin/sh\n')
      chmodSync(path, 0o755)
      return path
    })
    const [one = '', two = ''] = files
    const runs = [start(t, ['run', name, '--', one])]
    await locks.request(lock, async () => {
      runs.push(start(t, ['lock', lock, '--', two]))
      const waits = () => list().locks.find(each => each.name === lock)?.waiters
      await until('both wait', () => limit.info().waiters === 1 && waits() === 1)
      for (const file of files) rmSync(file)
    })
    await limit.resize(1)
    for (const [at, run] of runs.entries()) {
      const { code, stderr } = await run.exit
      t.like({ code, stderr }, { code: 127, stderr: `os-ipc: there is no command '${files[at]}'\n` })
    }
    t.is(limit.info().free, 1)
    t.is(await locks.request(lock, held => held?.name), lock)
  },
)
