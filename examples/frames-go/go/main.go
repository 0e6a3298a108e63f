//go:build linux

// Adds up the bytes of the frames that Node sends: go run . CHANNEL
package main

import (
	"fmt"
	"os"

	"os-ipc.example/frames/channel"
)

func main() {
	frames, err := channel.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	defer frames.Close()
	count, sum := 0, 0
	for {
		// The view is the channel's memory: no frame is copied here.
		err := frames.Visit(func(kind uint32, frame []byte) {
			for _, value := range frame {
				sum += int(value)
			}
		})
		if err == channel.ErrEnded {
			break
		} else if err != nil {
			panic(err)
		}
		count++
	}
	fmt.Printf("go: %d frames, sum %d\n", count, sum)
}
