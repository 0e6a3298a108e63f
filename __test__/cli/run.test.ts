// `os-ipc run`: a command under a permit. Exit codes, signals, and the end of the permit.

import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { Limit } from '../../index.js'
import { cli, freeOf, inTerminal, OS_IPC, osIpc, shell, start, terminals } from './helpers/cli.ts'
import { type Child, program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

/** A shell program that prints every signal that it gets, and exits with code 3 at SIGTERM. */
const LISTENS =
  'for s in INT HUP QUIT USR1 USR2 ALRM WINCH CONT; do trap "echo $s" $s; done; trap "echo TERM; exit 3" TERM; ' +
  'echo ready; while :; do sleep 0.02; done'

/** The state of a process as proc(5) has it: S sleeps, T is stopped. */
function stateOf(pid: number): string {
  const status = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return status.slice(status.lastIndexOf(')') + 2)[0] as string
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' })
  return stdout.trim().split(/\s+/).filter(Boolean).map(Number)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return stateOf(pid) !== 'Z'
  } catch {
    return false
  }
}

async function freeBecomes(limit: Limit, free: number): Promise<void> {
  await until(`${free} are free`, () => limit.info().free === free)
}

test('the command gets the streams, arguments and permit of os-ipc, and os-ipc exits with its exit code', async t => {
  const name = uniqueName(t)
  const inner = `cat; echo "$1" >&2; "${process.execPath}" "${OS_IPC}" limit ${name} | grep free; exit 41`
  const { code, stdout, stderr } = await shell(
    t,
    `printf 'in\\n' | os-ipc run ${name} -n 3 -- sh -c '${inner.replaceAll("'", "'\\''")}' sh '--not=ours'`,
  )
  t.like({ code, stdout, stderr }, { code: 41, stdout: 'in\nfree     2\n', stderr: '--not=ours\n' })
  t.is(freeOf(name), 3)
})

requires(linux)('the command has every stream that os-ipc was started with', async t => {
  const name = uniqueName(t)
  const file = write(join(folder(t), 'nine'), 'in\n')
  const program = 'cat <&9; echo out >&3; cat "$1"; ls /proc/self/fd | wc -l'
  const bare = `sh -c '${program}' sh <(echo substituted) 9<${file} 3>&1`
  const run = bare.replace('sh -c', `os-ipc run ${name} -- sh -c`)
  const { stdout, stderr } = await shell(t, `${bare}; ${run}`)
  t.is(stderr, '')
  const once = stdout.slice(0, stdout.length / 2)
  t.is(stdout, once.repeat(2))
  t.regex(once, /^in\nout\nsubstituted\n\d+\n$/)
})

requires(linux, tool('make'))('the jobserver of make reaches the make of the command', async t => {
  const name = uniqueName(t)
  const makefile = write(
    join(folder(t), 'Makefile'),
    `all:\n\t+@"${process.execPath}" "${OS_IPC}" run ${name} -- $(MAKE) -f $(MAKEFILE_LIST) inner\ninner:\n\t@echo inner\n`,
  )
  const { code, stdout, stderr } = await shell(t, `make --no-print-directory -j2 -f ${makefile}`)
  t.like({ code, stdout, stderr }, { code: 0, stdout: 'inner\n', stderr: '' })
})

test('-n matters only to the process that makes the limit', async t => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 2 })
  t.is((await cli(t, ['run', name, '-n', 9, '--', 'true'])).code, 0)
  t.is(freeOf(name), 2)
  const other = uniqueName(t)
  t.is((await cli(t, ['run', other, '--mode', '640', '--', 'true'])).code, 0)
  t.like(Limit.open(other).info(), { permits: 1, free: 1, mode: 0o640 })
})

test('at most PERMITS commands run at a time', async t => {
  const name = uniqueName(t)
  const log = join(folder(t), 'log')
  // The first one goes on only when a second one runs, so that two run at a time on a busy machine too.
  const job = `echo + >> ${log}; until [ $(grep -c + ${log}) -ge 2 ]; do sleep 0.05; done; sleep 0.3; echo - >> ${log}`
  const runs = Array.from({ length: 8 }, () =>
    cli(t, ['run', name, '-n', 2, '--', 'sh', '-c', job], { limit: 60_000 }),
  )
  for (const { code } of await Promise.all(runs)) t.is(code, 0)
  let [running, most, all] = [0, 0, 0]
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    running += line === '+' ? 1 : -1
    most = Math.max(most, running)
    all += 1
  }
  t.is(all, 16)
  t.is(most, 2)
  t.is(freeOf(name), 2)
})

test('after its timeout run exits with 124 or the --wait-code, and runs nothing', async t => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 0 })
  t.like(await cli(t, ['run', name, '--timeout', '0', '--', 'echo', 'ran']), {
    ...{ code: 124, stdout: '' },
    stderr: `os-ipc: a permit of ${name} was not free within 0 s; the limit has 0 permits; os-ipc limit ${name} N gives it some\n`,
  })
  t.like(await cli(t, ['run', name, '-t', '50ms', '--wait-code', 0, '-q', '--', 'echo', 'ran']), {
    ...{ code: 0, stdout: '', stderr: '' },
  })
  t.is((await cli(t, ['run', name, '-t', '0', '--wait-code', 77, '--', 'true'])).code, 77)
  t.is(freeOf(name), 0)
})

test('an impossible command is an error at once, even while no permit is free', async t => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 0 })
  const home = folder(t)
  const plain = write(join(home, 'plain'), 'echo no')
  const broken = write(join(home, 'broken'), '#!/no/such/interpreter\n')
  chmodSync(broken, 0o755)
  t.like(await cli(t, ['run', name, '--', 'no-such-command']), {
    ...{ code: 127, stderr: "os-ipc: there is no command 'no-such-command'; it is not on the PATH\n" },
  })
  t.like(await cli(t, ['run', name, '--', `${home}/none`]), {
    ...{ code: 127, stderr: `os-ipc: there is no command '${home}/none'\n` },
  })
  t.like(await cli(t, ['run', name, '--', plain]), {
    code: 126,
    stderr: `os-ipc: '${plain}' cannot be executed: it has no permission to be executed (chmod +x)\n`,
  })
  t.like(await cli(t, ['run', name, '--', home]), {
    code: 126,
    stderr: `os-ipc: '${home}' cannot be executed: it is a folder\n`,
  })
  await Limit.open(name).resize(1)
  t.is((await cli(t, ['run', name, '--', broken])).code, 127)
  t.is(freeOf(name), 1)
})

test('with --supervise a signal that ends the command gives the exit code 128 plus its number', async t => {
  const name = uniqueName(t)
  for (const [signal, number] of [
    ['KILL', 9],
    ['TERM', 15],
    ['SEGV', 11],
  ]) {
    const ran = await cli(t, ['run', name, '--supervise', '--', 'sh', '-c', `kill -${signal} $$`])
    t.is(ran.code, 128 + Number(number))
  }
  t.is(freeOf(name), 1)
})

for (const how of [[], ['--supervise']]) {
  const title = how.join('') || 'by itself'
  test(`signals reach the command, and the permit is given back only when it has ended: ${title}`, async t => {
    const name = uniqueName(t)
    const running = start(t, ['run', name, ...how, '--', 'bash', '-c', LISTENS])
    await running.until('ready')
    const limit = Limit.open(name)
    // The tests have no terminal, so signals that a terminal sends to a whole group are passed on as well.
    for (const signal of ['HUP', 'USR1', 'USR2', 'ALRM', 'INT', 'QUIT', 'WINCH', 'CONT'] as const) {
      running.kill(`SIG${signal}` as NodeJS.Signals)
      t.is(await running.next(), signal)
      t.is(limit.info().free, 0)
    }
    running.kill('SIGTERM')
    t.is(await running.next(), 'TERM')
    t.like(await running.exit, { code: 3, signal: null, stderr: '' })
    t.is(limit.info().free, 1)
  })
}

requires(linux)('SIGTSTP stops both, and SIGCONT wakes both; the permit stays held', async t => {
  const name = uniqueName(t)
  // A shell runs between the test and os-ipc because the kernel does not stop an orphaned process group.
  const parent = program(t, [
    'bash',
    '-c',
    'set -m; "$@" & echo $!; read',
    'bash',
    ...osIpc('run', name, '--supervise', '--', 'sh', '-c', 'echo ready; exec sleep 30'),
  ])
  const pid = Number(await parent.next())
  t.teardown(() => {
    if (isAlive(pid)) process.kill(-pid, 'SIGKILL')
  })
  await parent.until('ready')
  const [command = 0] = childrenOf(pid)
  process.kill(pid, 'SIGTSTP')
  await until('both are stopped', () => stateOf(pid) === 'T' && stateOf(command) === 'T')
  t.is(freeOf(name), 0)
  process.kill(pid, 'SIGCONT')
  await until('both go on', () => stateOf(pid) === 'S' && stateOf(command) === 'S')
  process.kill(pid, 'SIGTSTP')
  await until('both are stopped again', () => stateOf(pid) === 'T' && stateOf(command) === 'T')
  process.kill(pid, 'SIGCONT')
  process.kill(pid, 'SIGTERM')
  await freeBecomes(Limit.open(name), 1)
  t.false(isAlive(command))
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} ends a run that waits, and the command does not run`, async t => {
    const name = uniqueName(t)
    const limit = Limit.create(name, { permits: 0 })
    const waiting = start(t, ['run', name, '--', 'echo', 'ran'])
    await until('it waits', () => limit.info().waiters === 1)
    waiting.kill(signal)
    const { signal: by, stdout, stderr } = await waiting.exit
    t.is(by, signal)
    t.is(stdout + stderr, '')
    await limit.resize(1)
    t.is(limit.info().free, 1)
  })
}

requires(linux)('kill -9 of a supervisor gives the permit back at once, and the command goes on', async t => {
  const name = uniqueName(t)
  const running = start(t, [
    'run',
    name,
    '-n',
    2,
    '--supervise',
    '--',
    'sh',
    '-c',
    'echo ready; exec sleep 30',
  ])
  await running.until('ready')
  const [command = 0] = childrenOf(running.pid)
  const limit = Limit.open(name)
  t.is(limit.info().free, 1)
  running.kill('SIGKILL')
  await freeBecomes(limit, 2)
  t.true(isAlive(command))
  process.kill(command, 'SIGKILL')
  t.is((await running.exit).signal, 'SIGKILL')
  t.is(limit.info().free, 2)
})

requires(linux, tool('setpriv', 'util-linux'))(
  'a command behind setpriv --pdeathsig ends with a killed supervisor',
  async t => {
    const name = uniqueName(t)
    const running = start(t, [
      ...['run', name, '--supervise', '--', 'setpriv', '--pdeathsig', 'TERM', '--'],
      ...['sh', '-c', 'echo ready; exec sleep 30'],
    ])
    await running.until('ready')
    const [command = 0] = childrenOf(running.pid)
    running.kill('SIGKILL')
    await until('it has ended', () => !isAlive(command))
    // The command dies with the thread that started it; the permit comes back with the last thread.
    await freeBecomes(Limit.open(name), 1)
    t.pass()
  },
)

test('a limit that is removed while the command runs takes the permit with it', async t => {
  const name = uniqueName(t)
  const running = start(t, ['run', name, '--', 'sh', '-c', 'echo ready; read line; exit 5'])
  await running.until('ready')
  t.is((await cli(t, ['rm', '-f', name])).code, 0)
  running.send('go on')
  t.like(await running.exit, { code: 5, stderr: '' })
})

test('a limit that is removed while os-ipc waits for a permit is an error', async t => {
  const name = uniqueName(t)
  const limit = Limit.create(name, { permits: 0 })
  const waiting = start(t, ['run', name, '--', 'echo', 'ran'])
  await until('it waits', () => limit.info().waiters === 1)
  limit.unlink()
  const { code, stdout, stderr } = await waiting.exit
  t.like({ code, stdout }, { code: 125, stdout: '' })
  t.regex(stderr, /^os-ipc: the limit \S+ was removed; [^\n]+\n$/)
})

test('run has no --posix, and says what to do instead', async t => {
  t.like(await cli(t, ['run', uniqueName(t), '--posix', '--', 'echo', 'ran']), {
    code: 125,
    stdout: '',
    stderr:
      'os-ipc: run has no option --posix: a POSIX semaphore has no permits, because its units have no owner; ' +
      'leave --posix out, or use os-ipc wait --posix and os-ipc post --posix\n',
  })
})

// --- in a terminal

/** Counts each signal; a shell that waits for its own command would count two signals as one. */
const COUNTS = `
let interrupts = 0
const alive = setInterval(() => {}, 1000)
process.on('SIGINT', () => {
  console.log('INT ' + ++interrupts)
  if (interrupts > 1) return
  clearInterval(alive)
  setTimeout(() => console.log('in all ' + interrupts), 3000)
})
console.log('ready')`

requires(terminals)('Ctrl-C reaches the command once, and a supervisor waits for its end', async t => {
  const name = uniqueName(t)
  const { output, code, restored, problem } = await inTerminal(
    t,
    osIpc('run', name, '--supervise', '--', process.execPath, '-e', COUNTS),
    [{ until: 'ready' }, { type: '\x03' }, { until: 'INT 1' }, { until: 'in all' }],
  )
  t.is(problem, null)
  t.like({ code, restored }, { code: 0, restored: true })
  t.regex(output, /in all 1\r\n/)
  t.is(freeOf(name), 1)
})

for (const [how, ended] of [
  [[], -2],
  [['--supervise'], 130],
] as const) {
  requires(terminals)(`Ctrl-C ends a command that does not handle it: ${ended}`, async t => {
    const name = uniqueName(t)
    const { code, problem } = await inTerminal(
      t,
      osIpc('run', name, ...how, '--', 'sh', '-c', 'echo ready; exec sleep 30'),
      [{ until: 'ready' }, { type: '\x03' }],
    )
    t.is(problem, null)
    t.is(code, ended)
    t.is(freeOf(name), 1)
  })
}

for (const how of ['', '--supervise ']) {
  requires(terminals, linux)(`${how}Ctrl-Z gives the terminal back to the shell, and fg goes on`, async t => {
    const name = uniqueName(t)
    const { output, code, problem } = await inTerminal(
      t,
      ['bash', '--norc', '-i'],
      [
        {
          // A shell that is stopped between fork and exec of a child does not stop, so it has no child.
          type: `PS1='> '; ${osIpc('run', name).join(' ')} ${how}-- sh -c 'echo rea""dy; read line; echo do""ne $line'\r`,
        },
        { until: 'ready' },
        { type: '\x1a' },
        { until: 'Stopped' },
        { type: 'echo st""ill; fg\r' },
        { until: 'still' },
        { type: 'no""w\r' },
        { until: 'done no""w' },
        { type: 'exit 7\r' },
      ],
    )
    t.is(problem, null, output)
    t.is(code, 7)
    t.is(freeOf(name), 1)
  })
}

test('standard input of the command is the terminal or the pipe itself', async t => {
  const name = uniqueName(t)
  const running: Child = start(t, ['run', name, '--', 'sh', '-c', 'echo ready; read line; echo "got $line"'])
  await running.until('ready')
  running.send('a line')
  t.is(await running.next(), 'got "a line"')
  t.is((await running.exit).code, 0)
})

requires(linux)('a file that Node had open for a moment at the start is not passed on', async t => {
  const look = `
    const { openSync, closeSync } = await import('node:fs')
    const [first, second] = [openSync(process.execPath), openSync(process.execPath)]
    const { allStreams } = await import('./cli/run/descriptors.js')
    closeSync(second)
    console.log(JSON.stringify([allStreams()[first] === first, allStreams().includes(second)]))`
  const other = program(t, [process.execPath, '--input-type=module', '--eval', look])
  t.like(await other.exit, { code: 0, stdout: '[true,false]\n', stderr: '' })
})
