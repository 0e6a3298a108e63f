// The programs of recipes.md are files of examples/, and do what the page says.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { type Child, program } from '../shared/child.ts'
import { keyOf, removeKey, removeNamed } from '../shared/names.ts'
import { project, write } from '../shared/project.ts'
import { linux, requires } from '../shared/requires.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RECIPES = join(ROOT, 'examples/recipes')
const PAGE = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8')

/** Starts a recipe in a process; each line of its output comes with its pid. */
function start(t: ExecutionContext, file: string, args: readonly string[] = []): Child {
  return program(t, [process.execPath, join(RECIPES, file), ...args])
}

/** Runs a module text in a process, where `recipe` is what the file of the recipe exports. */
function using(t: ExecutionContext, file: string, code: string): Child {
  const source = `import * as recipe from ${JSON.stringify(join(RECIPES, file))}\n${code}`
  return program(t, [process.execPath, '--input-type=module', '--eval', source])
}

/** A recipe uses a fixed name, which is free before and after its test, also the lock of a killed process. */
function names(t: ExecutionContext, ...all: string[]): void {
  for (const name of all) {
    const remove = (): void => {
      removeNamed(name)
      removeKey(keyOf(`os-ipc:lock:${name.slice(1)}`))
    }
    remove()
    t.teardown(remove)
  }
}

const blocks = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
  language,
  code,
}))

test('every program of recipes.md equals its file in examples/', t => {
  const programs = blocks.filter(({ language }) => language !== 'sh')
  t.true(programs.length >= 12, String(programs.length))
  const shown = programs.map(({ code }) => {
    const [, file = '', part] = /^\/\/ (examples\/[\w./-]+)(, in part)?\n/.exec(code) ?? []
    t.true(code.startsWith(`// ${file}`), code.split('\n')[0])
    const text = readFileSync(join(ROOT, file), 'utf8')
    if (part === undefined) t.is(code, text)
    else t.true(text.includes(code.slice(code.indexOf('\n') + 1)), file)
    return file
  })
  for (const file of readdirSync(RECIPES)) {
    t.true(shown.includes(`examples/recipes/${file}`) || PAGE.includes(`node examples/recipes/${file}`), file)
  }
})

for (const { code } of blocks.filter(({ language }) => language === 'sh')) {
  requires(linux)(`the shell line runs: ${code.trim()}`, async t => {
    const [, words = '', command = ''] = /^npx os-ipc (.*) -- (\.\/\w+)\n$/.exec(code) ?? []
    t.not(command, '')
    const [verb = '', name = '', ...options] = words.split(' ')
    names(t, `/${name}`)
    const argv = [process.execPath, join(ROOT, 'cli/os-ipc.cjs'), verb, name, ...options, '--', 'echo', 'ran']
    t.like(await program(t, argv).exit, { code: 0, stdout: 'ran\n' })
  })
}

test('p-limit.mjs: every process gets the results of its own conversions', async t => {
  names(t, '/example-convert')
  const runs = [start(t, 'p-limit.mjs'), start(t, 'p-limit.mjs')]
  for (const { exit } of runs) t.like(await exit, { code: 0, stdout: '5 5 5 5 5 5\n', stderr: '' })
})

test.serial('once.mjs: of four processes one prepares, and all go on', async t => {
  names(t, '/example-once-v1')
  const exits = await Promise.all(Array.from({ length: 4 }, () => start(t, 'once.mjs').exit))
  const lines = exits.flatMap(({ stdout }) => stdout.trimEnd().split('\n'))
  t.is(lines.filter(line => line.endsWith('prepares')).length, 1, lines.join('\n'))
  t.is(lines.filter(line => line.endsWith('goes on')).length, 4)
})

test.serial('once.mjs: if the process that prepares is killed, the next one prepares', async t => {
  names(t, '/example-once-v1')
  const text = readFileSync(join(RECIPES, 'once.mjs'), 'utf8')
  // The first process prepares until it is killed.
  const slow = text.replace('sleep(100)', 'sleep(60_000)')
  t.not(slow, text)
  const first = program(t, [process.execPath, write(join(project(t), 'once.mjs'), slow)])
  t.is(await first.next(), `${first.pid} prepares`)
  const second = start(t, 'once.mjs')
  first.kill('SIGKILL')
  t.like(await second.exit, { code: 0, stdout: `${second.pid} prepares\n${second.pid} goes on\n` })
})

test.serial('leader.mjs: one process leads, and the next one takes over after kill -9', async t => {
  names(t, '/example-leader')
  const first = start(t, 'leader.mjs')
  t.is(await first.next(), `${first.pid} leads`)
  const second = start(t, 'leader.mjs')
  first.kill('SIGKILL')
  t.is((await first.exit).stdout, `${first.pid} leads\n`)
  t.is(await second.next(), `${second.pid} leads`)
  second.kill('SIGKILL')
  t.is((await second.exit).stdout, `${second.pid} leads\n`)
})

test.serial('take-over.mjs measures what recipes.md tells', async t => {
  names(t, '/example-leader')
  const { code, stdout, stderr } = await start(t, 'take-over.mjs', ['2']).exit
  t.is(code, 0, stderr)
  t.regex(stdout, /^2 leaders killed; the next one led after [\d.]+ ms \(median\), [\d.]+ ms at most\n$/)
})

test('singleton.mjs: a second start names the first process and exits with 1', async t => {
  names(t, '/example-singleton')
  const first = start(t, 'singleton.mjs')
  t.is(await first.next(), `${first.pid} runs`)
  t.like(await start(t, 'singleton.mjs').exit, {
    code: 1,
    stdout: '',
    stderr: `process ${first.pid} runs already\n`,
  })
  first.kill('SIGKILL')
  await first.exit
  const next = start(t, 'singleton.mjs')
  t.is(await next.next(), `${next.pid} runs`)
})

test('cron.mjs: each period has one run, over three workers', async t => {
  names(t, '/example-cron')
  const workers = Array.from({ length: 3 }, () => start(t, 'cron.mjs'))
  const periods: number[] = []
  const read = async (worker: Child): Promise<void> => {
    for (;;) {
      const line = String(await worker.next())
      periods.push(Number(/^\d+ runs the job of period (\d+)$/.exec(line)?.[1]))
      if (periods.length >= 4) return
    }
  }
  await Promise.race(workers.map(read))
  t.deepEqual([...new Set(periods)], periods)
})

const CALLS = 12
test.serial('rate-limit.mjs: three processes together never make a call before its time', async t => {
  names(t, '/example-rate')
  const code = `for (let call = 0; call < ${CALLS}; call++) {
    await recipe.turn()
    console.log(String(process.hrtime.bigint()))
  }`
  const before = Number(process.hrtime.bigint()) // no call comes before this
  const exits = await Promise.all(Array.from({ length: 3 }, () => using(t, 'rate-limit.mjs', code).exit))
  const times = exits.flatMap(({ stdout }) => stdout.trimEnd().split('\n').map(Number)).sort((a, b) => a - b)
  t.is(times.length, 3 * CALLS, exits.map(({ stderr }) => stderr).join(''))
  // Every call comes at its place in the schedule or later: five at once, then one every 50 ms. A timer may be 1 ms early.
  times.forEach((time, call) => {
    t.true(time - before >= (call - 4) * 50e6 - 2e6, `call ${call} after ${(time - before) / 1e6} ms`)
  })
})

test.serial('rate-limit.mjs: a call before its time is not allowed, and reserves nothing', async t => {
  names(t, '/example-rate')
  const { stdout, stderr } = await using(
    t,
    'rate-limit.mjs',
    `import { SharedMemory } from 'os-ipc'
     const schedule = new BigInt64Array(SharedMemory.open('/example-rate').buffer)
     const burst = Array.from({ length: 5 }, () => recipe.allowed())
     const later = process.hrtime.bigint() + 3_600_000_000_000n
     schedule[0] = later
     console.log(JSON.stringify([...burst, recipe.allowed(), schedule[0] === later]))`,
  ).exit
  t.is(stdout, `${JSON.stringify([true, true, true, true, true, false, true])}\n`, stderr)
})

test('metrics.mjs adds the counts of all workers, also of a killed one', async t => {
  names(t, '/example-metrics-v1')
  const code = "recipe.add('requests'); recipe.add('bytes', 1_000); process.kill(process.pid, 'SIGKILL')"
  const killed = Array.from({ length: 3 }, () => using(t, 'metrics.mjs', code))
  for (const { exit } of killed) t.is((await exit).signal, 'SIGKILL')
  const { stdout } = await using(t, 'metrics.mjs', 'process.stdout.write(recipe.text())').exit
  t.is(stdout, 'app_requests_total 3\napp_errors_total 0\napp_bytes_total 3000\n')
})
