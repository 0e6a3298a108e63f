import { spawnSync } from 'node:child_process'

import { tool } from './requires.ts'

/** The C library through Python: makes and reads sets as any program can. */
export const ctypes = tool('python3')

/** The effect of semop(2) on a semaphore of a set. */
export type Operation = readonly [semaphore: number, add: number]

/**
 * Makes a set with semget(2), and calls semop(2) once when there are operations. `setval` initializes it as Go, PHP and most
 * programs in C do.
 */
export function makeSet(
  key: number,
  size: number,
  { operations = [], setval }: { operations?: readonly Operation[]; setval?: number } = {},
): void {
  const lines = [
    `set = check(libc.semget(${key}, ${size}, 0o1600 | 0o2000))`,
    ...(setval === undefined ? [] : [`check(libc.semctl(set, 0, 16, ${setval}))`]),
    ...(operations.length === 0
      ? []
      : [
          `ops = b"".join(struct.pack("Hhh", at, add, 0) for at, add in ${JSON.stringify(operations)})`,
          `check(libc.semop(set, ops, ${operations.length}))`,
        ]),
  ]
  run(lines.join('\n'))
}

/** Does one semop(2) on the set with this key, without undo, as a program in another language does. */
export function operate(key: number, operations: readonly Operation[]): void {
  run(
    [
      `set = check(libc.semget(${key}, 0, 0))`,
      `ops = b"".join(struct.pack("Hhh", at, add, 0) for at, add in ${JSON.stringify(operations)})`,
      `check(libc.semop(set, ops, ${operations.length}))`,
    ].join('\n'),
  )
}

/** `semctl(GETALL)`: every value of the set with this key. */
export function valuesOf(key: number): number[] {
  const lines = [
    `set = check(libc.semget(${key}, 0, 0))`,
    'about = ctypes.create_string_buffer(256)',
    'check(libc.semctl(set, 0, 2, about))',
    // sem_nsems of struct semid_ds: behind sem_perm (48 bytes) and the two times.
    'size = struct.unpack_from("L", about, 80 if platform.machine() == "x86_64" else 64)[0]',
    'values = (ctypes.c_ushort * size)()',
    'check(libc.semctl(set, 0, 13, values))',
    'print(list(values))',
  ]
  return JSON.parse(run(lines.join('\n')))
}

function run(script: string): string {
  const prelude = `
import ctypes, os, platform, struct
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
`
  const { status, stdout, stderr } = spawnSync('python3', ['-c', prelude + script], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}
