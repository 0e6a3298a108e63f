// Sends a process a signal every millisecond.

const pid = Number(process.argv[2])
const never = new Int32Array(new SharedArrayBuffer(4))
process.stdout.write('"storm"\n')
for (;;) {
  process.kill(pid, 'SIGWINCH')
  Atomics.wait(never, 0, 0, 1)
}
