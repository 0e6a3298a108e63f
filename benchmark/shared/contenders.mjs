// The contenders of a scene. All of them are programs that speak one protocol, whatever their language: they print a line
// when they are ready. For each line with a count they do the work that many times and print the time, as JSON.

import { programs } from './programs.mjs'

/**
 * Runs `prepare` in a separate Node process; its result is a function that is called with each count. `env` is added to that
 * process's environment, `args` to Node's own arguments.
 */
export function node(prepare, { env = {}, args = [] } = {}) {
  return { kind: 'node', prepare, env, args }
}

/** Runs the program in Rust that makes only the system calls: no os-ipc and no JavaScript. */
export function bareCalls(...args) {
  return { kind: 'program', command: () => [programs.bare, ...args] }
}

/** Runs the program in Go, where Go is installed. */
export function go(...args) {
  return {
    kind: 'program',
    command: () => programs.go && [programs.go, ...args],
    missing: 'go is not installed',
  }
}

/** Runs the ring in C, where a C compiler is installed. */
export function ring(...args) {
  return {
    kind: 'program',
    command: () => programs.ring && [programs.ring, ...args],
    missing: 'cc is not installed',
  }
}

/** Runs the program in Python, where sysv_ipc and posix_ipc are installed. */
export function python(...args) {
  return {
    kind: 'program',
    command: () => programs.python && [...programs.python, ...args],
    missing: 'sysv_ipc and posix_ipc could not be installed',
  }
}

/** Several processes of a contender that do the same at once; their operations are counted together. */
export function crowd(size, contender) {
  return { kind: 'crowd', size, contender }
}

/** A contender that takes no part, with the reason. */
export function cannot(reason) {
  return { kind: 'cannot', reason }
}
