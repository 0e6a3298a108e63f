// Makes a memory object that does not fit, and prints the result and the files in /dev/shm afterwards.

import { readdirSync } from 'node:fs'

import { SharedMemory } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'

const name = `/os-ipc-full-${process.pid}`
let failure: { code?: string; syscall?: string; hint?: string } = {}
try {
  SharedMemory.create(name, { size: Number(process.argv[2]) }).unlink()
} catch (error) {
  const { code, syscall, hint } = error as { code: string; syscall: string; hint: string }
  failure = { code, syscall, hint }
}
say({ ...failure, left: readdirSync('/dev/shm').filter(file => name.endsWith(file)) })
