// Who takes part in a scene. All of them are programs that speak one protocol, whatever their language: they print a line
// when they are ready, and for each line with a count they do the work so often and print what it took, as JSON.

import { programs } from './programs.mjs'

/**
 * Runs `prepare` in a Node process of its own; what it answers is called with each count. `env` is added to that
 * process's environment, `args` to Node's own arguments.
 */
export function node(prepare, { env = {}, args = [] } = {}) {
  return { kind: 'node', prepare, env, args }
}

/** Runs the program in Rust: raw libc calls, the limit of what can be reached. */
export function limit(...args) {
  return { kind: 'program', command: () => [programs.limit, ...args] }
}

/** Runs the program in Go, where Go is there. */
export function go(...args) {
  return { kind: 'program', command: () => programs.go && [programs.go, ...args], missing: 'go is not there' }
}

/** Runs the program in Python, where sysv_ipc and posix_ipc are there. */
export function python(...args) {
  return {
    kind: 'program',
    command: () => programs.python && [...programs.python, ...args],
    missing: 'sysv_ipc and posix_ipc could not be installed',
  }
}

/** So many processes of a contender that do the same at once; their operations are counted together. */
export function crowd(size, contender) {
  return { kind: 'crowd', size, contender }
}

/** Takes no part, and why. */
export function cannot(reason) {
  return { kind: 'cannot', reason }
}
