//go:build linux

package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"os-ipc.example/frames/channel"
)

func channelCommand(verb, name string, args []string) (string, error) {
	opened, err := channel.Open(name)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	switch {
	case verb == "send" && len(args) > 0:
		return "ok", sendAll(opened, args)
	case verb == "receive":
		return receiveSome(opened, args)
	case verb == "stream" && len(args) == 3:
		return "ok", sendStream(opened, args)
	case verb == "drain":
		return drain(opened)
	case verb == "hold" && len(args) == 1 && args[0] == "receive":
		return "", opened.Visit(func(uint32, []byte) {
			fmt.Println("held")
			time.Sleep(time.Hour)
		})
	case verb == "end":
		opened.End()
		return "ok", nil
	}
	return "", errUsage
}

func sendAll(to *channel.Channel, args []string) error {
	kind, err := strconv.Atoi(args[0])
	for _, text := range args[1:] {
		var message []byte
		if message, err = hex.DecodeString(text); err == nil {
			err = to.Send(uint32(kind), message)
		}
		if err != nil {
			return channelError(err)
		}
	}
	return err
}

func receiveSome(from *channel.Channel, args []string) (string, error) {
	count := 1
	if len(args) > 0 {
		count, _ = strconv.Atoi(args[0])
	}
	found := []string{}
	for len(found) < count {
		kind, message, err := from.Receive()
		if err == channel.ErrEnded {
			found = append(found, "end")
			break
		} else if err != nil {
			return "", channelError(err)
		}
		found = append(found, fmt.Sprintf("%d:%x", kind, message))
	}
	return strings.Join(found, " "), nil
}

// A message of a stream: its tag and its number, then bytes that follow from the number.
func sendStream(to *channel.Channel, args []string) error {
	numbers := [3]uint32{}
	for index, text := range args {
		number, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return err
		}
		numbers[index] = uint32(number)
	}
	count, tag, most := numbers[0], numbers[1], numbers[2]
	for number := uint32(0); number < count; number++ {
		message := make([]byte, 8+number*7919%(most-7))
		binary.LittleEndian.PutUint32(message, tag)
		binary.LittleEndian.PutUint32(message[4:], number)
		for index := 8; index < len(message); index++ {
			message[index] = byte(number + uint32(index))
		}
		if err := to.Send(channel.Bytes, message); err != nil {
			return channelError(err)
		}
	}
	return nil
}

// Receives streams until the end; each message has to be whole, and in the order of its sender.
func drain(from *channel.Channel) (string, error) {
	counts := map[uint32]uint32{}
	for {
		_, message, err := from.Receive()
		if err == channel.ErrEnded {
			break
		} else if err != nil {
			return "", channelError(err)
		}
		tag, number := binary.LittleEndian.Uint32(message), binary.LittleEndian.Uint32(message[4:])
		if number != counts[tag] {
			return "", fmt.Errorf("message %d of %d instead of %d", number, tag, counts[tag])
		}
		counts[tag]++
		for index := 8; index < len(message); index++ {
			if message[index] != byte(number+uint32(index)) {
				return "", fmt.Errorf("message %d of %d is torn", number, tag)
			}
		}
	}
	found := []string{}
	for tag, count := range counts {
		found = append(found, fmt.Sprintf("%d=%d", tag, count))
	}
	sort.Strings(found)
	return strings.Join(found, " "), nil
}

// The errors of a channel as the other peers name them.
func channelError(err error) error {
	switch err {
	case channel.ErrTooLarge:
		return namedError("ERR_MESSAGE_TOO_LARGE")
	case channel.ErrEnded, channel.ErrRemoved, channel.ErrCorrupt:
		return namedError("ERR_GONE")
	}
	return err
}

type namedError string

func (name namedError) Error() string { return string(name) }
