//go:build linux

// The scenes in Go, with the calls of github.com/rustatian/ipc: `bench SCENE ... OBJECT`, then a count a line on stdin.
package main

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const bytes = 146_000

// Flags and commands of System V IPC.
const (
	create = 0o1000
	noWait = 0o4000
	undo   = 0x1000
	remove = 0
	status = 2
)

type sembuf struct {
	number    uint16
	operation int16
	flags     int16
}

func key(name string) uintptr {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return uintptr(int32(hash.Sum32()))
}

func check(result uintptr, _ uintptr, errno syscall.Errno) uintptr {
	if errno != 0 {
		panic(errno)
	}
	return result
}

func semget(name string) uintptr {
	return check(syscall.Syscall(syscall.SYS_SEMGET, key(name), 1, create|0o600))
}

// A signal does not end it: the Go runtime directs signals to its own threads.
func semop(set uintptr, operation int16, flags int16) {
	change := sembuf{0, operation, flags}
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_SEMTIMEDOP, set, uintptr(unsafe.Pointer(&change)), 1, 0, 0, 0)
		switch errno {
		case 0:
			return
		case syscall.EIDRM:
			os.Exit(0)
		case syscall.EINTR:
		default:
			panic(errno)
		}
	}
}

func removeSet(set uintptr) {
	syscall.Syscall6(syscall.SYS_SEMCTL, set, 0, remove, 0, 0, 0)
}

// A System V segment, as the library's NewSharedMemorySegment attaches it.
func segment(name string) (uintptr, []byte) {
	id := check(syscall.Syscall(syscall.SYS_SHMGET, key(name), bytes, create|0o600))
	return id, attach(id)
}

func attach(id uintptr) []byte {
	start := check(syscall.Syscall(syscall.SYS_SHMAT, id, 0, 0))
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&start))), bytes)
}

func removeSegment(id uintptr) {
	syscall.Syscall(syscall.SYS_SHMCTL, id, remove, 0)
}

// Starts this program again, as the second process of a scene.
func partner(words ...string) *exec.Cmd {
	command := exec.Command("/proc/self/exe", words...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		panic(err)
	}
	return command
}

func end(command *exec.Cmd) {
	command.Process.Kill()
	command.Wait()
}

type work func(count int)

func pair(object string, wait, flags int16) (work, func()) {
	set := semget(object)
	if wait == noWait {
		semop(set, 1, 0)
	}
	return func(count int) {
		for i := 0; i < count; i++ {
			semop(set, -1, wait|flags)
			semop(set, 1, flags)
		}
	}, func() { removeSet(set) }
}

// One of many processes; the first of them makes the unit.
func contention(object string) (work, func()) {
	_, _, errno := syscall.Syscall(syscall.SYS_SEMGET, key(object), 1, create|0o2000|0o600)
	loop, cleanup := pair(object, 0, 0)
	if errno == 0 {
		semop(semget(object), 1, 0)
	}
	return loop, cleanup
}

func handOver(object string) (work, func()) {
	there, back := semget(object+"-a"), semget(object+"-b")
	child := partner("echo", object)
	return func(count int) {
			for i := 0; i < count; i++ {
				semop(there, 1, 0)
				semop(back, -1, 0)
			}
		}, func() {
			end(child)
			removeSet(there)
			removeSet(back)
		}
}

func echo(object string) {
	there, back := semget(object+"-a"), semget(object+"-b")
	for {
		semop(there, -1, 0)
		semop(back, 1, 0)
	}
}

// The library's two benchmarks: READ, and WRITE + Clear, under a mutex.
func memory(direction, object string) (work, func()) {
	id, shared := segment(object)
	own := make([]byte, bytes)
	for i := range own {
		own[i] = byte(i % 251)
	}
	copy(shared, own)
	var mutex sync.Mutex
	read := func(count int) {
		for i := 0; i < count; i++ {
			mutex.Lock()
			copy(own, shared)
			mutex.Unlock()
		}
	}
	writeAndClear := func(count int) {
		for i := 0; i < count; i++ {
			mutex.Lock()
			copy(shared, own)
			for j := range shared {
				shared[j] = 0
			}
			mutex.Unlock()
		}
	}
	cleanup := func() { removeSegment(id) }
	if direction == "read" {
		return read, cleanup
	}
	return writeAndClear, cleanup
}

func message(object string) (work, func()) {
	full, empty := semget(object+"-a"), semget(object+"-b")
	id, shared := segment(object)
	own := make([]byte, bytes)
	child := partner("receive", object)
	return func(count int) {
			for i := 0; i < count; i++ {
				copy(shared, own)
				semop(full, 1, 0)
				semop(empty, -1, 0)
			}
		}, func() {
			end(child)
			removeSet(full)
			removeSet(empty)
			removeSegment(id)
		}
}

func receive(object string) {
	full, empty := semget(object+"-a"), semget(object+"-b")
	_, shared := segment(object)
	own := make([]byte, bytes)
	for {
		semop(full, -1, 0)
		copy(own, shared)
		semop(empty, 1, 0)
	}
}

func opening(what, object string) (work, func()) {
	if what == "sysv-semaphore" {
		set := semget(object)
		return func(count int) {
			for i := 0; i < count; i++ {
				check(syscall.Syscall(syscall.SYS_SEMGET, key(object), 1, 0o600))
			}
		}, func() { removeSet(set) }
	}
	id, _ := segment(object)
	return func(count int) {
		for i := 0; i < count; i++ {
			found := check(syscall.Syscall(syscall.SYS_SHMGET, key(object), 0, 0o600))
			var description [32]uint64
			check(syscall.Syscall(syscall.SYS_SHMCTL, found, status, uintptr(unsafe.Pointer(&description))))
			start := check(syscall.Syscall(syscall.SYS_SHMAT, found, 0, 0))
			check(syscall.Syscall(syscall.SYS_SHMDT, start, 0, 0))
		}
	}, func() { removeSegment(id) }
}

func scene(words []string) (work, func(), int) {
	object := words[len(words)-1]
	var loop work
	var cleanup func()
	moves := 1
	switch words[0] {
	case "sysv-pair":
		loop, cleanup = pair(object, noWait, 0)
	case "sysv-permit":
		loop, cleanup = pair(object, noWait, undo)
	case "contention":
		loop, cleanup = contention(object)
	case "hand-over":
		loop, cleanup = handOver(object)
	case "memory":
		loop, cleanup = memory(words[1], object)
		moves = bytes
	case "message":
		loop, cleanup = message(object)
		moves = bytes
	case "open":
		loop, cleanup = opening(words[1], object)
		if words[1] == "sysv-memory" {
			moves = bytes
		}
	case "echo":
		echo(object)
	case "receive":
		receive(object)
	default:
		panic("usage: bench SCENE ... OBJECT")
	}
	return loop, cleanup, moves
}

func main() {
	loop, cleanup, moves := scene(os.Args[1:])
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		start := time.Now()
		loop(count)
		nanoseconds := time.Since(start).Nanoseconds()
		fmt.Printf("{\"operations\":%d,\"nanoseconds\":%d,\"work\":%d}\n", count, nanoseconds, count*moves)
	}
	cleanup()
}
