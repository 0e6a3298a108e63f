//go:build linux

package channel

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func ownIdentity() uint64 {
	pid := uint64(os.Getpid())
	_, started, _ := process(pid)
	return pid<<32 | uint64(started)
}

// Whether the kernel proves that a process is dead. If in doubt, it is alive.
func isDead(identity uint64) bool {
	pid := identity >> 32
	state, started, err := process(pid)
	if err != nil {
		return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
	}
	if started != uint32(identity) {
		return true
	}
	if state != "Z" && state != "X" {
		return false
	}
	// Its first thread has ended; others may run.
	file, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return err == unix.ESRCH
	}
	defer unix.Close(file)
	ready, err := unix.Poll([]unix.PollFd{{Fd: int32(file), Events: unix.POLLIN}}, 0)
	return err == nil && ready == 1
}

// The state of a process, and the low half of its start time.
func process(pid uint64) (string, uint32, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	// The second field is a name that may contain anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return "", 0, errors.New("/proc has another form")
	}
	started, err := strconv.ParseUint(fields[19], 10, 64)
	return fields[0], uint32(started), err
}
