// Makes one call of the package, and says what error came out of it, and what it left in this process.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

import { Semaphore, SharedMemory } from '../../index.js'
import { say } from '../../__test__/helpers/fixture.ts'

const [kind = '', method = '', name = '', key, segment] = process.argv.slice(2)
const before = held()
let error: object | undefined
try {
  if (kind === 'memory' || kind === 'segment') memory(kind === 'memory' ? name : Number(key))
  else await semaphore(kind as 'sysv' | 'posix')
} catch (caught) {
  const { name, code, errno, syscall, message } = caught as NodeJS.ErrnoException
  error = { name, code, errno, syscall, message }
}
say({ error, leaked: held().filter(one => !before.includes(one)) })

function memory(id: string | number): void {
  switch (method) {
    case 'create':
      return SharedMemory.create(id, { size: 4096 }).detach()
    case 'open':
      return SharedMemory.open(id).detach()
    case 'openOrCreate':
      return SharedMemory.openOrCreate(id, { size: 4096 }).detach()
    case 'attach':
      return SharedMemory.attach(Number(segment)).detach()
    case 'remove':
      SharedMemory.remove(id)
  }
}

async function semaphore(backend: 'sysv' | 'posix'): Promise<void> {
  switch (method) {
    case 'create':
      return Semaphore.create(name, { initial: 1, backend }).close()
    case 'openOrCreate':
      return Semaphore.openOrCreate(name, { initial: 1, backend }).close()
    case 'remove':
      Semaphore.unlink(name, { backend })
      return
  }
  using opened = Semaphore.open(name, { backend })
  switch (method) {
    case 'post':
      return opened.post()
    case 'tryWait':
      opened.tryWait()
      return
    case 'wait':
      return opened.wait({ timeout: 200 })
    case 'waitSync':
      return opened.waitSync({ timeout: 200 })
    case 'acquire':
      return void (await opened.acquire({ timeout: 200 })).release()
    case 'value':
      opened.value
      return
    case 'info':
      opened.info()
  }
}

/** Descriptors and mappings that could be ours. */
function held(): string[] {
  const descriptors = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [`descriptor ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return [] // the one that reads the directory
    }
  })
  const mappings = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return [
    ...descriptors.filter(one => one.includes('/dev/shm')),
    ...mappings.filter(line => /\/dev\/shm\/|\/SYSV/.test(line)).map(line => `mapping ${line.split(' ').at(-1)}`),
  ]
}
