// The lines that open the same object in other languages; __test__/cli/key.test.ts compiles and runs them.

import { hexKey } from '../core/format.js'
import { escaped, escapedBytes, printable } from '../core/text.js'

/** Lines of code by language: what to include or import first, then what opens the object. */
export interface Lines {
  readonly c: readonly string[]
  readonly go: readonly string[]
  readonly python: readonly string[]
}

/** A System V semaphore, or a limit: the kernel takes back what a process did with `SEM_UNDO` when the process ends. */
export function setLines(key: number): Lines {
  return {
    c: [
      '#include <sys/sem.h>',
      `int set = semget((key_t)${hexKey(key)}u, 0, 0);`,
      'struct sembuf take = {0, -1, 0}, give = {0, 1, 0}; // a semaphore: semop(set, &take, 1)',
      'struct sembuf acquire = {0, -1, SEM_UNDO}, release = {0, 1, SEM_UNDO}; // a limit',
    ],
    go: [
      'import "syscall"',
      `key := int32(${key})`,
      'set, _, errno := syscall.Syscall(syscall.SYS_SEMGET, uintptr(key), 0, 0)',
    ],
    python: [
      'import sysv_ipc  # pip install sysv_ipc',
      `semaphore = sysv_ipc.Semaphore(${key})  # a limit: semaphore.undo = True`,
    ],
  }
}

/** A POSIX semaphore. */
export function posixLines(name: string): Lines {
  return {
    c: ['#include <semaphore.h>', `sem_t *semaphore = sem_open(${cText(name)}, 0); // link with -pthread`],
    go: [
      '/*',
      '#cgo LDFLAGS: -pthread',
      '#include <fcntl.h>',
      '#include <semaphore.h>',
      'static sem_t *open_semaphore(const char *name) { return sem_open(name, 0); }',
      '*/',
      'import "C"',
      `semaphore := C.open_semaphore(C.CString(${cText(name)}))`,
    ],
    python: [
      'import posix_ipc  # pip install posix_ipc',
      `semaphore = posix_ipc.Semaphore(${pythonText(name)})`,
    ],
  }
}

/** Memory: POSIX for a name, System V for a key. */
export function memoryLines(name: string | undefined, key: number): Lines {
  return name === undefined ? segmentLines(key) : fileLines(name)
}

function fileLines(name: string): Lines {
  const plain = name.slice(1)
  return {
    c: [
      '#include <fcntl.h>',
      '#include <sys/mman.h>',
      '#include <sys/stat.h>',
      `int file = shm_open(${cText(name)}, O_RDWR, 0);`,
      'struct stat about;',
      'fstat(file, &about);',
      'void *memory = mmap(NULL, about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);',
    ],
    go: [
      'import ("os"; "syscall")',
      `file, err := os.OpenFile(${cText(`/dev/shm/${plain}`)}, os.O_RDWR, 0)`,
      'about, err := file.Stat()',
      'memory, err := syscall.Mmap(int(file.Fd()), 0, int(about.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)',
    ],
    python: [
      'from multiprocessing import shared_memory',
      `memory = shared_memory.SharedMemory(${pythonText(plain)})  # memory.buf; track=False from Python 3.13 on`,
    ],
  }
}

function segmentLines(key: number): Lines {
  return {
    c: [
      '#include <sys/shm.h>',
      `int segment = shmget((key_t)${hexKey(key)}u, 0, 0);`,
      'void *memory = shmat(segment, NULL, 0);',
    ],
    go: [
      'import "syscall"',
      `key := int32(${key})`,
      'segment, _, errno := syscall.Syscall(syscall.SYS_SHMGET, uintptr(key), 0, 0)',
      'address, _, errno := syscall.Syscall(syscall.SYS_SHMAT, segment, 0, 0)',
    ],
    python: ['import sysv_ipc  # pip install sysv_ipc', `memory = sysv_ipc.SharedMemory(${key})`],
  }
}

/** A string literal of C and Go: both read UTF-8, and an escape of three octal digits as a byte. */
function cText(text: string): string {
  return quoted(text, character => escapedBytes(character, byte => `\\${byte.toString(8).padStart(3, '0')}`))
}

function pythonText(text: string): string {
  return quoted(text, escaped)
}

function quoted(text: string, spell: (character: string) => string): string {
  return `"${printable(text.replaceAll(/["\\]/g, '\\$&'), spell)}"`
}
