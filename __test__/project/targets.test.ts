// The binaries of all platforms (`npm run build:all`) match their names, and need no newer system than documented.

import { existsSync, readFileSync } from 'node:fs'

import test from 'ava'

import { readElf } from './helpers/elf.ts'
import { readMachO } from './helpers/mach-o.ts'
import { readPe } from './helpers/pe.ts'
import { requires } from '../shared/requires.ts'
import { GLIBC_FLOOR, targets } from '../../scripts/cross/targets.mjs'

const ENTRY = 'napi_register_module_v1'
const POSIX_SEMAPHORES = ['sem_open', 'sem_post', 'sem_unlink']
const SYSTEM_V_SEMAPHORES = ['semop', 'semtimedop', 'semget', 'semctl']
const SYSTEM_V_MEMORY = ['shmget', 'shmat', 'shmdt', 'shmctl']

const read = (url: string) => JSON.parse(readFileSync(new URL(url, import.meta.url), 'utf8'))
const manifest = read('../../package.json')

test('every target has a separate package, for its platform only', t => {
  t.deepEqual(
    manifest.napi.targets,
    targets.map(target => target.loaderTriple),
  )
  for (const { name, os, cpu, libc, file } of targets) {
    const platform = read(`../../npm/${name}/package.json`)
    t.is(platform.name, `os-ipc-${name}`)
    t.is(platform.version, manifest.version)
    t.is(platform.main, file)
    t.deepEqual(platform.files, [file])
    t.deepEqual([platform.os, platform.cpu], [[os], [cpu]])
    t.deepEqual(platform.libc, libc && [libc === 'gnu' ? 'glibc' : libc])
    t.deepEqual(platform.engines, manifest.engines)
    t.deepEqual(platform.repository, { ...manifest.repository, directory: `npm/${name}` })
    t.false('scripts' in platform || 'dependencies' in platform)
  }
})

for (const { name, os, cpu, libc, file, path, macos } of targets) {
  const built = requires({ missing: existsSync(path) ? undefined : `npm run build:all -- ${name}` })

  if (os === 'linux') {
    built(`${name} is for its processor and needs no newer C library than it says`, t => {
      const { machine, exported, imported, needed, versions } = readElf(path)
      t.is(machine, cpu === 'x64' ? 'x86-64' : 'aarch64')
      t.true(exported.includes(ENTRY))
      for (const symbol of [
        ...POSIX_SEMAPHORES,
        'sem_timedwait',
        ...SYSTEM_V_SEMAPHORES,
        ...SYSTEM_V_MEMORY,
      ]) {
        t.true(imported.includes(symbol), symbol)
      }
      t.deepEqual(
        needed.filter(library => !LIBRARIES[libc as 'gnu' | 'musl'].test(library)),
        [],
      )
      if (libc === 'gnu') {
        const newest = versions
          .filter(version => version.startsWith('GLIBC_'))
          .sort(byVersion)
          .at(-1)
        t.truthy(newest)
        t.true(byVersion(newest as string, `GLIBC_${GLIBC_FLOOR}`) <= 0, newest)
      } else {
        t.deepEqual(versions, [])
      }
    })
  } else if (os === 'win32') {
    built(`${name} is for its processor, and needs only what every Windows has`, t => {
      const { machine, exported, imported, needed, minimum, hardened, hasSymbols } = readPe(path)
      t.is(machine, cpu === 'x64' ? 'x86-64' : 'arm64')
      t.true(exported.includes(ENTRY))
      for (const symbol of WINDOWS_CALLS) t.true(imported.includes(symbol), symbol)
      t.deepEqual(
        needed.filter(library => !WINDOWS_LIBRARIES.test(library)),
        [],
      )
      // Windows 10 declares 10.0, and Node itself needs it.
      t.true(Number(minimum) <= 10, minimum)
      t.true(hardened)
      t.false(hasSymbols)
    })
  } else {
    built(
      `${name} is for its processor, imports only POSIX semaphores, and is signed where it must be`,
      t => {
        const { machine, id, exported, imported, needed, minimum, signed } = readMachO(path)
        t.is(machine, cpu === 'x64' ? 'x86-64' : 'arm64')
        t.is(id, `@rpath/${file}`)
        t.true(exported.includes(`_${ENTRY}`))
        for (const symbol of [...POSIX_SEMAPHORES, 'sem_wait', 'shm_open', ...SYSTEM_V_MEMORY]) {
          t.true(imported.includes(`_${symbol}`), symbol)
        }
        for (const symbol of SYSTEM_V_SEMAPHORES) t.false(imported.includes(`_${symbol}`), symbol)
        t.deepEqual(
          needed.filter(
            library => library !== '/usr/lib/libSystem.B.dylib' && library !== '/usr/lib/libiconv.2.dylib',
          ),
          [],
        )
        t.is(minimum, macos ?? '')
        // Macs with Intel processors run unsigned libraries.
        t.is(signed, cpu === 'arm64' ? true : signed)
        t.not(signed, false)
      },
    )
  }

  built(`${name} holds no path or name of the machine that built it`, t => {
    const text = readFileSync(path, 'latin1')
    t.deepEqual(text.match(/\/(root|home|Users|work)\/[^\0\n ]{0,60}/g) ?? [], [])
  })
}

const LIBRARIES = {
  gnu: /^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|librt\.so\.1|libgcc_s\.so\.1|ld-linux-(x86-64|aarch64)\.so\.[12])$/,
  musl: /^(libc\.so|libc\.musl-\w+\.so\.1|libgcc_s\.so\.1)$/,
}
/** Parts of Windows 10: neither a redistributable of a compiler (vcruntime140.dll), nor the libraries of MSYS or MinGW. */
const WINDOWS_LIBRARIES =
  /^(ntdll|kernel32|advapi32|userenv|bcryptprimitives|api-ms-win-(core|crt)-[\w-]+)\.dll$/
const WINDOWS_CALLS = ['CreateFileMappingW', 'MapViewOfFile', 'LockFileEx', 'CreateMutexW']

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
