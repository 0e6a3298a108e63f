// The resources that a long-lived process keeps: `node --expose-gc stress/soak.ts [--minutes 20] [--control]`.
//
// The process makes random calls, terminates workers at random moments and kills child processes. It prints its memory,
// mappings, threads and descriptors as lines of JSON. With `--control` it starts, terminates and kills as many and makes no
// call of this package, which does not cause growth that appears there too. It runs in a private IPC namespace and `/dev/shm`:
// `unshare --ipc --mount sh -c 'mount -t tmpfs none /dev/shm && exec node --expose-gc stress/soak.ts'`.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { random } from './figures.ts'

type Package = typeof import('../index.js')

/** The arguments of a party: the `name` of the shared objects, and whether it calls the package. */
interface Task {
  name: string
  control: boolean
}

const SAMPLE_EVERY = 15_000
/** The longest time that a party works before it is ended. */
const LONGEST_LIFE = 80
const SEGMENT = 1 << 20

if (process.argv[2] === 'child') await work(JSON.parse(process.argv[3] as string), () => console.log('up'))
else if (isMainThread) await main()
else await work(workerData, () => parentPort?.postMessage('up'))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '20' },
      control: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes)
  const task: Task = { name: `/os-ipc-${randomBytes(6).toString('hex')}`, control: values.control }
  const ipc = task.control ? undefined : await import('../index.js')
  const objects = ipc && make(ipc, task.name)
  const until = performance.now() + minutes * 60_000
  let [turns, next] = [0, performance.now()]
  while (performance.now() < until) {
    turns += 1
    const ended = random(4) === 0 ? killed(task) : terminated(task)
    if (ipc) await calls(ipc, task.name, performance.now() + random(LONGEST_LIFE))
    else await sleep(random(LONGEST_LIFE))
    await ended
    if (performance.now() >= next) {
      next += SAMPLE_EVERY
      await sample(turns)
    }
  }
  await sample(turns)
  objects?.remove()
  process.exit(0)
}

function make({ Limit, Semaphore, SharedMemory }: Package, name: string): { remove(): void } {
  const objects = [
    Limit.create(name, { permits: 4 }),
    Semaphore.create(`${name}-units`, { initial: 4 }),
    Semaphore.create(`${name}-units`, { initial: 4, backend: 'posix' }),
    SharedMemory.create(name, { size: SEGMENT }),
  ]
  return {
    remove() {
      for (const object of objects) object.unlink()
    },
  }
}

/** A worker that is terminated at a random moment. */
async function terminated(task: Task): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: task })
  await Promise.race([once(worker, 'message'), sleep(1000)])
  await sleep(random(LONGEST_LIFE))
  await worker.terminate()
}

/** A process that is killed at a random moment. */
async function killed(task: Task): Promise<void> {
  const file = process.argv[1] as string
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    file,
    'child',
    JSON.stringify(task),
  ])
  const gone = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), sleep(1000)])
  await sleep(random(LONGEST_LIFE))
  child.kill('SIGKILL')
  await gone
}

/** The work of a worker or a child until it is ended. */
async function work({ name, control }: Task, up: () => void): Promise<void> {
  const ipc = control ? undefined : await import('../index.js')
  up()
  if (ipc) await calls(ipc, name, Number.POSITIVE_INFINITY)
  else await sleep(10_000)
}

/** Random calls until a time of `performance.now()`. */
async function calls(
  { Limit, Semaphore, SharedMemory, locks }: Package,
  name: string,
  until: number,
): Promise<void> {
  const quiet = () => {}
  const limit = Limit.open(name)
  const units = `${name}-units`
  const semaphores = [Semaphore.open(units), Semaphore.open(units, { backend: 'posix' })] as const
  const give = (semaphore: (typeof semaphores)[number] | undefined) => () => semaphore?.post()
  const acts: (() => unknown)[] = [
    () => limit.use(() => sleep(random(3)), { timeout: random(10) }),
    () => limit.use(quiet, { signal: AbortSignal.timeout(random(10) + 1) }),
    () => limit.tryAcquire()?.release(),
    () => limit.resize(1 + random(6), { timeout: random(10) }),
    () => limit.info(),
    ...semaphores.map(semaphore => () => semaphore.wait({ timeout: random(10) }).then(give(semaphore))),
    () =>
      locks.request(name.slice(random(3)), { mode: random(2) ? 'shared' : 'exclusive' }, () =>
        sleep(random(3)),
      ),
    () => Limit.open(name).close(),
    () => Semaphore.open(units).close(),
    () => SharedMemory.open(name).close(),
    () => SharedMemory.open(name).buffer.byteLength,
    () => SharedMemory.open(name).write('x', random(SEGMENT - 1)),
    () => SharedMemory.open(`${name}-missing`),
    () => locks.query(),
  ]
  while (performance.now() < until) {
    const some = Array.from({ length: 4 }, async () => acts[random(acts.length)]?.())
    await Promise.race([Promise.allSettled(some), sleep(20)])
    await sleep(0)
  }
  for (const object of [limit, ...semaphores]) object.close()
}

async function sample(turns: number): Promise<void> {
  // The package keeps its threads for 1 s after use.
  await sleep(1500)
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.()
    await sleep(10)
  }
  const maps = readFileSync('/proc/self/maps', 'utf8').trim().split('\n').length
  const size = /VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  const { rss, heapUsed, external } = process.memoryUsage()
  const mb = (bytes: number) => Math.round(bytes / 1e5) / 10
  const line = {
    seconds: Math.round(performance.now() / 1000),
    turns,
    rss: mb(rss),
    heap: mb(heapUsed),
    external: mb(external),
    size: Math.round(Number(size) / 1024),
    maps,
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
  }
  console.log(JSON.stringify(line))
}
