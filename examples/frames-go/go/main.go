//go:build linux

// Adds up the bytes of the frames that Node passes through shared memory: go run . FRAMES SIZE PLACES
package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	frames, size, places := argument(1), argument(2), argument(3)
	file := must(unix.Open("/dev/shm/example-frames", unix.O_RDWR, 0))
	ring, err := unix.Mmap(file, 0, places*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(0, err)
	free, full := open("/example-frames-free"), open("/example-frames-full")

	sum := 0
	for frame := 0; frame < frames; frame++ {
		full.add(-1) // wait
		place := frame % places * size
		for _, value := range ring[place : place+size] {
			sum += int(value)
		}
		free.add(+1) // post
	}
	fmt.Printf("go: %d frames, sum %d\n", frames, sum)
}

// A set by the key of its name; the first semaphore of it is the counter.
type semaphore uintptr

func open(name string) semaphore {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	set, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(int32(hash.Sum32())), 0, 0)
	check(errno)
	return semaphore(set)
}

func (set semaphore) add(units int16) {
	operation := struct{ number, operation, flags int16 }{0, units, 0}
	for {
		_, _, errno := unix.Syscall(unix.SYS_SEMOP, uintptr(set), uintptr(unsafe.Pointer(&operation)), 1)
		if errno != unix.EINTR { // Go signals its own threads
			check(errno)
			return
		}
	}
}

func argument(index int) int {
	return must(strconv.Atoi(os.Args[index]))
}

func must(value int, err error) int {
	if err != nil {
		panic(err)
	}
	return value
}

func check(errno unix.Errno) {
	if errno != 0 {
		panic(errno)
	}
}
