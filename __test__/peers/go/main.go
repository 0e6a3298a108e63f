//go:build linux

// The Go peer of the interop tests; ../README.md has its commands.
//
// It makes the calls of github.com/rustatian/ipc v1.1.0, its defects included, and stands in for it.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const mode = 0o600

// Commands of semctl(2), and its flag of semop(2).
const (
	getNcnt = 14
	getVal  = 12
	setVal  = 16
	noWait  = 0o4000
)

var errUsage = errors.New("usage: peer FACILITY VERB NAME [ARGUMENTS]; see README.md")

func main() {
	line, err := answer(os.Args[1:])
	var number syscall.Errno
	var named namedError
	switch {
	case err == nil:
		fmt.Println(line)
	case errors.As(err, &named):
		fmt.Println("errno", named)
		os.Exit(1)
	case errors.As(err, &number):
		fmt.Println("errno", unix.ErrnoName(number))
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func answer(args []string) (string, error) {
	if len(args) >= 2 && args[0] == "key" {
		return strconv.Itoa(nameKey(args[1])), nil
	}
	if len(args) < 3 {
		return "", errUsage
	}
	verb, name, rest := args[1], args[2], args[3:]
	switch args[0] {
	case "channel":
		return channelCommand(verb, name, rest)
	case "sem-sysv":
		return semaphore(verb, nameKey(name), rest)
	case "sem-key":
		return semaphore(verb, number(args, 2), rest)
	case "shm-sysv":
		return sysvMemory(verb, number(args, 2), rest)
	case "shm-posix":
		return posixMemory(verb, name, rest)
	}
	return "", errUsage
}

func nameKey(name string) int {
	hash := fnv.New32a()
	hash.Write([]byte("/" + strings.TrimPrefix(name, "/")))
	return int(int32(hash.Sum32()))
}

func number(args []string, index int) int {
	if index >= len(args) {
		return 0
	}
	value, err := strconv.Atoi(args[index])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return value
}

// ---- System V semaphores: sets of one, as the library makes them ----

func semget(key, count, flags int) (int, error) {
	return result(unix.Syscall(unix.SYS_SEMGET, uintptr(key), uintptr(count), uintptr(flags)))
}

func semctl(set, command, value int) (int, error) {
	return result(unix.Syscall6(unix.SYS_SEMCTL, uintptr(set), 0, uintptr(command), uintptr(value), 0, 0))
}

type sembuf struct {
	number    uint16
	operation int16
	flags     int16
}

// semtimedop(2) with one operation; nil waits for ever. The Go runtime signals its own threads, so EINTR is nothing.
func semop(set, operation, flags int, limit *unix.Timespec) error {
	change := sembuf{0, int16(operation), int16(flags)}
	for {
		_, err := result(unix.Syscall6(unix.SYS_SEMTIMEDOP, uintptr(set), uintptr(unsafe.Pointer(&change)), 1,
			uintptr(unsafe.Pointer(limit)), 0, 0))
		if err != unix.EINTR {
			return err
		}
	}
}

func semaphore(verb string, key int, args []string) (string, error) {
	if verb == "create" || verb == "ensure" {
		set, err := semget(key, 1, unix.IPC_CREAT|unix.IPC_EXCL|mode)
		if err == unix.EEXIST && verb == "ensure" {
			_, err = semget(key, 1, 0)
			return "ok", err
		}
		if err != nil {
			return "", err
		}
		// A post that comes in before this is lost: the library's race.
		_, err = semctl(set, setVal, number(args, 0))
		return "ok", err
	}
	set, err := semget(key, 1, 0)
	if err != nil {
		return "", err
	}
	switch verb {
	case "open":
		return "ok", nil
	case "post":
		count := 1
		if len(args) > 0 {
			count = number(args, 0)
		}
		return "ok", semop(set, count, 0, nil)
	case "try":
		return taken(semop(set, -1, noWait, nil))
	case "wait":
		if len(args) == 0 {
			return taken(semop(set, -1, 0, nil))
		}
		limit := unix.NsecToTimespec(int64(time.Duration(number(args, 0)) * time.Millisecond))
		return taken(semop(set, -1, 0, &limit))
	case "value":
		return counted(semctl(set, getVal, 0))
	case "waiters":
		return counted(semctl(set, getNcnt, 0))
	case "unlink":
		_, err := semctl(set, unix.IPC_RMID, 0)
		return "ok", err
	}
	return "", errUsage
}

func taken(err error) (string, error) {
	if err == unix.EAGAIN {
		return "false", nil
	}
	return "ok", err
}

func counted(count int, err error) (string, error) {
	return strconv.Itoa(count), err
}

func result(value, _ uintptr, number syscall.Errno) (int, error) {
	if number != 0 {
		return -1, number
	}
	return int(value), nil
}

// ---- memory ----

func sysvMemory(verb string, key int, args []string) (string, error) {
	if verb == "create" {
		_, err := unix.SysvShmGet(key, number(args, 0), unix.IPC_CREAT|unix.IPC_EXCL|mode)
		return "ok", err
	}
	id, err := unix.SysvShmGet(key, 0, 0)
	if err != nil {
		return "", err
	}
	switch verb {
	case "open":
		return "ok", nil
	case "id":
		return strconv.Itoa(id), nil
	case "unlink":
		_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		return "ok", err
	}
	memory, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		return "", err
	}
	defer unix.SysvShmDetach(memory)
	if verb == "size" {
		return strconv.Itoa(len(memory)), nil
	}
	return copyBytes(verb, memory, args)
}

func posixMemory(verb, name string, args []string) (string, error) {
	path := "/dev/shm/" + strings.TrimPrefix(name, "/")
	switch verb {
	case "unlink":
		return "ok", unix.Unlink(path)
	case "create":
		return "ok", libraryOpen(path, unix.O_EXCL, number(args, 0))
	case "ensure", "truncate":
		return "ok", libraryOpen(path, 0, number(args, 0))
	}
	fd, err := unix.Open(path, unix.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	if verb == "open" {
		return "ok", nil
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return "", err
	}
	if verb == "size" {
		return strconv.FormatInt(stat.Size, 10), nil
	}
	memory, err := unix.Mmap(fd, 0, int(stat.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return "", err
	}
	return copyBytes(verb, memory, args)
}

// libraryOpen opens as the library does: it creates what is missing, follows symbolic links, and sets the caller's size
// whatever the object's was.
func libraryOpen(path string, flags, size int) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|flags, mode)
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return err
	}
	_, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return err
}

func copyBytes(verb string, memory []byte, args []string) (string, error) {
	if len(args) < 2 {
		return "", errUsage
	}
	offset := number(args, 0)
	switch verb {
	case "write":
		data, err := hex.DecodeString(args[1])
		if err != nil {
			return "", err
		}
		if offset+len(data) > len(memory) {
			return "", unix.EFBIG
		}
		copy(memory[offset:], data)
		return "ok", nil
	case "read":
		length := number(args, 1)
		if offset+length > len(memory) {
			return "", unix.EFBIG
		}
		return hex.EncodeToString(memory[offset : offset+length]), nil
	}
	return "", errUsage
}
