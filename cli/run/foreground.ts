import { bytes } from '../core/files.js'

/**
 * Whether this process is in the foreground of its terminal: then the terminal sends its signals (Ctrl-C, Ctrl-\,
 * Ctrl-Z, a new window size) to the whole process group, so that the child has them already.
 */
export function inForeground(): boolean {
  const status = bytes('/proc/self/stat')?.toString('latin1')
  if (status === undefined)
    return process.stdin.isTTY === true || process.stdout.isTTY === true || process.stderr.isTTY === true
  // `pid (program) state ppid pgrp session tty tpgid`: a program's name may have spaces and brackets in it.
  const [, , group, , terminal, foreground] = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return terminal !== '0' && group === foreground
}
