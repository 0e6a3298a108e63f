// `os-ipc run` and `os-ipc lock` run exactly the given command: its bytes, its signals, its files, its end.

import { copyFileSync, realpathSync, renameSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

import type { ExecutionContext } from 'ava'

import { Limit } from '../../index.js'
import { cli, freeOf, installed, installedShell } from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { injected, privateIpc } from '../shared/surroundings.ts'

// --- exit codes

const { SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals

/** Signals that do not end a process. */
const HARMLESS = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]

for (const how of ['', '--supervise']) {
  requires(linux, tool('perl'))(
    `a shell sees 128 plus the number for every signal, real-time signals too: ${how || 'by itself'}`,
    async t => {
      const name = uniqueName(t)
      const deadly = Array.from({ length: 64 }, (_, at) => at + 1).filter(
        signal => !HARMLESS.includes(signal),
      )
      const { stdout } = await installedShell(
        t,
        `for s in ${deadly.join(' ')}; do os-ipc run ${name} ${how} -- sh -c 'kill -$1 $$; sleep 9' sh $s; echo $s $?; done 2>/dev/null`,
        { limit: 180_000 },
      )
      t.is(stdout, deadly.map(signal => `${signal} ${128 + signal}\n`).join(''))
      t.is(freeOf(name), 1)
    },
  )
}

requires(linux, tool('perl'))('lock exits with the number of a real-time signal too', async t => {
  const name = uniqueName(t)
  t.is((await cli(t, ['lock', name, '--supervise', '--', 'perl', '-e', 'kill 50, $$; sleep 9'])).code, 178)
})

requires(linux)('a command that stops and continues is not taken for one that has ended', async t => {
  const line = '(sleep 0.2; kill -STOP $$; sleep 0.2; kill -CONT $$) & sleep 1; exit 7'
  t.is((await cli(t, ['run', uniqueName(t), '--supervise', '--', 'bash', '-c', line])).code, 7)
})

requires(linux)('without /proc the exit code is that of Node', async t => {
  const line = 'umount /proc 2>/dev/null || mount -t tmpfs none /proc; [ ! -e /proc/self ] && exec "$@"'
  const within = [
    privateIpc(),
    {
      missing: undefined,
      wrap: (argv: readonly string[]) => ['unshare', '--mount', 'sh', '-c', line, 'sh', ...argv],
    },
  ]
  for (const [command, code] of [
    ['exit 9', 9],
    ['kill -TERM $$', 143],
  ] as const) {
    t.is((await cli(t, ['run', 'x', '--supervise', '--', 'sh', '-c', command], { within })).code, code)
  }
})

// --- bytes

/** The same line with the command alone, and under os-ipc. */
async function same(t: ExecutionContext, command: string, prefix = ''): Promise<string> {
  const name = uniqueName(t)
  const env = { PATH: installed(t) }
  const bytes = (start: string) =>
    installedShell(t, `${prefix} ${start} ${command} | od -An -v -tx1`, { env })
  const alone = await bytes('')
  for (const start of [`os-ipc run ${name} --`, `os-ipc run ${name} --supervise --`]) {
    t.like(await bytes(start), { stdout: alone.stdout, stderr: alone.stderr }, start)
  }
  return alone.stdout
}

for (const words of [
  `$'a\\377b' plain`,
  `'' ' ' $'\\xff\\n\\n' $'\\n' '%s\\x41' "it's" '$HOME \`x\`' $'\\xed\\xa0\\x80' -- -i A=1`,
  `$'\\xef\\xbf\\xbd' $'\\xf0\\x9f\\x98\\x80'`,
]) {
  requires(linux)(`the command has the arguments ${words}, byte for byte`, async t => {
    t.not(await same(t, `printf '%s|' ${words}`), '')
  })
}

requires(linux)('the command has the environment, byte for byte', async t => {
  const variables = `env 'DOT.TED=1' $'BAD=\\xff\\xfe' $'LINES=a\\nb\\n' $'odd name=a\\nb' $'N\\xff=1' 'EMPTY=' PWD=/nowhere`
  const print = `perl -e 'local $/; open F, "/proc/self/environ"; print join("\\n--", sort split /\\0/, <F>)'`
  const alone = await same(t, print, variables)
  t.true(alone.replaceAll(/\s/g, '').includes(Buffer.from('DOT.TED').toString('hex')))
  // No variable is added either.
  const bare = await installedShell(
    t,
    `env -i PATH="$PATH" os-ipc run ${uniqueName(t)} -- env | sed 's/=.*//'`,
  )
  t.is(bare.stdout, 'PATH\n')
})

requires(linux)('a program whose name is not UTF-8 is found as others are', async t => {
  const home = folder(t)
  copyFileSync('/bin/echo', join(home, 'a=b'))
  const [name, bytes] = [uniqueName(t), Buffer.concat([Buffer.from(`${home}/pro`), Buffer.from([0xff])])]
  copyFileSync('/bin/echo', join(home, 'echo-here'))
  renameSync(Buffer.from(join(home, 'echo-here')), bytes)
  const run = `os-ipc run ${name} --`
  t.like(
    await installedShell(t, `${run} $'${home}/pro\\xff' one; PATH="${home}:$PATH"; ${run} $'pro\\xff' two`),
    { stdout: 'one\ntwo\n', stderr: '' },
  )
  t.like(await installedShell(t, `(trap '' HUP; ${run} '${home}/a=b' three)`), {
    stdout: 'three\n',
    stderr: '',
  })
  const missing = await installedShell(t, `${run} $'pro\\xfe'`)
  t.like(missing, { code: 127, stderr: `os-ipc: there is no command 'pro\ufffd'; it is not on the PATH\n` })
})

for (const command of [
  'run NAME --',
  'lock NAME --',
  'value NAME',
  'rm -f NAME',
  'create -n 1 NAME',
  'write --create NAME x',
]) {
  requires(linux)(`os-ipc ${command} refuses a name that is not UTF-8`, async t => {
    // A command must not use the altered name, which is another name.
    const altered = uniqueName(t, '\ufffd')
    const bytes = `$'${altered.slice(0, -1)}\\xff'`
    const { code, stdout, stderr } = await installedShell(
      t,
      `os-ipc ${command.replace('NAME', () => bytes)} ${command.endsWith('--') ? 'echo ran' : ''}`,
    )
    t.is(stderr, `os-ipc: the argument '${altered}' is not UTF-8; os-ipc takes names and options in UTF-8\n`)
    t.like({ code, stdout }, { code: command.endsWith('--') ? 125 : 2, stdout: '' })
  })
}

requires(linux)('when os-ipc cannot read the original bytes, it does not run the command', async t => {
  const line = `umount /proc 2>/dev/null || mount -t tmpfs none /proc; [ ! -e /proc/self ] && PATH=${installed(t)}`
  const within = [
    privateIpc(),
    { missing: undefined, wrap: (argv: readonly string[]) => ['unshare', '--mount', ...argv] },
  ]
  const run = (rest: string) => program(t, ['bash', '-c', `${line}; ${rest}`], { within }).exit
  t.like(await run(`os-ipc run x -- echo $'\\xff'`), {
    ...{ code: 125, stdout: '' },
    stderr: "os-ipc: the argument '\ufffd' is not UTF-8; this system does not give its bytes\n",
  })
  t.like(await run(`BAD=$'\\xff' os-ipc run x -- echo ran`), {
    ...{ code: 125, stdout: '' },
    stderr: 'os-ipc: the variable BAD is not UTF-8; this system does not give its bytes\n',
  })
})

// --- ignored signals

requires(linux)('an ignored signal stays ignored, for the command', async t => {
  const grep = 'grep -h SigIgn /proc/self/status'
  const ways = ['run', 'lock'].flatMap(command => [
    `os-ipc ${command} ${uniqueName(t)} --`,
    `os-ipc ${command} ${uniqueName(t)} --supervise --`,
  ])
  const masks = [grep, ...ways.map(way => `${way} ${grep}`)].join('; ')
  for (const ignored of [
    'HUP',
    'INT QUIT',
    'TERM PIPE XFSZ',
    'HUP INT QUIT TERM USR1 USR2 TSTP TTIN TTOU 40',
    '',
  ]) {
    const { stdout, stderr } = await installedShell(
      t,
      `${ignored === '' ? '' : `trap '' ${ignored};`} ${masks}`,
    )
    const [alone, ...others] = stdout.trim().split('\n')
    t.is(stderr, '')
    t.deepEqual(others, [alone, alone, alone, alone], ignored)
  }
})

requires(linux)(
  'a background job that ignores INT and QUIT runs a command that ignores them too',
  async t => {
    const { stdout } = await installedShell(
      t,
      `sh -c 'os-ipc run ${uniqueName(t)} -- grep SigIgn /proc/self/status & wait'`,
    )
    t.is(stdout, 'SigIgn:\t0000000000000006\n')
  },
)

for (const signal of ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'TSTP']) {
  requires(linux)(`an ignored SIG${signal} ends neither os-ipc nor its command`, async t => {
    const name = uniqueName(t)
    const running = program(
      t,
      [
        'bash',
        '-c',
        `trap '' ${signal}; exec os-ipc run ${name} -- sh -c 'echo ready; read line; echo on; exit 5'`,
      ],
      { env: { PATH: installed(t) } },
    )
    await running.until('ready')
    running.kill(`SIG${signal}` as NodeJS.Signals)
    running.send('go')
    t.is(await running.next(), 'on')
    t.is((await running.exit).code, 5)
  })
}

for (const start of ['os-ipc', 'node "$(readlink -f "$(command -v os-ipc)")"']) {
  requires(linux, tool('nohup'))(
    `nohup ${start.slice(0, 6)} outlives SIGHUP, while it waits and while it runs`,
    async t => {
      const name = uniqueName(t)
      const limit = Limit.create(name, { permits: 0 })
      const line = `nohup ${start} run ${name} -- sh -c 'echo ran; read line; exit 5'; echo code $?`
      const running = program(t, ['bash', '-c', `${line}`], { env: { PATH: installed(t) } })
      const pids = async () =>
        (await installedShell(t, `pgrep -P ${running.pid}`)).stdout.trim().split('\n').map(Number)
      while (limit.info().waiters !== 1) await new Promise(resolve => setTimeout(resolve, 20))
      const [pid = 0] = await pids()
      process.kill(pid, 'SIGHUP')
      await limit.resize(1)
      await running.until('ran')
      process.kill(pid, 'SIGHUP')
      running.send('go')
      t.is(await running.next(), 'code 5')
    },
  )
}

requires(linux)(
  'the variables of the starting shell script are not in the environment of the command',
  async t => {
    const { stdout } = await installedShell(
      t,
      `trap '' HUP; os-ipc run ${uniqueName(t)} -- env | grep -i os_ipc; echo done`,
    )
    // Those of the test run itself are there: OS_IPC_ISOLATED and the like.
    const names = stdout.split('\n').map(line => line.replace(/=.*/, ''))
    t.deepEqual(
      names.filter(name => !(name in process.env)),
      ['done', ''],
    )
  },
)

// --- open files

requires(linux)(
  'the command has the other open files, except /dev/null and files without a name',
  async t => {
    const file = realpathSync(write(join(folder(t), 'file'), 'in\n'))
    const opened = `exec 4<${file} 17<${file} 250<${file} 300<${file} 5</dev/null;`
    const { stdout } = await installedShell(
      t,
      `${opened} os-ipc run ${uniqueName(t)} -- bash -c 'for fd in 4 5 17 250 300; do printf "%s " $fd; readlink /proc/$$/fd/$fd || echo; done'`,
    )
    t.is(stdout, `4 ${file}\n5 \n17 ${file}\n250 ${file}\n300 ${file}\n`)
  },
)

requires(privateIpc(), injected('semget:error=EPERM'))(
  'the error of a call that a filter refuses does not blame the owner',
  async t => {
    const within = [privateIpc(), injected('semget:error=EPERM')]
    const { code, stderr } = await cli(t, ['create', '--initial', 1, '/jobs'], { within })
    t.not(code, 0)
    t.regex(stderr, /^os-ipc: no permission for the semaphore \/jobs; [^\n]*(semget|filter|sandbox)[^\n]*\n$/)
    t.notRegex(stderr, /owner/)
  },
)
